"""The program under test: where it was built, how it is called, and what it says of itself."""

from __future__ import annotations

import functools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from measure import machine, run

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("MILLSTREAM_BIN", ROOT / "build/release/millstream"))
STAGE_COSTS = BINARY.parent / "stage_costs"
FINISHING_COSTS = BINARY.parent / "finishing_costs"
# Comparisons are about the pipeline: encoder settings are the same on both sides of every ratio, and what others do
# not do is off; so is the limit on the output's size, which in very short clips would lower the encoder's quality.
OTHERS_LACK = ["--temporal", "off", "--color-fix", "off", "--max-total", "none"]
PLAIN = [*OTHERS_LACK, "--reuse", "off"]
WITH_LOCK = PLAIN[2:]  # beside a --temporal of its own
QUIET = [*PLAIN, "--progress", "none"]


@functools.cache
def precision() -> str:
    """What `--precision auto` means here: fp32, or bf16 where the processor is faster with it."""
    found = re.search(r"; networks in (\w+)", run([BINARY, "doctor"]).stdout)
    assert found, "doctor does not say what networks run in"
    return found.group(1)


def machine_in_use() -> dict[str, Any]:
    """The machine, and what networks run in on it."""
    return {**machine(), "precision": precision()}


def precision_on(info: dict[str, Any]) -> str:
    """The same of a machine_in_use(), also of one noted before that was asked of the program."""
    return str(info.get("precision", "bf16" if info["bf16"] else "fp32"))


def alone(part: str, clip: Path, model: str, frames: int, folder: Path) -> dict[str, float]:
    """What `decode`, `infer` or `encode` costs outside of the pipeline: frames, wall_s, cpu_s."""
    output = run([STAGE_COSTS, part, clip, folder / "part.mp4", model, str(frames), precision()]).stdout
    result: dict[str, float] = json.loads(output)
    return result


def versions() -> dict[str, str]:
    text = run([BINARY, "--version"]).stdout.strip()
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {"millstream": text, "commit": commit.stdout.strip(), "python": sys.version.split()[0]}
