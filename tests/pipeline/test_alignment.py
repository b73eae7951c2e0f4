"""A network that makes its pictures smaller first: sizes that it cannot take, and tiles that it can."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from conftest import Run, ffmpeg, make_video


def make_network(folder: Path) -> Path:
    """Half the size, four times the channels, and back: 2x2 pixels are mixed at a time."""
    layers = [
        "Input input 0 1 data",
        "Convolution down 1 1 data wide 0=12 1=2 3=2 5=1 6=144",
        "PixelShuffle up 1 1 wide output 0=2",
    ]
    (folder / "half.param").write_text("7767517\n3 3\n" + "\n".join(layers) + "\n")
    weights = [0.2 + (i * 7 % 11) * 0.01 if i % 5 == 0 else 0.0 for i in range(144)]
    (folder / "half.bin").write_bytes(bytes(4) + struct.pack("<156f", *weights, *[0.01] * 12))
    return folder / "half.param"


def enhance(run: Run, source: Path, network: Path, output: str, *options: str) -> subprocess.CompletedProcess[str]:
    quick = ["--scale", "1", "--temporal", "off", "--reuse", "off", "--color-fix", "off", "--progress", "none"]
    lossless = ["--encoder", "ffv1", "--pix-fmt", "yuv420p"]
    return run("enhance", source, "-o", output, "--model", network, *quick, *lossless, *options)


def test_sides_that_are_no_multiple_are_refused_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=2)
    odd = tmp_path / "odd.mkv"
    ffmpeg("-i", source, "-vf", "format=yuv444p,crop=159:89:0:0:exact=1", odd)
    done = enhance(run, odd, make_network(tmp_path), "out.mkv")
    assert done.returncode == 5, done.stderr
    assert "multiples of 2, and these are 159x89" in done.stderr
    assert not (tmp_path / "out.mkv").exists()


def test_tiles_begin_where_the_network_can_and_give_the_whole_picture(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", size="158x90", frames=3, sound=False)
    network = make_network(tmp_path)
    frames = []
    for name, tile in (("whole.mkv", "off"), ("tiles.mkv", "35")):
        done = enhance(run, source, network, name, "--tile", tile)
        assert done.returncode == 0, done.stderr
        hashes = ["ffmpeg", "-v", "error", "-i", str(tmp_path / name), "-f", "framemd5", "-"]
        frames.append(subprocess.run(hashes, check=True, capture_output=True, timeout=60).stdout)
    assert frames[0] == frames[1]
