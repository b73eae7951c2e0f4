"""Reuse against the network on every frame: share of the picture computed, CPU time, likeness.

The default network x2, without lock and colour fix, through the program's own rooms (reuse_frames): frames of real
clips, decoded, cropped to whole blocks, not encoded again. CPU time is that of all threads.
MILLSTREAM_CLIPS names the folder with the clips."""

from __future__ import annotations

import json
import math
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("MILLSTREAM_BIN", ROOT / "build/release/millstream")).parent
CLIPS = Path(os.environ.get("MILLSTREAM_CLIPS", ROOT.parent / "shared/clips"))
MODEL, SCALE = "realesr-animevideov3", 2
FRAMES = 120


@dataclass
class Clip:
    """A part of a clip, and what is asked of it."""

    name: str
    width: int
    height: int
    start_s: int
    share: float | None  # computed with safe, at most
    ratio: float  # time with safe against off, at most
    psnr: float | None  # dB of safe to off, at least
    fast_share: float | None
    fast_psnr: float | None = None


TABLE = (
    Clip("onepiece_demo.mp4", 640, 480, 1, 0.08, 0.20, 46, 0.06),
    Clip("bottle-detection.mp4", 640, 352, 5, 0.22, 0.35, 47, 0.12),
    Clip("chaplin.mp4", 640, 352, 2, 0.50, 0.62, 48, 0.38),
    Clip("sowt-with-video.mov", 1920, 1072, 0, 0.45, 0.60, 50, 0.30),
    Clip("bbb_480p_30s.mp4", 848, 480, 8, None, 1.02, None, 0.65, 45),
    Clip("cockatoo.mp4", 1280, 720, 3, None, 1.02, None, 0.65, 45),
)
WORST = {"safe": 42.0, "fast": 38.0}  # dB, any frame

Row = tuple[str, float | None, str, str, bool | None, str]


def pictures(clip: Clip, frames: int) -> bytes:
    source = str(CLIPS / clip.name)
    command = ["ffmpeg", "-v", "error", "-ss", str(clip.start_s), "-i", source, "-frames:v", str(frames)]
    crop = ["-vf", f"crop={clip.width}:{clip.height}:0:0", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return subprocess.run([*command, *crop], capture_output=True, check=True).stdout


def mean_psnr(levels: list[float]) -> float:
    """Of the mean squared error of all frames."""
    return -10 * math.log10(sum(10 ** (-level / 10) for level in levels) / len(levels))


def measured(clip: Clip, frames: int) -> dict[str, dict[str, float]]:
    command = [str(BUILD / "reuse_frames"), MODEL, str(SCALE), str(clip.width), str(clip.height), "safe", "fast"]
    done = subprocess.run(command, input=pictures(clip, frames), capture_output=True, check=True).stdout
    result = json.loads(done)
    figures = {}
    for preset in ("safe", "fast"):
        of = result[preset]
        figures[preset] = {
            "share": of["share"],
            "ratio": of["cpu_s"] / result["off_cpu_s"],
            "psnr": mean_psnr(of["psnr"]),
            "worst": min(of["psnr"]),
            "frames": result["frames"],
            "whole": of["whole_frames"],
        }
    return figures


def rows_of(clip: Clip, preset: str, found: dict[str, float]) -> list[Row]:
    note = (
        f"{found['frames']:.0f} frames, {found['whole']:.0f} of them whole; share {found['share']:.2f}, "
        f"CPU time {found['ratio']:.2f}, {found['psnr']:.1f} dB, worst frame {found['worst']:.1f} dB"
    )
    safe = preset == "safe"
    asked: list[tuple[str, str, str, float | None]] = [
        ("share", "share computed", "", clip.share if safe else clip.fast_share),
        ("ratio", "CPU time against off", "", clip.ratio if safe else None),
        ("psnr", "PSNR to off", "dB", clip.psnr if safe else clip.fast_psnr),
        ("worst", "PSNR to off, worst frame", "dB", WORST[preset]),
    ]
    rows: list[Row] = []
    for key, words, unit, limit in asked:
        if limit is not None:
            least = unit == "dB"
            met = found[key] >= limit if least else found[key] <= limit
            target = f"{'>=' if least else '<='} {limit:g}"
            rows.append((f"reuse {preset}, {Path(clip.name).stem}: {words}", found[key], unit, target, met, note))
    return rows


def figures(frames: int, names: list[str] | None = None) -> list[Row]:
    """What the targets ask for; `names`: parts of the names of the clips to measure."""
    rows: list[Row] = []
    for clip in TABLE:
        if (CLIPS / clip.name).exists() and (not names or any(name in clip.name for name in names)):
            found = measured(clip, frames)
            for preset in ("safe", "fast"):
                rows += rows_of(clip, preset, found[preset])
    return rows
