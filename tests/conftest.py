"""What the end-to-end tests share: the program, clips, and small videos that ffmpeg makes."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The Python package as it was built.
PACKAGE = Path(os.environ.get("MILLSTREAM_PYTHONPATH", ROOT / "build" / "release" / "python"))
sys.path.insert(0, str(PACKAGE))

# The cheapest job that still goes through every stage.
QUICK = ["--model", "identity", "--scale", "1", "--temporal", "off", "--preset", "ultrafast", "--progress", "none"]

Run = Callable[..., subprocess.CompletedProcess[str]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="every clip, not a seeded subset, and long tests")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "full: takes long; only with --full")
    # Who runs the tests in the background may ignore these, and what they start would, too.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--full"):
        return
    long = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if not item.get_closest_marker("full")]


def built(variable: str, default: str) -> Path:
    """A program of the build; missing is a failure, not a skip: ./dev test has built it."""
    path = Path(os.environ.get(variable, ROOT / default))
    if not path.exists():
        pytest.fail(f"{path} is not built: run ./dev test, or set {variable}", pytrace=False)
    return path


@pytest.fixture(scope="session")
def millstream() -> Path:
    return built("MILLSTREAM_BIN", "build/release/millstream")


@pytest.fixture(scope="session")
def fake_millstream() -> Path:
    """The real command line on a library that enhances nothing (tests/cli/fake_library.cpp)."""
    return built("MILLSTREAM_FAKE_BIN", "build/release/millstream_fake")


@pytest.fixture(scope="session")
def package_path() -> str:
    """For PYTHONPATH of a Python of its own."""
    return str(PACKAGE)


@pytest.fixture
def run(millstream: Path, tmp_path: Path) -> Run:
    """Runs the program in an empty folder: run("enhance", video, "-o", "out.mp4")."""

    def call(
        *arguments: str | Path, binary: Path = millstream, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        command = [str(binary), *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=timeout)

    return call


# Real clips for development. Tests that want them skip, visibly, where there are none.
CLIPS = Path(os.environ.get("MILLSTREAM_CLIPS", ROOT.parent / "shared" / "clips"))


# Seconds from the start of what would take a quarter of an hour.
EXCERPTS = {"long_1080p_lowbitrate.mp4": 5}


def all_clips() -> list[Path]:
    """The real ones, then those that are damaged or no video at all."""
    videos = [path for path in CLIPS.glob("*.*") if path.suffix not in {".md", ".png", ".jpg"}]
    return sorted(videos) + sorted(CLIPS.glob("hostile/*"))


def excerpt(clip: Path, folder: Path) -> Path:
    """The clip, or the beginning of a long one as a file in `folder`."""
    if clip.name not in EXCERPTS:
        return clip
    ffmpeg("-i", clip, "-t", str(EXCERPTS[clip.name]), "-map", "0", "-c", "copy", folder / clip.name)
    return folder / clip.name


def excerpts_in_words() -> str:
    """A sentence each, for the documents."""
    return "".join(f"Of `{name}` the first {seconds} seconds.\n" for name, seconds in EXCERPTS.items())


@pytest.fixture(scope="session")
def clips() -> Path:
    if not CLIPS.is_dir():
        pytest.skip(f"no clips at {CLIPS} (MILLSTREAM_CLIPS names another folder)")
    return CLIPS


def ffmpeg(*arguments: str | Path) -> None:
    assert shutil.which("ffmpeg"), "the tests need the ffmpeg command"
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True, timeout=120)


# A process's peak begins with what the one that started it had: a small one stands between the tests, which may have
# loaded Torch, and the program.
LAUNCHER = """
import os, sys
peak, group, *command = sys.argv[1:]
child = os.fork()
if child == 0:
    if group:
        with open(group, "w") as members:
            members.write(str(os.getpid()))
    os.execv(command[0], command)
_, status, usage = os.wait4(child, 0)
with open(peak, "w") as file:
    file.write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run_measured(command: Sequence[str | Path], folder: Path, cgroup: Path | None = None) -> tuple[int, str, float]:
    """Exit code, messages, and peak resident memory in MiB, as the kernel accounts for the finished process."""
    peak = folder / "peak.txt"
    group = "" if cgroup is None else cgroup / "cgroup.procs"
    launch = [sys.executable, "-S", "-c", LAUNCHER, peak, group, *command]
    done = subprocess.run([*map(str, launch)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr, int(peak.read_text()) / 1024


def make_video(path: Path, *, size: str = "160x90", frames: int = 24, sound: bool = True) -> Path:
    """Moving content at 24 frames a second with B-frames, and a sine tone."""
    seconds = frames / 24
    picture = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=24:duration={seconds}"]
    tone = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={seconds}", "-c:a", "aac"]
    encoding = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p", "-frames:v", str(frames)]
    ffmpeg(*picture, *(tone if sound else []), *encoding, path)
    return path


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second, 160x90, with sound."""
    return make_video(tmp_path_factory.mktemp("video") / "clip.mp4")


def probe(path: Path) -> dict[str, Any]:
    """Format and streams as ffprobe has them, frames of the first video stream counted."""
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_format", "-show_streams", "-of", "json", str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    result: dict[str, Any] = json.loads(output)
    return result


def stream(path: Path, kind: str) -> dict[str, Any]:
    """The first stream of that kind."""
    found: dict[str, Any] = next(s for s in probe(path)["streams"] if s["codec_type"] == kind)
    return found


def files_in(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below `folder` with its size and time of change."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        found[str(path.relative_to(folder))] = (status.st_size, status.st_mtime_ns)
    return found


def seeded_subset(paths: Sequence[Path], count: int, *, full: bool) -> list[Path]:
    """All of them for --full, else always the same few."""
    ordered = sorted(paths)
    return ordered if full or len(ordered) <= count else sorted(random.Random(20261123).sample(ordered, count))
