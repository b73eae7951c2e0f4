"""Interrupted runs go on where they were, and end as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Run, ffmpeg, make_video
from test_jobs import decodes_cleanly, frame_times

JOB = ["--model", "identity", "--scale", "1", "--chunk", "24f"]


def packets(path: Path, streams: str) -> list[str]:
    """Times and payloads of every packet, in the file's order."""
    command = ["ffprobe", "-v", "error", "-select_streams", streams, "-show_data_hash", "md5", "-of", "csv"]
    shown = ["-show_entries", "packet=pts,dts,size,data_hash", str(path)]
    return subprocess.run([*command, *shown], check=True, capture_output=True, text=True).stdout.splitlines()


def make_source(path: Path, *, variable: bool = False, frames: int = 150) -> Path:
    """Moving pictures with B-frames, sound that begins late and ends late, subtitles."""
    seconds = frames / 24
    texts = path.with_suffix(".srt")
    texts.write_text(
        "".join(f"{i + 1}\n00:00:0{i},500 --> 00:00:0{i + 1},200\nLine {i}\n\n" for i in range(int(seconds)))
    )
    pictures = ["-f", "lavfi", "-i", f"testsrc2=size=160x90:rate=24:duration={seconds}"]
    sound = ["-itsoffset", "0.3", "-f", "lavfi", "-i", f"sine=sample_rate=48000:duration={seconds + 0.4}"]
    timing = ["-vf", "select='mod(n,5)'", "-fps_mode", "vfr"] if variable else []
    text_codec = "mov_text" if path.suffix == ".mp4" else "srt"
    video = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "40", "-pix_fmt", "yuv420p"]
    kinds = ["-c:a", "aac", "-c:s", text_codec]
    ffmpeg(*pictures, *sound, "-i", texts, *timing, "-map", "0:v", "-map", "1:a", "-map", "2:s", *video, *kinds, path)
    return path


def command(millstream: Path, source: Path, output: Path, *more: str) -> list[str]:
    return [str(millstream), "enhance", str(source), "-o", str(output), *JOB, "--progress", "json", *more]


def kill_after(job: list[str], delay_s: float) -> bool:
    """Kills the job some time after its first frame; False if it was quicker."""
    with subprocess.Popen(job, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("frames_done", 0) >= 1:
                break
        time.sleep(delay_s)  # somewhere between two reports, so that kills fall into every part of the work
        process.kill()
        return process.wait() == -signal.SIGKILL


def frames_done(checkpoint: Path) -> int:
    content = json.loads(checkpoint.read_text()).get("content") if checkpoint.exists() else None
    return content["output"]["frames"] if content else 0


def kill_with_done(job: list[str], frames: int) -> None:
    """Kills the job as soon as its checkpoint says that so many frames are done.

    The job must have some chunks more. Progress reports come too seldom to catch a quick job, a checkpoint is seen.
    """
    checkpoint = Path(f"{job[job.index('-o') + 1]}.millstream.json")
    with subprocess.Popen(job, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while frames_done(checkpoint) < frames:
            assert process.poll() is None, "the job was over before it could be killed"
            time.sleep(0.002)
        process.kill()
        assert process.wait() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("source_name", "variable", "output_name", "more"),
    [
        ("in.mp4", False, "out.mp4", []),
        ("in.mkv", True, "out.mkv", []),
        ("in.mkv", True, "out.mp4", ["--convert-subtitles"]),
        ("in.mp4", False, "out.webm", ["--codec", "av1", "--audio", "none", "--subtitles", "none"]),
        ("in.ts", False, "out.mkv", []),
        ("in.avi", False, "out.mov", []),
    ],
    ids=lambda value: str(value),
)
def test_killed_again_and_again_ends_as_if_nothing_had_happened(
    millstream: Path,
    tmp_path: Path,
    source_name: str,
    variable: bool,
    output_name: str,
    more: list[str],
    request: pytest.FixtureRequest,
) -> None:
    source = tmp_path / source_name
    made = make_source(tmp_path / "made.mkv", variable=variable)
    if source.suffix in (".ts", ".avi"):
        codecs = ["-c:v", "mpeg4", "-q:v", "3", "-bf", "0"] if source.suffix == ".avi" else ["-c:v", "copy"]
        ffmpeg("-i", made, "-map", "0:v", "-map", "0:a", *codecs, "-c:a", "copy", source)
    else:
        make_source(source, variable=variable)
    whole, killed = tmp_path / f"whole-{output_name}", tmp_path / output_name
    job = command(millstream, source, killed, *more)
    plain = [str(whole) if part == str(killed) else part for part in job]
    subprocess.run(plain, check=True, capture_output=True, timeout=120)

    chance = random.Random(output_name + source_name)
    kill_with_done(job, 24)
    for _ in range(40 if request.config.getoption("--full") else 5):
        kill_after(job, chance.random() * 0.6)
        if killed.exists():
            break
        part = Path(f"{killed}.part")
        if part.exists() and Path(f"{killed}.millstream.json").exists():
            with part.open("ab") as torn:  # and a tail that belongs to nothing
                torn.write(bytes(chance.randrange(256) for _ in range(chance.choice([1, 100, 70000]))))
    if not killed.exists():
        done = subprocess.run(job, check=True, capture_output=True, text=True, timeout=120)
        assert "resumed at frame" in done.stdout + done.stderr
    for streams in ("v", "a", "s"):
        assert packets(killed, streams) == packets(whole, streams), streams
    assert frame_times(killed) == frame_times(whole)
    assert decodes_cleanly(killed)
    assert sorted(p.name for p in tmp_path.glob(f"{output_name}*")) == [output_name]


def test_what_is_done_is_not_read_again_and_the_result_is_verified(millstream: Path, run: Run, tmp_path: Path) -> None:
    source, output, reported = tmp_path / "in.mp4", tmp_path / "out.mp4", tmp_path / "report.json"
    noise = "testsrc2=size=320x180:rate=24:duration=10,noise=alls=30:allf=t"
    sound = ["-f", "lavfi", "-i", "sine=duration=10", "-c:a", "aac"]
    ffmpeg("-f", "lavfi", "-i", noise, *sound, "-c:v", "libx264", "-preset", "ultrafast", "-g", "24", source)
    job = command(millstream, source, output, "--temporal", "off")
    kill_with_done(job, 144)
    subprocess.run([*job, "--report", str(reported)], check=True, capture_output=True, timeout=120)
    report = json.loads(reported.read_text())
    assert report["frames"] == 240
    assert report["resumed_frames"] >= 144
    (read,) = [file["bytes_read"] for file in report["files"] if file["role"] == "input"]
    left = (240 - report["resumed_frames"]) / 240 * source.stat().st_size
    assert read < 2 * left + 0.4 * source.stat().st_size  # two readers; a key frame's distance and a buffer before it
    verified = run("verify", source, output)
    assert verified.returncode == 0, verified.stdout


def test_names_that_are_no_utf8_are_names(millstream: Path, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=400, size="64x48").rename(tmp_path / os.fsdecode(b"film \xff.mp4"))
    output = tmp_path / os.fsdecode(b"out \xfe.mp4")
    job = command(millstream, source, output)
    kill_with_done(job, 48)
    inspected = subprocess.run([str(millstream), "inspect", str(source), "--json"], capture_output=True, timeout=120)
    assert json.loads(inspected.stdout)["frames"] == 400
    done = subprocess.run(
        [*job, "--report", str(tmp_path / os.fsdecode(b"report \xfd.json"))], capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert b"resumed at frame" in done.stdout
    assert len(frame_times(output)) == 400


# read() on a drive that goes away: fails for one file once another file is there.
DRIVE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
ssize_t read(int file, void* bytes, size_t count) {
    ssize_t (*system_read)(int, void*, size_t) = (ssize_t (*)(int, void*, size_t))dlsym(RTLD_NEXT, "read");
    struct stat now;
    if (access(getenv("DRIVE_GONE"), F_OK) == 0 && fstat(file, &now) == 0 &&
        now.st_ino == strtoull(getenv("DRIVE_FILE"), NULL, 10)) {
        errno = EIO;
        return -1;
    }
    return system_read(file, bytes, count);
}
"""


def test_a_source_that_cannot_be_read_any_more_does_not_end_the_film(millstream: Path, tmp_path: Path) -> None:
    code, drive, gone = tmp_path / "drive.c", tmp_path / "drive.so", tmp_path / "gone"
    code.write_text(DRIVE)
    built = ["cc", "-shared", "-fPIC", "-o", str(drive), str(code), "-ldl"]
    if shutil.which("cc") is None or subprocess.run(built, capture_output=True).returncode != 0:
        pytest.skip("no C compiler for the drive")
    source, output = tmp_path / "in.mkv", tmp_path / "out.mkv"
    noise = "testsrc2=size=320x180:rate=24:duration=10,noise=alls=30:allf=t"
    ffmpeg("-f", "lavfi", "-i", noise, "-c:v", "libx264", "-preset", "ultrafast", source)
    job = command(millstream, source, output, "--temporal", "off", "--runner", "serial")  # nothing is read in advance
    inode = str(source.stat().st_ino)
    surroundings = {**os.environ, "LD_PRELOAD": str(drive), "DRIVE_GONE": str(gone), "DRIVE_FILE": inode}
    checkpoint = Path(f"{output}.millstream.json")
    with subprocess.Popen(
        job, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        while not checkpoint.exists() or '"content"' not in checkpoint.read_text():
            assert process.poll() is None, "the job was over too early"
            time.sleep(0.002)
        gone.touch()
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 6, errors
    assert "Input/output error" in errors
    assert "The same command goes on" in errors
    gone.unlink()
    done = subprocess.run(job, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "resumed at frame" in done.stdout
    assert len(frame_times(output)) == 240


def test_r5_1_a_run_stops_where_it_has_written_what_it_may(millstream: Path, run: Run, tmp_path: Path) -> None:
    source, output = tmp_path / "in.mp4", tmp_path / "out.mkv"
    noise = "testsrc2=size=320x180:rate=24:duration=5,noise=alls=30:allf=t"
    ffmpeg("-f", "lavfi", "-i", noise, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", source)
    job = [source, "-o", output, *JOB, "--preset", "ultrafast", "--temporal", "off", "--max-total", "none"]
    disk = json.loads(run("inspect", *job, "--json").stdout)["disk"]
    limit = f"{disk['predicted_output'] + disk['checkpoint'] + 1}"  # noise takes more than anybody would predict
    runs = 0
    while True:
        done = run("enhance", *job, "--progress", "none", "--disk-limit", limit)
        runs += 1
        if done.returncode == 0:
            break
        assert done.returncode == 6, done.stderr
        assert "as much as it may (--disk-limit)" in done.stderr
    assert runs >= 2
    assert len(frame_times(output)) == 120


def test_with_the_lock_on_there_is_no_joint(millstream: Path, tmp_path: Path) -> None:
    source = make_source(tmp_path / "in.mkv")
    whole, killed = tmp_path / "whole.mkv", tmp_path / "out.mkv"
    lock = ["--temporal", "high", "--codec", "hevc"]
    subprocess.run(command(millstream, source, whole, *lock), check=True, capture_output=True, timeout=120)
    job = command(millstream, source, killed, *lock)
    kill_with_done(job, 24)
    kill_with_done(job, 72)
    subprocess.run(job, check=True, capture_output=True, timeout=120)
    assert packets(killed, "v") == packets(whole, "v")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_r6_1_a_signal_keeps_what_is_committed_and_says_how_to_go_on(
    millstream: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    source = make_video(tmp_path / "in.mp4", frames=3000, size="64x48")
    output = tmp_path / "out.mp4"
    job = command(millstream, source, output)
    with subprocess.Popen(job, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line).get("frames_done", 0) > 100:
                break
        process.send_signal(sent)
        asked = time.monotonic()
        rest, errors = process.communicate(timeout=60)
        assert time.monotonic() - asked < 5
    assert process.returncode == 130, errors
    said = rest + errors
    partial = Path(f"{output}.part")
    assert str(partial) in said
    assert "The same command goes on" in said
    kept = frame_times(partial)
    assert 0 < len(kept) < 3000
    assert len(kept) % 24 == 0
    assert kept == pytest.approx(frame_times(source)[: len(kept)], abs=1e-9)
    assert decodes_cleanly(partial)
    done = subprocess.run(job, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(frame_times(output)) == 3000


def test_a_second_run_on_the_same_output_is_refused(millstream: Path, run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=3000, size="64x48")
    job = command(millstream, source, tmp_path / "out.mp4")
    with subprocess.Popen(job, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as first:
        assert first.stdout is not None
        first.stdout.readline()
        while not (tmp_path / "out.mp4.part").exists():
            first.stdout.readline()
        second = run("enhance", source, "-o", "out.mp4", *JOB, "--resume", "never")
        assert second.returncode == 4, second.stderr
        assert "another run of Millstream is writing it" in second.stderr
        assert run("clean", "out.mp4").returncode == 4
        first.communicate(timeout=120)
        assert first.returncode == 0


def test_clean_removes_what_an_interrupted_run_has_left(millstream: Path, run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=400, size="64x48")
    kill_with_done(command(millstream, source, tmp_path / "out.mp4"), 48)
    (tmp_path / "other.txt").write_text("stays")
    done = run("clean", "out.mp4")
    assert done.returncode == 0
    assert "out.mp4.part" in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "other.txt"]


def test_inspect_tells_where_it_would_go_on(millstream: Path, run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=400, size="64x48")
    kill_with_done(command(millstream, source, tmp_path / "out.mp4"), 48)
    plan = run("inspect", source, "-o", tmp_path / "out.mp4", *JOB, "--json")
    assert plan.returncode == 0, plan.stderr
    frames = json.loads(plan.stdout)["resumed_frames"]
    assert frames >= 24
    assert frames % 24 == 0
    assert "a checkpoint every 24 frames" in run("inspect", source, "-o", tmp_path / "out.mp4", *JOB).stdout


def test_the_output_keeps_its_share_of_the_space(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"  # noise, coded as badly as it goes: any better quality needs far more
    noise = "testsrc2=size=320x180:rate=24:duration=20,noise=alls=40:allf=t"
    ffmpeg("-f", "lavfi", "-i", noise, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "40", source)
    quick = ["--model", "identity", "--scale", "2", "--temporal", "off", "--preset", "ultrafast", "--progress", "none"]
    for name, ratio in (("a.mp4", 3.0), ("b.mkv", 2.0)):
        done = run("enhance", source, "-o", name, *quick, "--chunk", "48f", "--max-total", str(ratio))
        assert done.returncode == 0, done.stderr
        total = source.stat().st_size + (tmp_path / name).stat().st_size
        assert total <= ratio * 1.01 * source.stat().st_size
        assert total >= ratio * 0.75 * source.stat().st_size
    free = run("enhance", source, "-o", "free.mp4", *quick, "--max-total", "none")
    assert free.returncode == 0, free.stderr
    assert (tmp_path / "free.mp4").stat().st_size > 3 * source.stat().st_size


def test_a_few_frames_are_not_made_smaller_for_the_sake_of_a_few_bytes(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    noise = "testsrc2=size=640x360:rate=24,noise=alls=30:allf=t"
    ffmpeg("-f", "lavfi", "-i", noise, "-frames:v", "2", "-c:v", "libx264", "-crf", "20", source)
    assert 64 * 1024 < source.stat().st_size < 256 * 1024
    done = run("enhance", source, "-o", "out.mp4", "--model", "identity", "--scale", "2", "--progress", "none")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.mp4").stat().st_size > source.stat().st_size  # 50 kbit/s would be half a kilobyte


def test_what_is_reused_starts_anew_where_a_run_may_be_taken_up_again(millstream: Path, tmp_path: Path) -> None:
    """With a real network: the one of the other tests is too cheap for reuse to be on."""
    source = tmp_path / "in.mkv"  # a still picture in which something moves
    still = "testsrc2=size=96x64:rate=24:duration=3,loop=loop=60:size=1[still]"
    square = "color=white:size=12x12:rate=24:duration=3[square]"
    pictures = f"{still};{square};[still][square]overlay=x='mod(n*2,80)':y=20"
    ffmpeg("-f", "lavfi", "-i", pictures, "-frames:v", "60", "-c:v", "libx264", "-crf", "24", source)
    job = ["--model", "realesr-animevideov3", "--scale", "2", "--chunk", "24f", "--progress", "json", "--reuse", "safe"]
    whole, killed, serial = tmp_path / "whole.mkv", tmp_path / "out.mkv", tmp_path / "serial.mkv"
    reported = tmp_path / "report.json"

    def run(output: Path, *more: str) -> list[str]:
        return [str(millstream), "enhance", str(source), "-o", str(output), *job, *more]

    subprocess.run(run(whole, "--report", str(reported)), check=True, capture_output=True, timeout=120)
    reuse = json.loads(reported.read_text())["reuse"]
    assert reuse["share_computed"] < 0.7
    assert reuse["whole_frames"] >= 3  # the first, and one before each chunk
    kill_with_done(run(killed), 24)
    done = subprocess.run(run(killed), check=True, capture_output=True, text=True, timeout=120)
    assert "resumed at frame 24" in done.stdout + done.stderr
    assert packets(killed, "v") == packets(whole, "v")
    subprocess.run(run(serial, "--runner", "serial"), check=True, capture_output=True, timeout=120)
    assert packets(serial, "v") == packets(whole, "v")
