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
from typing import Any

from ours import BINARY, ROOT
from performance_records import Likeness, Plan

BUILD = BINARY.parent
CLIPS = Path(os.environ.get("MILLSTREAM_CLIPS", ROOT.parent / "shared/clips"))
MODEL, SCALE = "realesr-animevideov3", 2
FRAMES = 120
PRESETS = ("safe", "fast")


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
    frames: int = FRAMES  # that this is asked of
    peer_ratio: float = 0.5  # whole job's time with safe against the best peer's, at most


TABLE = (
    Clip("onepiece_demo.mp4", 640, 480, 1, 0.08, 0.20, 46, 0.06),
    Clip("bottle-detection.mp4", 640, 352, 5, 0.22, 0.35, 47, 0.12),
    Clip("chaplin.mp4", 640, 352, 2, 0.50, 0.62, 48, 0.38),
    Clip("sowt-with-video.mov", 1920, 1072, 0, 0.45, 0.60, 50, 0.30, frames=60),
    Clip("bbb_480p_30s.mp4", 848, 480, 8, None, 1.02, None, 0.65, 45, 96, 1.0),
    Clip("cockatoo.mp4", 1280, 720, 3, None, 1.02, None, 0.65, 45, peer_ratio=1.0),
)
WORST = {"safe": 42.0, "fast": 38.0}  # dB, any frame
LOSS = {"safe": 0.05, "fast": 0.15}  # dB against the true picture, at most

Row = tuple[str, float | None, str, str, bool | None, str]


def path_of(clip: Clip) -> Path:
    return CLIPS / clip.name


def pictures(clip: Clip, frames: int, width: int = 0, height: int = 0) -> bytes:
    """RGB, 8 bits, cropped to the clip's size here, or to the one given."""
    command = ["ffmpeg", "-v", "error", "-ss", str(clip.start_s), "-i", str(path_of(clip)), "-frames:v", str(frames)]
    size = f"crop={width or clip.width}:{height or clip.height}:0:0"
    crop = ["-vf", size, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return subprocess.run([*command, *crop], capture_output=True, check=True).stdout


def planned(clip: Clip) -> list[Plan]:
    """What each preset would compute."""
    command = [str(BUILD / "reuse_shares"), MODEL, str(SCALE), str(clip.width), str(clip.height), *PRESETS]
    done = subprocess.run(command, input=pictures(clip, clip.frames), capture_output=True, check=True).stdout
    found: dict[str, Any] = json.loads(done)
    name = Path(clip.name).stem
    return [Plan(name, clip.width, clip.height, preset, **found[preset]) for preset in PRESETS]


def through_network(frames: bytes, width: int, height: int, into: Path | None = None) -> dict[str, Any]:
    """What reuse_frames says of the presets; `into`: a folder for the pictures."""
    command = [str(BUILD / "reuse_frames"), MODEL, str(SCALE), str(width), str(height), *PRESETS]
    command += [f"into={into}"] if into else []
    done = subprocess.run(command, input=frames, capture_output=True, check=True).stdout
    result: dict[str, Any] = json.loads(done)
    return result


def mean_psnr(levels: list[float]) -> float:
    """Of the mean squared error of all frames."""
    return -10 * math.log10(sum(10 ** (-level / 10) for level in levels) / len(levels))


def measured(clip: Clip, frames: int) -> tuple[list[Likeness], dict[str, str]]:
    """Of each preset, and in words how many frames were computed as a whole."""
    result = through_network(pictures(clip, frames), clip.width, clip.height)
    count = int(result["frames"])
    rows, words = [], {}
    for preset in PRESETS:
        of = result[preset]
        ratio, psnr, worst = of["cpu_s"] / result["off_cpu_s"], mean_psnr(of["psnr"]), min(of["psnr"])
        size = (clip.width, clip.height, count)
        rows.append(Likeness(Path(clip.name).stem, *size, preset, of["share"], ratio, psnr, worst))
        words[preset] = f"{count} frames, {of['whole_frames']} of them whole"
    return rows, words


def rows_of(clip: Clip, found: Likeness, words: str) -> list[Row]:
    note = (
        f"{words}; share {found.share:.2f}, "
        f"CPU time {found.cpu_ratio:.2f}, {found.psnr:.1f} dB, worst frame {found.worst:.1f} dB"
    )
    safe = found.preset == "safe"
    asked: list[tuple[float, str, str, float | None]] = [
        (found.share, "share computed", "", clip.share if safe else clip.fast_share),
        (found.cpu_ratio, "CPU time against off", "", clip.ratio if safe else None),
        (found.psnr, "PSNR to off", "dB", clip.psnr if safe else clip.fast_psnr),
        (found.worst, "PSNR to off, worst frame", "dB", WORST[found.preset]),
    ]
    rows: list[Row] = []
    for value, name, unit, limit in asked:
        if limit is not None:
            least = unit == "dB"
            met = value >= limit if least else value <= limit
            target = f"{'>=' if least else '<='} {limit:g}"
            rows.append((f"reuse {found.preset}, {found.name}: {name}", value, unit, target, met, note))
    return rows


def chosen(names: list[str] | None) -> list[Clip]:
    """Clips of the table that are there; `names`: parts of the names of those wanted."""
    return [clip for clip in TABLE if path_of(clip).exists() and (not names or any(n in clip.name for n in names))]


def figures(frames: int, names: list[str] | None = None) -> list[Row]:
    """What the targets ask for; `names`: parts of the names of the clips to measure."""
    rows: list[Row] = []
    for clip in chosen(names):
        found, words = measured(clip, frames)
        for likeness in found:
            rows += rows_of(clip, likeness, words[likeness.preset])
    return rows
