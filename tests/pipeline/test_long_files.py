"""What does not grow with a film: memory, the disk beside the output, and the time its end takes.

MILLSTREAM_LONG_SECONDS makes the films of these tests shorter than the hour and the two hours they stand for.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
from pathlib import Path

import pytest
from conftest import built, ffmpeg

MIB = 2**20


def seconds(otherwise: int) -> int:
    return int(os.environ.get("MILLSTREAM_LONG_SECONDS", otherwise))


def size_of_others(folder: Path, known: set[Path]) -> int:
    total = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # a temporary name of the checkpoint's
            total += 0 if path in known else path.stat().st_size
    return total


@pytest.mark.full
@pytest.mark.parametrize("extension", ["mp4", "mkv"])
def test_ten_gigabytes_are_finished_in_little_memory(tmp_path: Path, extension: str) -> None:
    """How long it takes is measured by bench/run.py: here other tests run beside."""
    length = seconds(7200)
    tone, source, output = tmp_path / "tone.m4a", tmp_path / "in.mp4", tmp_path / f"out.{extension}"
    ffmpeg("-f", "lavfi", "-i", "sine=sample_rate=48000:duration=20", "-ac", "2", "-c:a", "aac", tone)
    picture = ["-f", "lavfi", "-i", "color=size=64x48:rate=25:duration=1"]
    ffmpeg(*picture, "-stream_loop", "-1", "-i", tone, "-t", str(length), "-c:v", "libx264", "-c:a", "copy", source)
    program = built("MILLSTREAM_FINISHING_COSTS", "build/release/finishing_costs")
    try:
        done = subprocess.run(
            [program, source, output, str(length), "1400000"], check=True, capture_output=True, text=True, timeout=3600
        )
        said = json.loads(done.stdout)
        assert said["frames"] == 25 * length
        assert said["copied_packets"] > 45 * length
        assert said["bytes"] == output.stat().st_size > 1_350_000 * length
        assert said["peak_mib"] < 150
        end = ["-sseof", "-2", "-i", str(output), "-map", "0:v", "-f", "null", "-"]
        assert not subprocess.run(["ffmpeg", "-v", "error", *end], capture_output=True, timeout=300).stderr
    finally:
        output.unlink(missing_ok=True)  # pytest keeps folders


@pytest.mark.full
def test_an_hour_of_4k_takes_no_more_memory_at_its_end_and_keeps_its_share_of_the_disk(
    millstream: Path, tmp_path: Path
) -> None:
    length, rate = seconds(3600), 24
    source, output, reported = tmp_path / "in.mp4", tmp_path / "out.mp4", tmp_path / "report.json"
    # A second of pictures, again and again: to encode an hour would take longer than the test.
    part = tmp_path / "part.mp4"
    pictures = f"gradients=size=3840x2160:rate={rate}:duration=1:speed=0.02"
    ffmpeg("-f", "lavfi", "-i", pictures, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", part)
    ffmpeg("-stream_loop", str(length - 1), "-i", part, "-c", "copy", source)
    job = ["--model", "identity", "--scale", "1", "--temporal", "off", "--preset", "ultrafast"]
    command = [millstream, "enhance", source, "-o", output, *job, "--report", reported, "--progress", "none"]
    known = {source, part, reported, output, output.with_name("out.mp4.part")}
    beside = 0
    with subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            beside = max(beside, size_of_others(tmp_path, known))
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
        assert process.stderr is not None
        assert process.returncode == 0, process.stderr.read()
    report = json.loads(reported.read_text())
    assert report["frames"] == rate * length
    assert source.stat().st_size + output.stat().st_size <= 3 * 1.01 * source.stat().st_size
    assert beside < 128 * 1024  # the checkpoint, and the one that takes its place
    resident = [point["rss_bytes"] / MIB for point in report["curve"]]
    third = len(resident) // 3
    assert third > 3
    assert statistics.median(resident[-third:]) < statistics.median(resident[third:-third]) + 32
    assert max(resident[-third:]) < max(resident[:-third]) + 64  # a frame of 4K takes 12 MiB, and 48 in RGB
