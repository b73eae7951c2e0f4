"""Ctrl-C and its like, on the fake library: what is tested is the command line's part."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest


def start(program: Path, *arguments: str, ignoring: signal.Signals | None = None) -> subprocess.Popen[str]:
    command = [str(program), "enhance", "-o", "out.mp4", *arguments]
    if ignoring:
        command = ["sh", "-c", f'trap "" {ignoring.name.removeprefix("SIG")}; exec "$@"', "sh", *command]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"ended without saying {text!r}")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_first_signal_stops_the_job_and_says_so(fake_millstream: Path, sent: signal.Signals) -> None:
    with start(fake_millstream, "--progress", "lines", "endless.mp4") as process:
        wait_for(process, "0/10 frames")
        process.send_signal(sent)
        _, messages = process.communicate(timeout=20)
    assert process.returncode == 130
    assert f"{sent.name}: finishing the frames in hand" in messages
    assert "out.mp4.part" in messages


def test_second_signal_quits_at_once(fake_millstream: Path) -> None:
    with start(fake_millstream, "--progress", "lines", "deaf.mp4") as process:
        wait_for(process, "0/10 frames")
        process.send_signal(signal.SIGINT)
        wait_for(process, "Once more quits at once")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 130


def test_a_signal_ignored_at_the_start_stays_ignored(fake_millstream: Path) -> None:
    with start(fake_millstream, "--progress", "lines", "endless.mp4", ignoring=signal.SIGHUP) as process:
        wait_for(process, "0/10 frames")
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "SIGHUP" not in messages


def test_json_tells_the_stop_and_the_error(fake_millstream: Path) -> None:
    with start(fake_millstream, "--progress", "json", "endless.mp4") as process:
        assert process.stdout
        lines = [process.stdout.readline(), process.stdout.readline()]  # plan, progress
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=20)
    events = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert [event["event"] for event in events] == ["plan", "progress", "stopping", "error"]
    assert events[2]["signal"] == "SIGTERM"
    assert events[3]["exit_code"] == process.returncode == 130


def test_a_reader_that_goes_away_does_not_end_the_job(fake_millstream: Path) -> None:
    command = f"'{fake_millstream}' enhance in.mp4 -o out.mp4 --progress json | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=20)
    assert done.stdout == "0\n"
