"""`millstream inspect` prints the plan and writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Run, files_in


def test_the_plan_is_text_or_json_and_nothing_is_written(run: Run, video: Path, tmp_path: Path) -> None:
    before = files_in(video.parent), files_in(tmp_path)
    text = run("inspect", video, "--model", "identity", "--scale", "3")
    assert text.returncode == 0, text.stderr
    assert "480x270" in text.stdout
    done = run("inspect", video, "--model", "identity", "--scale", "3", "--json")
    plan = json.loads(done.stdout)
    assert plan["output_size"] == {"width": 480, "height": 270}
    assert [stream["action"] for stream in plan["streams"]] == ["enhance", "copy"]
    assert (files_in(video.parent), files_in(tmp_path)) == before


def test_an_existing_output_is_a_refusal_as_in_enhance(run: Run, video: Path, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").touch()
    assert run("inspect", video, "-o", "out.mp4", "--model", "identity").returncode == 2
    assert run("inspect", video, "-o", "out.mp4", "--model", "identity", "-y").returncode == 0


def test_no_audio_is_in_the_plan_with_its_reason(run: Run, video: Path) -> None:
    plan = json.loads(run("inspect", video, "--model", "identity", "--no-audio", "--json").stdout)
    sound = plan["streams"][1]
    assert sound["action"] == "drop"
    assert sound["reason"]
