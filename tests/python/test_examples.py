"""Every example of examples/python, and every block of docs/python.md, as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from conftest import ROOT, make_video, stream

EXAMPLES = ROOT / "examples" / "python"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_video(tmp_path / "in.mp4", frames=6)
    return tmp_path


def run(folder: Path, package_path: str, *command: str | Path) -> str:
    result = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": package_path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "libtorch_cuda" in result.stderr or "libtorch_python" in result.stderr:
        pytest.skip("Python's own torch cannot be imported here: ./dev setup says what is missing")
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("example", "arguments", "says"),
    [
        ("upscale_file.py", ["model=identity", "preset=ultrafast"], "6 frames in"),
        ("own_filter.py", ["model=identity", "temporal=off", "preset=ultrafast"], "6 frames, 0.00 copies a frame"),
        ("opencv_loop.py", ["model=identity", "temporal=off"], "6 pictures written for OpenCV"),
        ("inside_huaju4k.py", [], "6 frames at"),
    ],
)
def test_an_example_enhances_a_file(
    example: str, arguments: list[str], says: str, folder: Path, package_path: str
) -> None:
    assert says in run(folder, package_path, EXAMPLES / example, "in.mp4", "out.mp4", *arguments)
    video = stream(folder / "out.mp4", "video")
    assert (video["width"], video["nb_read_frames"]) == (320, "6")


def test_every_example_is_tested() -> None:
    tested = {"upscale_file.py", "own_filter.py", "opencv_loop.py", "inside_huaju4k.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


def test_the_page_runs_from_top_to_bottom(folder: Path, package_path: str) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "python.md").read_text())
    assert len(blocks) >= 6
    (folder / "page.py").write_text("\n".join(blocks))
    run(folder, package_path, "page.py")
    assert stream(folder / "out.mp4", "video")["nb_read_frames"] == "6"


def run_program(program: str, folder: Path) -> None:
    binary = ROOT / "build" / "release" / program
    assert binary.exists(), f"{program} is not built"
    subprocess.run([binary, "in.mp4", "out.mp4"], cwd=folder, check=True, capture_output=True, timeout=120)
    assert stream(folder / "out.mp4", "video")["nb_read_frames"] == "6"


def test_the_torch_example_in_cpp_runs(folder: Path) -> None:
    run_program("filter_with_torch", folder)


def test_what_the_opencv_example_in_cpp_draws_is_in_the_file(folder: Path) -> None:
    run_program("frames_with_opencv", folder)
    picture = cv2.VideoCapture(str(folder / "out.mp4")).read()[1]
    blue, green, red = picture[-4:].reshape(-1, 3).mean(axis=0)
    assert red > 180 > 80 > max(blue, green)
