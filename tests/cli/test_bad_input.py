"""What bad input gets: one paragraph, the documented exit code, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import QUICK, Run, ffmpeg, files_in, make_video, stream


def text_called_mp4(folder: Path) -> str:
    (folder / "in.mp4").write_text("this is no video\n" * 100)
    return "in.mp4"


def zero_bytes(folder: Path) -> str:
    (folder / "in.mp4").touch()
    return "in.mp4"


def directory(folder: Path) -> str:
    (folder / "in.mp4").mkdir()
    return "in.mp4"


def missing(folder: Path) -> str:
    return "in.mp4"


def audio_only(folder: Path) -> str:
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", folder / "in.mp4")
    return "in.mp4"


def cover_art_only(folder: Path) -> str:
    sound, art = folder / "sound.mp3", folder / "art.png"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", sound)
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x64", "-frames:v", "1", art)
    ffmpeg(
        "-i",
        sound,
        "-i",
        art,
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-disposition:v",
        "attached_pic",
        folder / "in.mp3",
    )
    return "in.mp3"


def script_called_mp4(folder: Path) -> str:
    make_video(folder / "other.mp4", frames=2)
    (folder / "in.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    return "in.mp4"


def without_its_index(folder: Path) -> str:
    whole = make_video(folder / "whole.mp4")
    (folder / "in.mp4").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    return "in.mp4"


@pytest.mark.parametrize(
    "make",
    [
        missing,
        directory,
        zero_bytes,
        text_called_mp4,
        audio_only,
        cover_art_only,
        script_called_mp4,
        without_its_index,
    ],
)
def test_unusable_input_is_exit_code_3(make: Callable[[Path], str], run: Run, tmp_path: Path) -> None:
    name = make(tmp_path)
    before = files_in(tmp_path)
    done = run("enhance", name, "-o", "out.mp4", *QUICK)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("millstream: ")
    assert done.stderr.count("\n") == 1, "one paragraph"
    assert name in done.stderr
    assert done.stdout == ""
    assert files_in(tmp_path) == before
    assert run("inspect", name).returncode == 3


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["-o", "clip.mp4"], 2, "clip.mp4"),
        (["-o", "./clip.mp4", "-y"], 2, "clip.mp4"),
        (["-o", "link.mp4", "-y"], 2, "link.mp4"),
        (["-o", "existing.mp4"], 2, "-y"),
        (["-o", "out.xyz"], 2, ".mkv"),
        (["-o", "out.webm", "--codec", "h264"], 2, "webm"),
        (["-o", "out.mp4", "--encoder", "libnothing"], 2, "libnothing"),
        (["-o", "no/such/folder/out.mp4"], 4, "no/such/folder"),
        (["-o", "out.mp4", "--model", "no-such-network"], 5, "no-such-network"),
        (["-o", "out.mp4", "--disk-limit", "1KiB"], 4, "1 KiB"),
        (["-o", "out.mp4", "--max-memory", "1MiB"], 4, "1 MiB"),
        (["-o", "out.mp4", "--video", "7"], 3, "7"),
    ],
)
def test_wrong_wishes_are_refused_before_anything_is_written(
    arguments: list[str], code: int, says: str, run: Run, video: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(video.read_bytes())
    (tmp_path / "link.mp4").symlink_to("clip.mp4")
    (tmp_path / "existing.mp4").write_text("precious")
    before = files_in(tmp_path)
    done = run("enhance", "clip.mp4", "--model", "identity", "--scale", "1", "--progress", "none", *arguments)
    if "--model" in arguments:
        done = run("enhance", "clip.mp4", "--progress", "none", *arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert files_in(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(run: Run, video: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    assert run("enhance", video, "-o", locked / "out.mp4", *QUICK).returncode == 4


def test_an_existing_output_is_replaced_when_asked(run: Run, video: Path, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("old")
    done = run("enhance", video, "-o", "out.mp4", "-y", *QUICK)
    assert done.returncode == 0, done.stderr
    assert int(stream(tmp_path / "out.mp4", "video")["nb_read_frames"]) == 24


def test_a_failed_job_leaves_the_existing_output_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_text("old")
    assert run("enhance", text_called_mp4(tmp_path), "-o", "out.mp4", "-y", *QUICK).returncode == 3
    assert (tmp_path / "out.mp4").read_text() == "old"


def test_one_frame_is_a_video(run: Run, tmp_path: Path) -> None:
    make_video(tmp_path / "in.mp4", frames=1)
    done = run("enhance", "in.mp4", "-o", "out.mp4", *QUICK)
    assert done.returncode == 0, done.stderr
    assert int(stream(tmp_path / "out.mp4", "video")["nb_read_frames"]) == 1


def test_a_cut_file_gives_what_can_be_decoded_and_a_warning(run: Run, tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.mkv", frames=48)
    (tmp_path / "in.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    done = run("enhance", "in.mkv", "-o", "out.mkv", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "the input ends in the middle: it is truncated or damaged" in (done.stdout + done.stderr)
    assert 0 < int(stream(tmp_path / "out.mkv", "video")["nb_read_frames"]) < 48


def test_a_size_change_in_mid_stream_keeps_the_first_size_and_says_so(run: Run, tmp_path: Path) -> None:
    first = make_video(tmp_path / "first.ts", sound=False)
    second = make_video(tmp_path / "second.ts", size="96x96", sound=False)
    (tmp_path / "in.ts").write_bytes(first.read_bytes() + second.read_bytes())
    done = run("enhance", "in.ts", "-o", "out.mkv", *QUICK)
    assert done.returncode == 0, done.stderr
    said = "24 frames had another size, format or colour matrix than the first and were brought to it"
    assert said in (done.stdout + done.stderr)
    out = stream(tmp_path / "out.mkv", "video")
    assert (out["width"], out["height"], int(out["nb_read_frames"])) == (160, 90, 48)


def mean_colour(path: Path, frame: int) -> list[int]:
    chosen = f"select=eq(n\\,{frame}),scale=1:1:flags=area,format=rgb24"
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-vf", chosen, "-frames:v", "1", "-f", "rawvideo", "-"]
    return list(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


def test_a_colour_matrix_that_changes_in_mid_stream_leaves_the_colours_as_they_are(run: Run, tmp_path: Path) -> None:
    parts = b""
    for matrix in ("bt709", "smpte170m"):
        picture = ["-f", "lavfi", "-i", "color=0x20c040:size=160x90:rate=24:duration=0.5"]
        colour = ["-vf", f"scale=out_color_matrix={matrix},format=yuv420p", "-colorspace", matrix, "-color_range", "tv"]
        ffmpeg(*picture, *colour, "-c:v", "libx264", "-bf", "0", "-qp", "4", tmp_path / f"{matrix}.ts")
        parts += (tmp_path / f"{matrix}.ts").read_bytes()
    (tmp_path / "in.ts").write_bytes(parts)
    done = run("enhance", "in.ts", "-o", "out.mkv", *QUICK, "--crf", "4")
    assert done.returncode == 0, done.stderr
    assert "12 frames had another size, format or colour matrix than the first" in (done.stdout + done.stderr)
    before, after = mean_colour(tmp_path / "out.mkv", 2), mean_colour(tmp_path / "out.mkv", 20)
    assert len(before) == 3
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= 3, (before, after)


@pytest.mark.parametrize("name", ["-v.mp4", "name with spaces & 日本 'quote'.mp4", "%d.mp4", "a:b.mp4", "[x].mp4"])
def test_any_file_name_works_on_both_sides(name: str, run: Run, video: Path, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(video.read_bytes())
    done = run("enhance", *QUICK, "-o", f"{name}.mkv", "--", name)
    assert done.returncode == 0, done.stderr
    assert set(files_in(tmp_path)) == {name, f"{name}.mkv"}


def test_sound_that_an_mp4_cannot_begin_late_is_refused_at_the_start(run: Run, tmp_path: Path) -> None:
    pictures = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=24:duration=4"]
    tone = ["-itsoffset", "3", "-f", "lavfi", "-i", "sine=duration=1:sample_rate=48000"]
    ffmpeg(*pictures, *tone, "-c:v", "libx264", "-c:a", "ac3", tmp_path / "in.mkv")
    done = run("enhance", "in.mkv", "-o", "out.mp4", *QUICK)
    assert done.returncode == 2, done.stderr
    assert "stream 1 (ac3) begins after the pictures" in done.stderr
    assert ".mkv" in done.stderr
    assert set(files_in(tmp_path)) == {"in.mkv"}
    planned = run("inspect", "in.mkv", "-o", "out.mp4", "--model", "identity", "--scale", "1")
    assert planned.returncode == 2
    assert planned.stderr == done.stderr
    assert run("enhance", "in.mkv", "-o", "out.mp4", *QUICK, "--audio", "none").returncode == 0
    assert run("enhance", "in.mkv", "-o", "out.mkv", *QUICK).returncode == 0
