"""`millstream inspect` prints the plan and writes nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from conftest import Run, files_in, make_video


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


def test_r3_1_the_budget_is_shown_with_what_takes_it(run: Run, video: Path) -> None:
    text = run("inspect", video, "--model", "identity", "--max-memory", "1GiB").stdout
    line = next(line for line in text.splitlines() if line.startswith("Memory"))
    assert re.fullmatch(r"Memory +[\d.]+ MiB of 1 GiB: program .*, decoder .*, network .*, encoder .*", line), line
    causes = sum(float(number) for number in re.findall(r"([\d.]+) MiB(?=,|$)", line))
    whole = float(re.search(r"([\d.]+) MiB of", line)[1])  # type: ignore[index]
    assert abs(causes - whole) < 3, "the causes add up"


def test_r3_1_what_does_not_fit_with_the_lock_is_planned_without_it_and_says_so(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=1, size="3840x2160", sound=False)

    def planned(*arguments: str) -> dict[str, Any]:
        done = run("inspect", source, *arguments, "--json")
        assert done.returncode == 0, done.stderr
        plan: dict[str, Any] = json.loads(done.stdout)
        return plan

    plan = planned("--max-memory", "2GiB")
    assert plan["options"]["temporal"] == "medium"
    assert (plan["temporal"], plan["reuse"]) == ("off", "off")
    parts = ("base", "decoder", "network", "frames", "temporal", "reuse", "encoder")
    assert sum(plan["memory"][part] for part in parts) <= 2 << 30
    note = next(note for note in plan["notes"] if "--temporal is off" in note)
    would_do = re.search(r"--max-memory \d+MiB", note)
    assert would_do, note
    assert planned(*would_do[0].split())["temporal"] == "medium"
    refused = run("inspect", source, "--max-memory", "2GiB", "--debug-view", "split")
    assert refused.returncode == 4, "a view of the lock is not planned without it"
    assert "--temporal off" in refused.stderr
