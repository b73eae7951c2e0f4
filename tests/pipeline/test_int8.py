"""`--precision int8`: the network is fitted to 8-bit integers on pictures of the video, or left as it is."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from pathlib import Path

import numpy as np
from conftest import Run, ffmpeg
from numpy.typing import NDArray
from test_report import checked
from test_resume import kill_with_done, packets

REAL = ["--model", "realesr-animevideov3", "--scale", "2", "--temporal", "off", "--reuse", "off"]


def make_source(path: Path, frames: int = 60) -> Path:
    pictures = "life=size=96x64:rate=24:seed=2,gblur=4"  # soft: all that can be in integers will be
    ffmpeg("-f", "lavfi", "-i", pictures, "-frames:v", str(frames), "-pix_fmt", "yuv420p", "-crf", "14", path)
    return path


def pixels(path: Path) -> NDArray[np.float64]:
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.uint8).astype(float)


def test_most_of_the_work_is_done_in_integers_and_the_plan_says_how_like_it_is(run: Run, tmp_path: Path) -> None:
    source = make_source(tmp_path / "in.mkv", frames=12)
    outputs = {}
    for precision in ("fp32", "int8"):
        output, report = tmp_path / f"{precision}.mkv", tmp_path / f"{precision}.json"
        done = run("enhance", source, "-o", output, *REAL, "--precision", precision, "--report", report, "--crf", "4")
        assert done.returncode == 0, done.stderr
        told = checked(report)
        assert told["precision"] == precision
        outputs[precision] = pixels(output)
        if precision == "int8":
            notes = " ".join(told["plan"]["notes"])
            found = re.search(r"(\d+) of (\d+) inner convolutions .* (\d+) % of the work: ([\d.]+) dB", notes)
            assert found, notes
            assert 0 < int(found[1]) <= int(found[2]) == 17
            assert int(found[3]) >= 25
            assert float(found[4]) >= 45
    error = np.mean((outputs["int8"] - outputs["fp32"]) ** 2)
    assert error > 0  # it did work in integers
    assert 10 * np.log10(255**2 / error) >= 40  # on whole pictures, behind the encoder


def test_an_interrupted_job_is_fitted_alike(millstream: Path, tmp_path: Path) -> None:
    source = make_source(tmp_path / "in.mkv")
    int8 = ["--precision", "int8", "--chunk", "24f", "--progress", "none"]
    job = [str(millstream), "enhance", str(source), *REAL, *int8]
    whole, killed = tmp_path / "whole.mkv", tmp_path / "killed.mkv"
    subprocess.run([*job, "-o", str(whole)], check=True, capture_output=True, timeout=200)
    kill_with_done([*job, "-o", str(killed)], 24)
    resolved = json.loads(Path(f"{killed}.millstream.json").read_text())["content"]["resolved"]
    assert resolved["precision"] == "int8"
    assert len(resolved["int8"]) == 64
    done = subprocess.run([*job, "-o", str(killed)], check=True, capture_output=True, text=True, timeout=200)
    assert "resumed at frame" in done.stdout + done.stderr
    assert packets(killed, "v") == packets(whole, "v")


def test_ctrl_c_while_the_network_is_fitted_ends_the_job(millstream: Path, tmp_path: Path) -> None:
    source = make_source(tmp_path / "in.mkv")
    job = [str(millstream), "enhance", str(source), *REAL, "--precision", "int8", "--progress", "json"]
    with subprocess.Popen([*job, "-o", str(tmp_path / "out.mkv")], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "fitting the network" in json.loads(line).get("text", ""):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        process.wait(timeout=60)
    assert process.returncode == 130
    assert '"plan"' not in rest  # it was not planned to its end
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_a_network_without_features_runs_as_it_would_anyway(run: Run, tmp_path: Path) -> None:
    source = make_source(tmp_path / "in.mkv", frames=3)
    plan = run("inspect", source, "-o", "out.mkv", "--model", "identity", "--precision", "int8", "--json")
    assert plan.returncode == 0, plan.stderr
    told = json.loads(plan.stdout)
    assert told["precision"] in ("fp32", "bf16")
    assert any("int8 is not used" in note for note in told["notes"])


def test_torch_does_not_work_in_integers(run: Run, tmp_path: Path) -> None:
    source = make_source(tmp_path / "in.mkv", frames=3)
    done = run("enhance", source, "-o", "out.mkv", *REAL, "--precision", "int8", "--backend", "torch")
    assert done.returncode == 2
    assert "int8 runs on the CPU with OpenVINO only" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]
