"""What Python costs: enhance() and a loop of Reader, Enhancer and Writer against the program, and the import.

The same jobs in turns, each a process of its own from its start to its end: interpreter and imports are included.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from made_clips import real_clip
from measure import Command, Run, run, run_counted
from ours import BINARY, QUIET

PACKAGE = BINARY.parent / "python"

ENHANCE = """
import sys
sys.path.insert(0, sys.argv[1])
import millstream
options = {"temporal": "off", "colour_fix": "off", "reuse": "off", "max_total": "none"}
millstream.enhance(sys.argv[2], sys.argv[3], overwrite=True, model=sys.argv[4], scale=int(sys.argv[5]), **options)
"""
LOOP = """
import sys
sys.path.insert(0, sys.argv[1])
import millstream
options = {"temporal": "off", "colour_fix": "off", "reuse": "off"}
reader = millstream.Reader(sys.argv[2])
enhancer = millstream.Enhancer(sys.argv[4], scale=int(sys.argv[5]), **options)
with millstream.Writer(sys.argv[3], like=reader, overwrite=True) as writer:
    for frame in enhancer.stream(reader):
        writer.write(frame)
"""
IMPORT = """
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.perf_counter()
import millstream
print(time.perf_counter() - start)
"""


@dataclass
class Way:
    """One of the ways to do the job, against the program: medians of the turns."""

    speed: float  # of the program's
    lowest: float
    highest: float
    cpu: float  # processor time, in parts of the program's


def python(script: str, *arguments: str | Path) -> Command:
    return [sys.executable, "-c", script, PACKAGE, *arguments]


def turns(clip: Path, model: str, scale: int, folder: Path, count: int) -> dict[str, Way]:
    """Each turn runs all three; every second one backwards, so that none always comes after the same other."""
    words = [model, str(scale)]
    program: Command = [
        BINARY,
        "enhance",
        clip,
        "-o",
        folder / "a.mp4",
        "-y",
        "--model",
        model,
        "--scale",
        str(scale),
        *QUIET,
    ]
    commands: dict[str, Command] = {
        "program": program,
        "enhance()": python(ENHANCE, clip, folder / "b.mp4", *words),
        "loop": python(LOOP, clip, folder / "c.mp4", *words),
    }
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(count):
        for name in list(commands)[:: 1 if turn % 2 == 0 else -1]:
            runs[name].append(run_counted(commands[name]))
    theirs = runs.pop("program")
    return {name: against(theirs, ours) for name, ours in runs.items()}


def against(program: list[Run], ours: list[Run]) -> Way:
    pairs = list(zip(program, ours, strict=True))
    speeds = [a.wall_s / b.wall_s for a, b in pairs]
    cpu = statistics.median(b.cpu_s / a.cpu_s for a, b in pairs)
    return Way(statistics.median(speeds), min(speeds), max(speeds), cpu)


Row = tuple[str, float, str, str, bool, str]


def figures(folder: Path, count: int = 5) -> list[Row]:
    """Rows as bench/run.py has them. The identity is the hardest case: nothing hides what Python adds."""
    rows: list[Row] = []
    targets = {
        "enhance()": ("Python's enhance() against the program", 0.98),
        "loop": ("a Python loop of Reader, Enhancer, Writer against the program", 0.90),
    }
    for model, scale, size, frames in (("identity", 1, (640, 360), 500), ("realesr-animevideov3", 2, (160, 90), 90)):
        clip = real_clip(folder, *size, frames)
        for name, way in turns(clip, model, scale, folder, count).items():
            words, least = targets[name]
            note = (
                f"{size[0]}x{size[1]}, {frames} frames, interpreter and imports included, median of {count} turns, "
                f"{way.lowest:.2f}-{way.highest:.2f}; processor time {way.cpu:.3f} x"
            )
            rows.append((f"{words}, {model}: speed", way.speed, "", f">= {least:.2f}", way.speed >= least, note))
    walls = [float(run(python(IMPORT)).stdout) for _ in range(5)]
    value = statistics.median(walls)
    rows.append(("import millstream", value, "s", "< 0.5", value < 0.5, "wall time, median of 5, from the file cache"))
    return rows
