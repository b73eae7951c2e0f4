"""The same job in two ways, in turns: what does the other way cost?

    python bench/variants.py release    --release every_frame against on_pressure
    python bench/variants.py memory     a plan with twice and four times the memory against the one that is made

Ratios of processor time (user and system, of the whole process) and of wall time, the middle of the pairs; of processor
time other programs on the machine change little. Python's ways are compared by bench/from_python.py.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from measure import Command, run_counted

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("MILLSTREAM_BIN", ROOT / "build/release/millstream"))


@dataclass
class Variant:
    name: str
    command: Command


def program(clip: Path, out: Path, *arguments: str) -> Command:
    return [BINARY, "enhance", clip, "-y", "-o", out, "--progress", "none", "--preset", "ultrafast", *arguments]


def compare(first: Variant, second: Variant, pairs: int) -> None:
    """Prints second / first."""
    cpu, wall, peak = [], [], []
    for number in range(pairs):
        runs = {}
        for variant in (first, second) if number % 2 == 0 else (second, first):
            runs[variant.name] = run_counted(variant.command)
        a, b = runs[first.name], runs[second.name]
        cpu.append(b.cpu_s / a.cpu_s)
        wall.append(b.wall_s / a.wall_s)
        peak.append(b.peak_mib - a.peak_mib)
        print(f"  {a.cpu_s:.2f} s, {b.cpu_s:.2f} s of processor; {a.wall_s:.2f} s, {b.wall_s:.2f} s", flush=True)
    print(
        f"{second.name} / {first.name}: processor time {statistics.median(cpu):.3f} ({min(cpu):.3f}..{max(cpu):.3f}), "
        f"wall time {statistics.median(wall):.3f}, peak memory {statistics.median(peak):+.0f} MiB, {pairs} pairs"
    )


def release_policies(clip: Path, folder: Path, model: list[str], pairs: int) -> None:
    on_pressure, every_frame = (
        Variant(policy, program(clip, folder / "a.mp4", *model, "--release", policy))
        for policy in ("on_pressure", "every_frame")
    )
    compare(on_pressure, every_frame, pairs)


def more_memory(clip: Path, folder: Path, model: list[str], pairs: int) -> None:
    for base in ("700MiB", "1GiB"):
        planned = Variant(base, program(clip, folder / "a.mp4", *model, "--max-memory", base))
        for tile, batch in (("off", "1"), ("off", "2"), ("off", "4")):
            forced = program(clip, folder / "a.mp4", *model, "--max-memory", "8GiB", "--tile", tile, "--batch", batch)
            compare(planned, Variant(f"8 GiB, whole frames, {batch} in flight", forced), pairs)


COMPARISONS: dict[str, Callable[[Path, Path, list[str], int], None]] = {
    "release": release_policies,
    "memory": more_memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", choices=COMPARISONS)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--model", default="realesr-animevideov3")
    parser.add_argument("--scale", default="2")
    parser.add_argument("--pairs", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millstream-variants-") as folder:
        clip = Path(folder) / "clip.mp4"
        source = f"testsrc2=size={chosen.size}:rate=24:duration={chosen.frames / 24}"
        making = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p"]
        subprocess.run([*making, "-frames:v", str(chosen.frames), str(clip)], check=True)
        model = ["--model", chosen.model, "--scale", chosen.scale]
        COMPARISONS[chosen.comparison](clip, Path(folder), model, chosen.pairs)


if __name__ == "__main__":
    main()
