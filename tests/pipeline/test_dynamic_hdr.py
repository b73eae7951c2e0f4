"""Dolby Vision and HDR10+: what is said of the metadata that does not come along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run, ffmpeg
from hdr10_plus import with_hdr10_plus


def notes(run: Run, path: Path) -> str:
    done = run("inspect", path, "--json")
    assert done.returncode == 0, done.stderr
    return " ".join(json.loads(done.stdout)["notes"])


def make_hevc(path: Path) -> Path:
    picture = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=24:duration=0.25"]
    codec = ["-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p10le", "-tag:v", "hvc1"]
    ffmpeg(*picture, *codec, path)
    return path


def make_dolby_vision(path: Path, profile: int, compatibility: int) -> Path:
    """An HEVC file with the configuration box of Dolby Vision in its sample entry (Dolby's ISOBMFF specification)."""
    data = bytearray(make_hevc(path).read_bytes())
    rpu, enhancement, base = 1, 0, 1
    bits = profile << 9 | 1 << 3 | rpu << 2 | enhancement << 1 | base
    content = b"\x01\x00" + bits.to_bytes(2, "big") + bytes([compatibility << 4]) + bytes(19)
    box = (8 + len(content)).to_bytes(4, "big") + (b"dvcC" if profile <= 7 else b"dvvC") + content
    at = data.index(b"hvcC") - 4
    data[at:at] = box
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1"):
        start = data.rindex(parent, 0, at) - 4
        size = int.from_bytes(data[start : start + 4], "big") + len(box)
        data[start : start + 4] = size.to_bytes(4, "big")
    path.write_bytes(data)
    return path


def test_dolby_vision_over_an_ordinary_picture_keeps_that(run: Run, tmp_path: Path) -> None:
    said = notes(run, make_dolby_vision(tmp_path / "in.mp4", 8, 1))
    assert "the base layer is kept" in said
    assert "wrong" not in said


def test_dolby_vision_without_an_ordinary_picture_is_warned_about(run: Run, tmp_path: Path) -> None:
    said = notes(run, make_dolby_vision(tmp_path / "in.mp4", 5, 0))
    assert "the colours of the output will be wrong" in said
    assert "the base layer is kept" not in said


def test_a_real_dolby_vision_clip_keeps_its_base_layer(run: Run, clips: Path) -> None:
    clip = clips / "dolbyVision-hdr.MOV"
    if not clip.exists():
        pytest.skip(f"no {clip.name}")
    assert "the base layer is kept" in notes(run, clip)


def test_hdr10_plus_is_said_to_be_left_out(run: Run, tmp_path: Path) -> None:
    make_hevc(tmp_path / "plain.mp4")
    ffmpeg("-i", tmp_path / "plain.mp4", "-c", "copy", "-bsf:v", "hevc_mp4toannexb", tmp_path / "plain.hevc")
    (tmp_path / "plus.hevc").write_bytes(with_hdr10_plus((tmp_path / "plain.hevc").read_bytes()))
    assert "HDR10+'s dynamic metadata is left out" in notes(run, tmp_path / "plus.hevc")
    assert "HDR10+" not in notes(run, tmp_path / "plain.hevc")
