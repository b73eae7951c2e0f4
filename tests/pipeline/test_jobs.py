"""Whole jobs through the command line: what comes out, what is written, how a job is stopped."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import QUICK, Run, ffmpeg, make_video, run_measured, stream


def succeed(run: Run, *arguments: str | Path) -> None:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr


def make_vfr_video(path: Path) -> Path:
    """Two seconds whose frame steps alternate between 1/24, 1/12 and 1/8 of a second."""
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=160x90:rate=24:duration=2",
        "-vf",
        "select='not(eq(mod(n,7),2)+eq(mod(n,5),3))'",
        "-fps_mode",
        "vfr",
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-bf",
        "2",
        "-pix_fmt",
        "yuv420p",
        path,
    )
    return path


def frame_times(path: Path) -> list[float]:
    """Presentation times of the video frames, in seconds from the first: Matroska cannot store the negative start of
    primed audio, so that there everything starts a little later."""
    text = subprocess.run(
        [
            "ffprobe",
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            "packet=pts_time",
            "-of",
            "csv=p=0",
            path,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    times = sorted(float(line.strip(",")) for line in text.split() if line.strip(","))
    return [time - times[0] for time in times]


def stream_md5(path: Path, stream: str) -> str:
    """MD5 of a stream's packets as they are stored."""
    return subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-map", stream, "-c", "copy", "-f", "md5", "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def pixel_md5(path: Path) -> str:
    return subprocess.run(
        ["ffmpeg", "-v", "error", "-i", path, "-map", "v:0", "-f", "md5", "-"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def decodes_cleanly(path: Path) -> bool:
    # In the file's own time base: the null muxer's default, one tick a frame, cannot tell close frames apart.
    command: list[str | Path] = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        path,
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "-1",
        "-f",
        "null",
        "-",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_every_frame_keeps_its_time_and_audio_its_bytes(run: Run, tmp_path: Path, container: str) -> None:
    source = make_video(tmp_path / "in.mp4", frames=40)
    output = tmp_path / f"out.{container}"
    succeed(run, "enhance", source, "-o", output, *QUICK)
    tolerance = 0.0011 if container == "mkv" else 1e-9  # Matroska stores milliseconds
    assert frame_times(output) == pytest.approx(frame_times(source), abs=tolerance)
    assert stream_md5(output, "0:a:0") == stream_md5(source, "0:a:0")
    assert decodes_cleanly(output)


def test_variable_frame_rate_survives(run: Run, tmp_path: Path) -> None:
    source = make_vfr_video(tmp_path / "vfr.mp4")
    output = tmp_path / "out.mp4"
    succeed(run, "enhance", source, "-o", output, *QUICK)
    assert frame_times(output) == pytest.approx(frame_times(source), abs=1e-9)
    steps = {round(b - a, 3) for a, b in zip(frame_times(source), frame_times(source)[1:], strict=False)}
    assert len(steps) > 1, "the generated clip must be VFR for this test to mean anything"


def test_both_runners_give_the_same_pictures(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=12, size="96x64")
    for runner in ("serial", "threaded"):
        succeed(run, "enhance", source, "-o", tmp_path / f"{runner}.mp4", "--runner", runner, "--progress", "none")
    assert pixel_md5(tmp_path / "serial.mp4") == pixel_md5(tmp_path / "threaded.mp4")
    assert stream_md5(tmp_path / "serial.mp4", "0:v:0") == stream_md5(tmp_path / "threaded.mp4", "0:v:0")


def test_tiles_do_not_change_the_result(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=2, size="150x101")
    for tile in ("off", "96"):
        succeed(
            run,
            "enhance",
            source,
            "-o",
            tmp_path / f"{tile}.mp4",
            "--tile",
            tile,
            "--precision",
            "fp32",
            "--progress",
            "none",
        )
    assert pixel_md5(tmp_path / "off.mp4") == pixel_md5(tmp_path / "96.mp4")


def test_the_default_job_doubles_the_size(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=3, size="64x48")
    output = tmp_path / "out.mp4"
    succeed(run, "enhance", source, "-o", output, "--progress", "none")
    video = stream(output, "video")
    assert (video["width"], video["height"]) == (128, 96)
    assert len(frame_times(output)) == 3


def written_paths(trace: str) -> set[str]:
    """Every path a traced process created, opened for writing, renamed or linked, outside /dev and /proc."""
    paths: set[str] = set()
    for line in trace.splitlines():
        if " = -1 " in line:
            continue
        call = re.search(
            r"\b(openat|open|creat|mkdir|mkdirat|rename|renameat2?|link|linkat|symlink|symlinkat|mknodat?)\(", line
        )
        if not call:
            continue
        if call[1] in ("open", "openat") and not re.search(r"O_(WRONLY|RDWR|CREAT)", line):
            continue
        paths.update(re.findall(r'"((?:[^"\\]|\\.)*)"', line))
    return {p for p in paths if not p.startswith(("/dev/", "/proc/"))}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_r5_3_r5_4_nothing_but_the_output_is_ever_written(millstream: Path, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=6, size="64x48")
    output = tmp_path / "out.mp4"
    log = tmp_path / "strace.log"
    subprocess.run(
        [
            "strace",
            "-f",
            "-qq",
            "-o",
            log,
            "-e",
            "trace=%file",
            millstream,
            "enhance",
            source,
            "-o",
            output,
            "--progress",
            "none",
        ],
        check=True,
        cwd=tmp_path,
        capture_output=True,
    )
    checkpoint = f"{output}.millstream.json"
    assert written_paths(log.read_text()) == {str(output), f"{output}.part", checkpoint, f"{checkpoint}.tmp"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "out.mp4", "strace.log"]


def test_a_failed_job_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    if os.geteuid() == 0 and shutil.which("mount") is None:
        pytest.skip("needs a small file system to fill")
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small tmpfs is not allowed here")
    try:
        source = make_video(tmp_path / "in.mp4", frames=120, size="320x240")
        done = run(
            "enhance",
            source,
            "-o",
            small / "out.mp4",
            "--model",
            "identity",
            "--scale",
            "1",
            "--crf",
            "1",
            "--disk-limit",
            "none",
            "--progress",
            "none",
        )
        assert done.returncode == 6, done.stderr
        assert "space" in done.stderr
        assert not (small / "out.mp4").exists()
    finally:
        subprocess.run(["umount", small], check=True)


def test_an_existing_output_is_untouched_until_the_new_one_is_complete(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=4, size="64x48")
    output = tmp_path / "out.mp4"
    output.write_bytes(b"precious")
    assert run("enhance", source, "-o", output, *QUICK).returncode == 2
    assert output.read_bytes() == b"precious"
    succeed(run, "enhance", source, "-o", output, "-y", *QUICK)
    assert decodes_cleanly(output)


def test_a_small_memory_budget_is_planned_for_and_kept(millstream: Path, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=2, size="1280x720")
    budget_mib = 1200
    command: list[str | Path] = [
        millstream,
        "enhance",
        source,
        "-o",
        tmp_path / "out.mp4",
        "--max-memory",
        f"{budget_mib}MiB",
    ]
    code, _, peak_mib = run_measured([*command, "--preset", "ultrafast", "--progress", "none"], tmp_path)
    assert code == 0
    assert peak_mib <= budget_mib


def test_a_budget_nothing_fits_into_is_refused_with_one_that_would_do(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=2, size="1280x720")
    done = run("enhance", source, "-o", tmp_path / "out.mp4", "--max-memory", "64MiB", "--progress", "none")
    assert done.returncode == 4
    smallest = re.search(r"--max-memory (\d+)MiB", done.stderr)
    assert smallest, done.stderr
    assert list(tmp_path.iterdir()) == [source]
    succeed(run, "inspect", source, "-o", tmp_path / "out.mp4", "--max-memory", f"{int(smallest[1]) + 8}MiB")
