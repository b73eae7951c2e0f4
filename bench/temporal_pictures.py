"""Draws the pictures of docs/temporal.md from material generated here: python bench/temporal_pictures.py."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from temporal_clips import SLOW, Scene, generated, halved, read
from temporal_metrics import Frame

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("MILLSTREAM_BIN", ROOT / "build/release/millstream"))
PICTURES = ROOT / "docs/pictures"
FRAMES, SHOWN, ROW = 24, 12, 90
LOSSLESS = ["--model", "identity", "--scale", "1", "--crf", "0", "--preset", "ultrafast", "--progress", "none", "-q"]


def noisy_video(path: Path) -> None:
    """A camera gliding over a picture, a sprite before it, and noise of 5 codes."""
    scene = Scene(SLOW, FRAMES, 360, 640, generated())
    random = np.random.default_rng(7)
    small = halved([scene.draw(t) for t in range(FRAMES)])
    frames = [(f + random.normal(0, 5, f.shape)).round().clip(0, 255).astype(np.uint8) for f in small]
    height, width = frames[0].shape[:2]
    coded = f"-f rawvideo -pix_fmt rgb24 -s {width}x{height} -r 25 -i - -c:v ffv1 -pix_fmt yuv444p"
    command = ["ffmpeg", "-v", "error", "-y", *coded.split(), str(path)]
    subprocess.run(command, check=True, input=b"".join(frame.tobytes() for frame in frames))


def enhanced(source: Path, *options: str) -> list[Frame]:
    output = source.with_name("out.mkv")
    subprocess.run([BINARY, "enhance", source, "-o", output, "-y", *LOSSLESS, *options], check=True)
    return read(output, FRAMES)


def slices(video: list[Frame]) -> Frame:
    """One row of the picture over time, downwards: what is steady draws smooth lines, flicker draws dust."""
    rows = np.stack([frame[ROW] for frame in video])
    return np.asarray(np.repeat(np.repeat(rows, 4, 0), 2, 1), np.uint8)


def save(name: str, picture: Frame) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / name
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB")


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="millstream-pictures-") as folder:
        source = Path(folder) / "in.mkv"
        noisy_video(source)
        pair = [slices(enhanced(source, "--temporal", preset)) for preset in ("off", "medium")]
        save("temporal-slices.jpg", np.concatenate([pair[0], np.full_like(pair[0][:8], 255), pair[1]]))
        views = [enhanced(source, "--debug-view", view)[SHOWN] for view in ("flow", "confidence", "split")]
        save("temporal-views.jpg", np.asarray(np.concatenate(views, axis=1), np.uint8))
    return 0


if __name__ == "__main__":
    sys.exit(main())
