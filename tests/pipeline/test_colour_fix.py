"""Networks shift colours; `--color-fix lowpass` gives the source's back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from conftest import Run, ffmpeg

Picture = npt.NDArray[np.float32]
BLOCK = 32  # source pixels

# A network for each family: compact, SPAN, and the two large ones on a smaller piece.
NETWORKS = [
    ("realesr-animevideov3", 2, 384),
    ("span-hfa2k", 2, 384),
    ("clearreality", 4, 256),
    ("realesrgan-x4plus-anime", 4, 96),
]


def first_frame(path: Path) -> Picture:
    capture = cv2.VideoCapture(str(path))
    read, frame = capture.read()
    assert read, path
    picture: Picture = frame.astype(np.float32)
    return picture


def block_shifts(source: Picture, enhanced: Picture) -> Picture:
    """Differences between the mean colours of corresponding blocks, in code values. [rows,columns,3]"""
    height, width = (side // BLOCK * BLOCK for side in source.shape[:2])
    down = cv2.resize(enhanced, (source.shape[1], source.shape[0]), interpolation=cv2.INTER_AREA)
    difference = (down - source)[:height, :width]
    means: Picture = difference.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).mean(axis=(1, 3))
    shifts: Picture = np.abs(means)
    return shifts


def gradient_energy(picture: Picture) -> float:
    return float((np.diff(picture, axis=0) ** 2).mean() + (np.diff(picture, axis=1) ** 2).mean())


def enhance(run: Run, clip: Path, out: Path, model: str, scale: int, fix: str) -> Picture:
    """The first frame, without the encoder's losses."""
    done = run("enhance", clip, "-o", out, "--model", model, "--scale", str(scale), "--color-fix", fix, "--crf", "0")
    assert done.returncode == 0, done.stderr
    return first_frame(out)


@pytest.mark.parametrize(("model", "scale", "side"), NETWORKS)
@pytest.mark.parametrize("name", ["onepiece_demo.mp4", "cockatoo.mp4"])
def test_real_footage_keeps_its_colours_and_the_detail_of_the_network(
    run: Run, clips: Path, tmp_path: Path, name: str, model: str, scale: int, side: int
) -> None:
    clip = tmp_path / "clip.mkv"
    crop = ["-ss", "1", "-i", str(clips / name), "-frames:v", "1", "-vf", f"crop={side}:{side * 3 // 4 // 2 * 2}"]
    tags = ["-color_range", "tv", "-colorspace", "bt709", "-pix_fmt", "yuv444p"]
    ffmpeg(*crop, *tags, "-c:v", "libx264", "-crf", "0", clip)
    source = first_frame(clip)
    plain = enhance(run, clip, tmp_path / "plain.mkv", model, scale, "off")
    fixed = enhance(run, clip, tmp_path / "fixed.mkv", model, scale, "lowpass")

    assert block_shifts(source, fixed).mean() <= 0.25
    assert block_shifts(source, fixed).mean() < block_shifts(source, plain).mean() / 2
    assert np.percentile(block_shifts(source, fixed), 95) <= 0.5
    # The encoder's 8 bits are dithered, by more where a value lies between two codes: up to half a code squared.
    assert gradient_energy(fixed) == pytest.approx(gradient_energy(plain), rel=0.02, abs=0.5)
