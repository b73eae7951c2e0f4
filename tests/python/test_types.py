"""What a user's own type checker sees of the package."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# Torch itself takes mypy a minute: what of it the package names is enough.
TORCH = """
from collections.abc import Sequence
class Tensor: ...
def from_numpy(array: object) -> Tensor: ...
def stack(tensors: Sequence[Tensor]) -> Tensor: ...
"""

# Each `type: ignore` stands for a mistake that must be found: mypy --strict calls those without one an error.
PROGRAM = """
from typing import assert_type

import millstream
import numpy as np
import torch
from millstream.compat.huaju4k import ProcessingStrategy, StreamingVideoProcessor
from numpy.typing import NDArray


def darker(pixels: torch.Tensor) -> torch.Tensor:
    return pixels


def seen(progress: millstream.Progress) -> None:
    print(progress.fraction)


reader = millstream.Reader("in.mp4", deinterlace="off")
enhancer = millstream.Enhancer(scale=2)
for frame in reader:
    assert_type(frame, millstream.Frame)
    assert_type(frame.torch(), torch.Tensor)
    assert_type(frame.numpy(), NDArray[np.uint8])
    assert_type(frame.numpy("rgb"), NDArray[np.uint8])
    assert_type(frame.numpy("float"), NDArray[np.float32])
    assert_type(enhancer(frame), millstream.Frame)
    assert_type(enhancer(frame.torch()), torch.Tensor)
    assert_type(enhancer(frame.numpy()), NDArray[np.uint8])
with millstream.Writer("out.mp4", like=reader, crf=20) as writer:
    for tensor in enhancer.stream(darker(frame.torch()) for frame in reader):
        assert_type(tensor, torch.Tensor)
        writer.write(tensor)
report = millstream.enhance("in.mp4", "out.mp4", process=darker, progress=seen, max_memory="2GiB")
assert_type(report, millstream.Report)
assert_type(report.frames, int)
assert_type(millstream.plan("in.mp4", "out.mp4"), millstream.Plan)
assert_type(millstream.probe("in.mp4"), millstream.SourceFile)
assert_type(millstream.verify("in.mp4", "out.mp4").holds, bool)
StreamingVideoProcessor("config.json").process("in.mp4", "out.mp4", ProcessingStrategy(batch_size=1))

millstream.enhance("in.mp4", "out.mp4", scael=2)  # type: ignore[call-arg]
millstream.enhance("in.mp4", "out.mp4", scale="twice")  # type: ignore[arg-type]
millstream.Writer("out.mp4")  # type: ignore[call-arg]
enhancer("picture.png")  # type: ignore[type-var]
"""


def test_a_program_with_frames_tensors_and_arrays_is_strictly_typed(package_path: str, tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.pyi").write_text(TORCH)
    (tmp_path / "program.py").write_text(PROGRAM)
    check = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir=cache", "program.py"]
    run = subprocess.run(
        check,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": f"{package_path}:{tmp_path}"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.stdout == "Success: no issues found in 1 source file\n", run.stdout + run.stderr
