"""What size comes out, and which part of the picture goes in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import QUICK, Run, ffmpeg, stream


def make_letterboxed(path: Path, *, pixels: str = "yuv420p") -> Path:
    """320x240 with bars of 36 lines above and 28 below, and a black first half second."""
    shape = "scale=320:176,fade=in:0:12,pad=320:240:0:36:black"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=640x352:rate=24:duration=2", "-vf", shape, "-pix_fmt", pixels, path)
    return path


def output(run: Run, tmp_path: Path, *arguments: str | Path) -> dict[str, object]:
    done = run("enhance", *arguments, "-o", "out.mkv", "-y", *QUICK)
    assert done.returncode == 0, done.stderr
    video = stream(tmp_path / "out.mkv", "video")
    return {key: video.get(key) for key in ("width", "height", "sample_aspect_ratio", "display_aspect_ratio")}


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv420p10le"])
def test_black_bars_are_found_and_cropped(run: Run, tmp_path: Path, pixels: str) -> None:
    clip = make_letterboxed(tmp_path / "in.mkv", pixels=pixels)
    shape = output(run, tmp_path, clip, "--crop", "auto")
    assert (shape["width"], shape["height"]) == (320, 176)
    plan = json.loads(run("inspect", clip, "--crop", "auto", "--json").stdout)
    assert "cropped to 320x176 at 0,36" in " ".join(plan["notes"])


def test_a_picture_without_bars_stays_whole_and_says_so(run: Run, tmp_path: Path, video: Path) -> None:
    shape = output(run, tmp_path, video, "--crop", "auto")
    assert (shape["width"], shape["height"]) == (160, 90)
    plan = json.loads(run("inspect", video, "--crop", "auto", "--json").stdout)
    assert "no black bars" in " ".join(plan["notes"])


def test_a_part_of_the_picture_is_the_same_pixels(run: Run, tmp_path: Path, video: Path) -> None:
    """Cropping by us and by ffmpeg's filter give the same frames through an identity network."""
    done = run("enhance", video, "-o", "out.mkv", "--crop", "66:48:31:17", *QUICK, "--crf", "0")
    assert done.returncode == 0, done.stderr
    reference = tmp_path / "reference.mkv"
    # On whole chroma samples: 31:17 begins at 30:16.
    ffmpeg("-i", video, "-vf", "crop=66:48:30:16", "-c:v", "libx264", "-crf", "0", "-an", reference)
    compared = tmp_path / "psnr.log"
    ffmpeg("-i", tmp_path / "out.mkv", "-i", reference, "-lavfi", f"psnr=stats_file={compared}", "-f", "null", "-")
    worst = min(float(line.split("psnr_avg:")[1].split()[0]) for line in compared.read_text().splitlines())
    assert worst > 45


@pytest.mark.parametrize("crop", ["8:8:0:0", "160:90:2:0", "500:500:0:0"])
def test_a_part_outside_the_picture_is_refused(run: Run, tmp_path: Path, video: Path, crop: str) -> None:
    done = run("enhance", video, "-o", "out.mkv", "--crop", crop)
    assert done.returncode == 2
    assert "160x90" in done.stderr
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("limit", "expected"), [("1000x1000", (1000, 562)), ("640x200", (356, 200)), ("101x101", (100, 56))]
)
def test_fit_keeps_the_shape(run: Run, tmp_path: Path, video: Path, limit: str, expected: tuple[int, int]) -> None:
    shape = output(run, tmp_path, video, "--fit", limit)
    assert (shape["width"], shape["height"]) == expected


def test_fit_makes_square_pixels_of_wide_ones(run: Run, tmp_path: Path) -> None:
    clip = tmp_path / "in.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=180x144:rate=24:duration=0.5", "-vf", "setsar=64/45", clip)
    shape = output(run, tmp_path, clip, "--fit", "512x288")
    assert (shape["width"], shape["height"]) == (512, 288)
    assert shape["sample_aspect_ratio"] in (None, "1:1")


def test_a_part_cannot_be_verified_against_the_whole(run: Run, tmp_path: Path, video: Path) -> None:
    done = run("enhance", video, "-o", "out.mkv", "--crop", "64:48:0:0", "--verify", *QUICK)
    assert done.returncode == 2
    assert "cannot be compared" in done.stderr
    assert not list(tmp_path.glob("out*"))


def test_fit_and_size_contradict_each_other(run: Run, video: Path) -> None:
    done = run("enhance", video, "-o", "out.mkv", "--fit", "640x640", "--size", "320x180")
    assert done.returncode == 2
    assert "--size already says" in done.stderr


@pytest.mark.parametrize(("size", "expected"), [("161x91", (162, 92)), ("97x55", (98, 56))])
def test_odd_outputs_become_even_where_chroma_is_subsampled(
    run: Run, tmp_path: Path, video: Path, size: str, expected: tuple[int, int]
) -> None:
    shape = output(run, tmp_path, video, "--size", size)
    assert (shape["width"], shape["height"]) == expected


def test_an_odd_source_is_enlarged_exactly(run: Run, tmp_path: Path) -> None:
    clip = tmp_path / "odd.mkv"
    source = ["-f", "lavfi", "-i", "testsrc2=size=161x91:rate=24:duration=0.3"]
    ffmpeg(*source, "-pix_fmt", "yuv444p", "-c:v", "libx264", clip)
    shape = output(run, tmp_path, clip, "--size", "323x183")
    assert (shape["width"], shape["height"]) == (323, 183)


def matrix_at(data: bytes | bytearray) -> int:
    """Where the display matrix of the first track is (ISO/IEC 14496-12, TrackHeaderBox of version 0)."""
    return data.index(b"tkhd") + 4 + 40


def test_the_translation_of_a_turned_picture_grows_with_it(run: Run, tmp_path: Path, video: Path) -> None:
    turned = tmp_path / "turned.mp4"
    ffmpeg("-i", video, "-c", "copy", "-metadata:s:v:0", "rotate=90", turned)
    data = bytearray(turned.read_bytes())
    at = matrix_at(data) + 24  # a b u c d v x y w
    data[at : at + 8] = (90 << 16).to_bytes(4, "big") + (16 << 16).to_bytes(4, "big")
    turned.write_bytes(data)
    done = run("enhance", turned, "-o", "out.mp4", *QUICK, "--size", "640x180", "--verify")
    assert done.returncode == 0, done.stdout
    result = (tmp_path / "out.mp4").read_bytes()
    at = matrix_at(result) + 24
    # Across is what was down: 90 lines have become 180; down is what was across: 160 pixels have become 640.
    assert [int.from_bytes(result[i : i + 4], "big") / 65536 for i in (at, at + 4)] == [180, 64]
