"""Several videos in one call."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import millstream
import pytest
from conftest import QUICK, Run, files_in


@pytest.fixture
def videos(video: Path, tmp_path: Path) -> list[Path]:
    """Two good ones and one that is none."""
    folder = tmp_path / "in"
    folder.mkdir()
    good = [Path(shutil.copy(video, folder / name)) for name in ("a.mp4", "b.mp4")]
    broken = folder / "broken.mp4"
    broken.write_text("no video")
    return [good[0], broken, good[1]]


def test_python_gets_an_item_for_each_and_the_network_is_loaded_once(videos: list[Path], tmp_path: Path) -> None:
    begun: list[tuple[int, int, str, str]] = []
    items = millstream.enhance_all(
        videos,
        tmp_path / "out",
        model="identity",
        scale=1,
        temporal="off",
        preset="ultrafast",
        reports=tmp_path / "run.json",
        begin=lambda *said: begun.append(said),
    )
    assert [item.outcome for item in items] == ["done", "failed", "done"]
    assert [number for number, *_ in begun] == [1, 2, 3]
    assert items[1].error is not None
    assert items[1].error["exit_code"] == 3
    reports = [item.report for item in items if item.report is not None]
    assert sum(report.model_loads for report in reports) == 1
    assert json.loads((tmp_path / "a.mp4.run.json").read_text())["frames"] == reports[0].frames
    assert set(files_in(tmp_path / "out")) == {"a.mp4", "b.mp4"}


def test_an_exception_of_a_callback_ends_the_whole(videos: list[Path], tmp_path: Path) -> None:
    def refuse(number: int, *_: object) -> None:
        if number == 3:
            raise ValueError("enough")

    with pytest.raises(ValueError, match="enough"):
        millstream.enhance_all(videos, tmp_path / "out", model="identity", scale=1, temporal="off", begin=refuse)
    assert set(files_in(tmp_path / "out")) <= {"a.mp4", "b.mp4.part", "b.mp4.millstream.json"}


def test_the_program_goes_on_behind_a_failure_and_leaves_what_is_there(
    videos: list[Path], run: Run, tmp_path: Path
) -> None:
    done = run("enhance", *videos, "-o", "out/", *QUICK)
    assert done.returncode == 3
    assert "[2/3]" in done.stderr
    assert "3 videos: 2 done, 1 failed" in done.stdout
    before = files_in(tmp_path / "out")
    assert set(before) == {"a.mp4", "b.mp4"}
    again = run("enhance", *videos, "-o", "out", *QUICK[:-2], "--progress", "json")
    events = [json.loads(line) for line in again.stdout.splitlines()]
    assert [event["event"] for event in events if event["event"] in ("begin", "error", "batch")] == [
        "begin",
        "error",
        "batch",
    ]
    assert [item["outcome"] for item in events[-1]["items"]] == ["exists", "failed", "exists"]
    assert events[-1]["exit_code"] == again.returncode == 3
    assert files_in(tmp_path / "out") == before


def test_the_first_failure_ends_it_where_that_is_asked(videos: list[Path], run: Run, tmp_path: Path) -> None:
    done = run("enhance", *videos, "-o", "out", *QUICK, "--fail-fast")
    assert done.returncode == 3
    assert "not begun: " + str(videos[2]) in done.stdout
    assert set(files_in(tmp_path / "out")) == {"a.mp4"}


def test_a_device_that_is_not_there_is_refused_with_those_that_are(video: Path, run: Run, tmp_path: Path) -> None:
    done = run("enhance", video, "-o", "out.mp4", "--device", "cuda:97", *QUICK)
    assert done.returncode == 2
    assert "Here there are: cpu (" in done.stderr
    assert not list(tmp_path.iterdir())
    plan = json.loads(run("inspect", video, "--device", "cpu", "--json", *QUICK[:-2]).stdout)
    assert plan["device"] == "cpu"
    assert plan["device_name"] in done.stderr
