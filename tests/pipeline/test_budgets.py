"""R3: memory budgets are kept, or refused with one that does; memory does not grow with the length of the video."""

from __future__ import annotations

import json
import os
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import make_video, run_measured

MODELS = {
    "identity": ["--model", "identity", "--scale", "1"],
    "compact": [],
    "x4plus": ["--model", "realesrgan-x4plus", "--scale", "2"],
}


@dataclass
class Finished:
    code: int
    errors: str
    peak_mib: float
    report: dict[str, Any]


def enhance(millstream: Path, folder: Path, source: Path, *arguments: str, cgroup: Path | None = None) -> Finished:
    """One job with a report."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    command: list[str | Path] = [
        millstream,
        "enhance",
        source,
        "-y",
        "-o",
        folder / "out.mp4",
        "--report",
        report,
        "--progress",
        "none",
    ]
    code, said, peak_mib = run_measured([*command, *arguments], folder, cgroup)
    found = json.loads(report.read_text()) if report.exists() else {}
    return Finished(code, said, peak_mib, found)


def keeps(finished: Finished, budget_mib: int) -> None:
    assert finished.code == 0, finished.errors
    assert finished.peak_mib <= budget_mib
    assert finished.report["backoffs"] == []


def matrix() -> list[Any]:
    """What every run of the tests tries, and with --full everything."""
    quick = {("compact", "426x240", 512), ("compact", "426x240", 256), ("identity", "1280x720", 512)}
    cases = []
    for model in MODELS:
        for size in ("426x240", "640x360", "1280x720", "1920x1080", "3840x2160"):
            for budget in (256, 512, 1024, 2048, 4096):
                heavy = model == "x4plus" and size != "426x240"  # minutes a frame
                if not heavy:
                    case = (model, size, budget)
                    cases.append(pytest.param(*case, id="-".join(map(str, case)), marks=[] if case in quick else FULL))
    return cases


FULL = pytest.mark.full


@pytest.mark.parametrize(("model", "size", "budget_mib"), matrix())
def test_r3_a_budget_is_kept_or_refused_with_the_smallest_that_does(
    millstream: Path, tmp_path: Path, model: str, size: str, budget_mib: int
) -> None:
    source = make_video(tmp_path / "in.mp4", frames=3, size=size, sound=False)
    finished = enhance(millstream, tmp_path, source, *MODELS[model], "--max-memory", f"{budget_mib}MiB")
    if finished.code == 4:
        named = re.search(r"--max-memory (\d+)MiB", finished.errors)
        assert named, finished.errors
        assert int(named[1]) > budget_mib
        budget_mib = int(named[1])
        finished = enhance(millstream, tmp_path, source, *MODELS[model], "--max-memory", f"{budget_mib}MiB")
    keeps(finished, budget_mib)


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A memory cgroup of its own, below that of this process."""
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    paths = {kind: path for _, kind, path in (line.split(":", 2) for line in lines)}
    mount = Path("/sys/fs/cgroup/memory") if "memory" in paths else Path("/sys/fs/cgroup")
    folder = mount / paths.get("memory", paths.get("", "/")).lstrip("/") / f"millstream-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as failure:
        pytest.skip(f"no cgroup can be made here: {failure}")
    if not any((folder / name).exists() for name in ("memory.max", "memory.limit_in_bytes")):
        folder.rmdir()
        pytest.skip("the memory controller is not handed down to new cgroups here")
    yield folder
    folder.rmdir()


def test_r3_a_container_is_planned_for_and_survived(millstream: Path, tmp_path: Path, cgroup: Path) -> None:
    limit = cgroup / ("memory.max" if (cgroup / "memory.max").exists() else "memory.limit_in_bytes")
    limit.write_text(str(800 << 20))
    source = make_video(tmp_path / "in.mp4", frames=3, size="426x240", sound=False)
    finished = enhance(millstream, tmp_path, source, cgroup=cgroup)
    assert finished.code == 0, finished.errors
    budget = finished.report["plan"]["memory"]["budget"]
    assert budget == 480 << 20, "60 % of the container's limit"
    assert finished.peak_mib <= 480


def slope_mib_per_1000(report: dict[str, Any]) -> float:
    """Growth of memory over the last 90 % of the frames. Behind the last one the file is finished: other memory, taken
    once."""
    count = report["frames"]
    points = [point for point in report["curve"] if count / 10 <= point["frames"] < count]
    frames = [point["frames"] for point in points]
    return statistics.linear_regression(frames, [point["rss_bytes"] / 2**20 for point in points]).slope * 1000


@pytest.mark.parametrize(("temporal", "release"), [("off", "every_frame"), ("medium", "on_pressure")])
@pytest.mark.parametrize("frames", [4000, pytest.param(20000, marks=FULL)])
def test_r3_5_memory_does_not_grow_with_the_video(
    millstream: Path, tmp_path: Path, temporal: str, release: str, frames: int
) -> None:
    source = make_video(tmp_path / "in.mp4", frames=frames, size="64x48")
    arguments = [*MODELS["identity"], "--temporal", temporal, "--release", release, "--preset", "ultrafast"]
    finished = enhance(millstream, tmp_path, source, *arguments)
    assert finished.code == 0, finished.errors
    assert finished.report["frames"] == frames
    assert slope_mib_per_1000(finished.report) < 0.5
