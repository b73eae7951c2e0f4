"""Interlaced video becomes whole pictures; what was decided is said; times and counts are kept."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import QUICK, Run, ffmpeg, probe, stream
from test_jobs import frame_times


def make_interlaced(path: Path, *, first: str = "tff", flagged: bool = True, frames: int = 30) -> Path:
    """A picture that moves a few pixels a field, 25 frames of two fields a second."""
    source = f"testsrc2=size=192x144:rate=50:duration={frames / 25}"
    scroll = "scroll=horizontal=0.02"
    weave = f"{scroll},interlace=scan={first}:lowpass=off"
    flags = ["-flags", "+ilme+ildct", "-x264-params", f"{first}=1"] if flagged else []
    weave += "" if flagged else ",setfield=prog"
    ffmpeg("-f", "lavfi", "-i", source, "-vf", weave, "-c:v", "libx264", "-crf", "10", *flags, path)
    return path


def combing(path: Path) -> float:
    """How much more neighbouring lines differ than lines two apart, in code values of luma; mean over all frames."""
    # Not through OpenCV: its converter refuses frames that are flagged interlaced and gives back what the buffer held.
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", "extractplanes=y", "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    video = stream(path, "video")
    y = np.frombuffer(raw, np.uint8).reshape(-1, int(video["height"]), int(video["width"])).astype(np.float32)
    next_line = np.abs(y[:, 1:-1] - (y[:, :-2] + y[:, 2:]) / 2).mean()
    return float(next_line - np.abs(y[:, :-2] - y[:, 2:]).mean() / 2)


def notes(run: Run, *arguments: str | Path) -> str:
    done = run("inspect", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return " ".join(json.loads(done.stdout)["notes"])


@pytest.mark.parametrize("first", ["tff", "bff"])
def test_interlaced_frames_become_pictures_at_their_own_times(run: Run, tmp_path: Path, first: str) -> None:
    clip = make_interlaced(tmp_path / "in.mkv", first=first)
    order = "top" if first == "tff" else "bottom"
    assert f"{order} field first): a picture is made of every frame" in notes(run, clip)
    done = run("enhance", clip, "-o", "out.mkv", *QUICK)
    assert done.returncode == 0, done.stderr
    assert frame_times(tmp_path / "out.mkv") == frame_times(clip)
    assert combing(tmp_path / "out.mkv") < combing(clip) / 3
    assert stream(tmp_path / "out.mkv", "video").get("field_order", "progressive") == "progressive"


def test_content_that_is_combed_without_a_flag_is_found(run: Run, tmp_path: Path) -> None:
    clip = make_interlaced(tmp_path / "in.mkv", flagged=False)
    assert "flagged so in 0 of" in notes(run, clip)
    assert "a picture is made of every frame" in notes(run, clip)


def test_field_rate_doubles_the_pictures(run: Run, tmp_path: Path) -> None:
    clip = make_interlaced(tmp_path / "in.mp4")
    done = run("enhance", clip, "-o", "out.mp4", "--deinterlace", "field", *QUICK)
    assert done.returncode == 0, done.stderr
    video = stream(tmp_path / "out.mp4", "video")
    assert int(video["nb_read_frames"]) == 60
    steps = np.diff(frame_times(tmp_path / "out.mp4"))
    assert steps == pytest.approx(np.full(59, 0.02), abs=1e-4)
    assert float(probe(tmp_path / "out.mp4")["format"]["duration"]) == pytest.approx(1.2, abs=0.03)


def test_off_leaves_the_fields_and_says_so(run: Run, tmp_path: Path) -> None:
    clip = make_interlaced(tmp_path / "in.mkv")
    assert "is left so" in notes(run, clip, "--deinterlace", "off")
    done = run("enhance", clip, "-o", "out.mkv", "--deinterlace", "off", *QUICK)
    assert done.returncode == 0, done.stderr
    assert combing(clip) > 0
    assert combing(tmp_path / "out.mkv") > combing(clip) / 2


def test_progressive_video_is_not_touched(run: Run, video: Path) -> None:
    assert "nterlac" not in notes(run, video)
    assert "Deinterlacing was asked for" in notes(run, video, "--deinterlace", "on")
