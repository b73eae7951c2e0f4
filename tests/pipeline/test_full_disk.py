"""A disk that really fills up: a small tmpfs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run, ffmpeg
from test_resume import JOB, packets

MIB = 2**20


def mount(folder: Path, size: int, *, again: bool = False) -> bool:
    options = f"size={size}" + (",remount" if again else "")
    return subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mount(folder, MIB):
        pytest.skip("no file system can be mounted here (root and CAP_SYS_ADMIN are needed)")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Five seconds that take several MiB to encode."""
    source = tmp_path / "in.mp4"
    pictures = "testsrc2=size=320x180:rate=24:duration=5,noise=alls=30:allf=t"
    sound = ["-f", "lavfi", "-i", "sine=duration=5", "-c:a", "aac"]
    ffmpeg("-f", "lavfi", "-i", pictures, *sound, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", source)
    return source


@pytest.mark.parametrize("extension", ["mp4", "mkv"])
def test_r5_1_a_full_disk_loses_nothing_and_the_run_goes_on(
    run: Run, tmp_path: Path, small_disk: Path, noise: Path, extension: str
) -> None:
    output = small_disk / f"out.{extension}"
    job = [*JOB, "--preset", "ultrafast", "--temporal", "off", "--progress", "none"]
    full = run("enhance", noise, "-o", output, *job, "--disk-limit", "none")
    assert full.returncode == 6, full.stderr
    assert "The same command goes on from there" in full.stderr
    assert sorted(path.name for path in small_disk.iterdir()) == [
        f"{output.name}.millstream.json",
        f"{output.name}.part",
    ]
    frames = json.loads(output.with_name(f"{output.name}.millstream.json").read_text())["content"]["output"]["frames"]
    assert frames >= 24
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", f"{output}.part", "-map", "0:v", "-f", "null", "-"],
        capture_output=True,
        text=True,
    )
    assert not decoded.stderr

    assert mount(small_disk, 32 * MIB, again=True)
    done = run("enhance", noise, "-o", output, *job, "--disk-limit", "none")
    assert done.returncode == 0, done.stderr
    assert f"resumed at frame {frames}" in done.stderr
    assert run("enhance", noise, "-o", f"whole.{extension}", *job).returncode == 0
    for kind in ("v", "a"):
        assert packets(output, kind) == packets(tmp_path / f"whole.{extension}", kind)


def test_r5_1_the_guard_stops_before_the_disk_is_full(run: Run, small_disk: Path, noise: Path) -> None:
    assert mount(small_disk, 3 * MIB, again=True)  # noise takes more than anybody would predict
    output = small_disk / "out.mkv"
    job = [noise, "-o", output, *JOB, "--preset", "ultrafast", "--temporal", "off", "--max-total", "none"]
    guarded = run("enhance", *job, "--progress", "none")
    assert guarded.returncode == 6, guarded.stderr
    assert "watching the free space" in guarded.stderr
    assert "the rest of the output will take about" in guarded.stderr
    assert output.with_name("out.mkv.part").stat().st_size < 2 * MIB

    assert mount(small_disk, 64 * MIB, again=True)
    done = run("enhance", *job, "--progress", "none")
    assert done.returncode == 0, done.stderr
    assert "resumed at frame" in done.stderr
    assert [path.name for path in small_disk.iterdir()] == ["out.mkv"]
