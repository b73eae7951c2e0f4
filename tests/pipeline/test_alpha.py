"""Transparency: scaled beside the colours where the encoder holds it, else dropped and said."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from conftest import QUICK, Run, ffmpeg, stream

WIDTH, HEIGHT, FRAMES = 96, 64, 6


@pytest.fixture
def transparent(tmp_path: Path) -> Path:
    """RGBA whose alpha rises from left to right and falls from frame to frame."""
    alpha = "geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='clip(255*X/W-8*N,0,255)'"
    source = f"testsrc2=size={WIDTH}x{HEIGHT}:rate=24,format=rgba,{alpha}"
    path = tmp_path / "in.mov"
    ffmpeg("-f", "lavfi", "-i", source, "-frames:v", str(FRAMES), "-c:v", "png", path)
    return path


def alpha_planes(path: Path, width: int, height: int, decoder: tuple[str, ...] = ()) -> npt.NDArray[np.float32]:
    """8-bit alpha of every frame. [frames,height,width]"""
    command = ["ffmpeg", "-v", "error", *decoder, "-i", str(path), "-vf", "format=rgba,alphaextract"]
    raw = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "gray", "-"], check=True, capture_output=True).stdout
    planes: npt.NDArray[np.float32] = np.frombuffer(raw, np.uint8).reshape(-1, height, width).astype(np.float32)
    return planes


@pytest.mark.parametrize(
    ("encoder", "name", "decoder", "tolerance"),
    [
        ("ffv1", "out.mkv", (), 1.0),
        ("prores_ks", "out.mov", (), 2.0),
        ("qtrle", "out.mov", (), 1.0),
        ("libvpx-vp9", "out.webm", ("-c:v", "libvpx-vp9"), 4.0),
    ],
)
def test_encoders_that_hold_alpha_get_it(
    run: Run, tmp_path: Path, transparent: Path, encoder: str, name: str, decoder: tuple[str, ...], tolerance: float
) -> None:
    done = run("enhance", transparent, "-o", name, "--encoder", encoder, "--model", "identity", "--scale", "2")
    assert done.returncode == 0, done.stderr
    source = alpha_planes(transparent, WIDTH, HEIGHT)
    result = alpha_planes(tmp_path / name, 2 * WIDTH, 2 * HEIGHT, decoder)
    assert len(result) == FRAMES
    halves = result.reshape(FRAMES, HEIGHT, 2, WIDTH, 2).mean(axis=(2, 4))
    inner = (slice(None), slice(2, -2), slice(4, -4))
    assert np.abs(halves - source)[inner].mean() <= tolerance


def test_what_cannot_hold_alpha_says_so_before_the_start(run: Run, transparent: Path) -> None:
    plan = json.loads(run("inspect", transparent, "-o", "out.mp4", "--json").stdout)
    assert any("alpha plane is dropped: libx264 cannot hold it" in note for note in plan["notes"])


def test_required_alpha_is_refused_where_it_would_be_lost(run: Run, tmp_path: Path, transparent: Path) -> None:
    done = run("enhance", transparent, "-o", "out.mp4", "--alpha", "require", *QUICK)
    assert done.returncode == 2
    assert "cannot hold an alpha plane" in done.stderr
    assert not list(tmp_path.glob("out*"))


def test_alpha_beside_vp9_in_webm_is_read(run: Run, tmp_path: Path, transparent: Path) -> None:
    vpx = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "10", "-b:v", "0"]
    ffmpeg("-i", transparent, *vpx, "-pix_fmt", "yuva420p", tmp_path / "in.webm")
    done = run("enhance", "in.webm", "-o", "out.mkv", "--encoder", "ffv1", "--model", "identity", "--scale", "1")
    assert done.returncode == 0, done.stderr
    source = alpha_planes(tmp_path / "in.webm", WIDTH, HEIGHT, ("-c:v", "libvpx-vp9"))
    result = alpha_planes(tmp_path / "out.mkv", WIDTH, HEIGHT)
    assert len(result) == FRAMES
    assert source.std() > 50
    assert np.abs(result - source).max() <= 1
    plain = run("enhance", "in.webm", "-o", "out.mp4", *QUICK)
    assert "alpha plane is dropped" in plain.stdout + plain.stderr


def test_vp9_in_mp4_does_not_promise_alpha(run: Run, transparent: Path) -> None:
    plan = json.loads(run("inspect", transparent, "-o", "out.mp4", "--encoder", "libvpx-vp9", "--json").stdout)
    assert any("alpha plane is dropped: libvpx-vp9 in .mp4 cannot hold it" in note for note in plan["notes"])
    asked = run("inspect", transparent, "-o", "out.mp4", "--encoder", "libvpx-vp9", "--pix-fmt", "yuva420p")
    assert asked.returncode == 2
    assert ".mp4 cannot hold the alpha plane of libvpx-vp9" in asked.stderr


def test_alpha_can_be_dropped_on_purpose(run: Run, tmp_path: Path, transparent: Path) -> None:
    arguments = ["--encoder", "ffv1", "--alpha", "drop", "--model", "identity", "--scale", "1"]
    done = run("enhance", transparent, "-o", "out.mkv", *arguments)
    assert done.returncode == 0, done.stderr
    assert stream(tmp_path / "out.mkv", "video")["pix_fmt"] in ("gbrp", "bgr0", "0rgb", "yuv444p")


def test_rgb_stays_rgb_for_codecs_that_lose_nothing(run: Run, tmp_path: Path, transparent: Path) -> None:
    done = run("enhance", transparent, "-o", "out.mkv", "--encoder", "ffv1", "--model", "identity", "--scale", "1")
    assert done.returncode == 0, done.stderr
    assert stream(tmp_path / "out.mkv", "video")["pix_fmt"] in ("bgra", "gbrap", "rgba")
