"""--report, --metrics-file and --strict-io: what a run tells about itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import QUICK, ROOT, Run, ffmpeg, make_video
from jsonschema import Draft202012Validator
from numpy.typing import NDArray


def checked(path: Path) -> dict[str, Any]:
    """The report, valid against the committed schema."""
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    report: dict[str, Any] = json.loads(path.read_text())
    Draft202012Validator(schema).validate(report)
    unknown = set(report) - set(schema["properties"])
    assert not unknown, f"not described in docs/report.schema.json: {unknown}"
    return report


def test_r7_5_the_report_says_what_happened(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=40)
    done = run("enhance", source, "-o", "out.mp4", *QUICK, "--report", "r.json", "--report", "r.html")
    assert done.returncode == 0, done.stderr
    report = checked(tmp_path / "r.json")
    assert report["outcome"] == "done"
    assert report["failure"] is None
    assert report["frames"] == 40
    assert report["model"] == "identity"
    assert report["output_bytes"] == (tmp_path / "out.mp4").stat().st_size
    assert report["peak_vram_bytes"] is None
    assert report["mean_rss_bytes"] <= report["peak_rss_bytes"] < 4 * 2**30
    assert report["fps_p99"] <= report["fps_p50"]
    assert report["bottleneck"]["stage"] in [stage["name"] for stage in report["stages"]]
    assert report["curve"][-1]["frames"] == 40
    assert report["versions"]["millstream"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "out.mp4", "r.html", "r.json"]


def test_r7_4_the_report_lists_every_file_with_its_bytes(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=40)
    arguments = ["--report", "r.json", "--report", "r.html", "--metrics-file", "m.prom", "--strict-io"]
    done = run("enhance", source, "-o", "out.mp4", *QUICK, *arguments)
    assert done.returncode == 0, done.stderr
    report = checked(tmp_path / "r.json")
    files = {(Path(file["path"]).name, file["role"]): file for file in report["files"]}
    assert files["in.mp4", "input"]["bytes_read"] >= source.stat().st_size
    assert files["out.mp4", "output"]["bytes_written"] >= (tmp_path / "out.mp4").stat().st_size
    for name in ("r.json", "r.html"):
        assert files[name, "report"]["bytes_written"] == (tmp_path / name).stat().st_size
    assert not [role for _, role in files if role == "unexpected"]
    assert report["disk"]["unexplained_bytes"] == 0


def test_a_run_that_fails_reports_why(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "in.mp4"
    make_video(source, frames=40)
    broken = source.read_bytes()
    begin, end = broken.index(b"mdat") + 4, broken.index(b"moov") - 4
    middle = (begin + end) // 2  # what comes before is enough to plan the job
    source.write_bytes(broken[:middle] + bytes(end - middle) + broken[end:])
    done = run("enhance", source, "-o", "out.mp4", *QUICK, "--strict", "--report", "r.json", "--report", "r.html")
    assert done.returncode != 0
    report = checked(tmp_path / "r.json")
    assert report["outcome"] == "failed"
    assert report["failure"]["exit_code"] == done.returncode
    assert report["failure"]["why"] in done.stderr
    assert not (tmp_path / "out.mp4").exists()


def test_an_interrupted_run_reports_what_it_did_until_then(millstream: Path, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=3000, size="160x90", sound=False)
    report_path = tmp_path / "r.json"
    quick = [word for word in QUICK if word not in ("--progress", "none")]
    command = [millstream, "enhance", source, "-o", tmp_path / "out.mp4", *quick, "--chunk", "24f"]
    watched = ["--progress", "json", "--report", report_path]
    with subprocess.Popen([*map(str, [*command, *watched])], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "progress" and event["frames_done"] >= 60:
                process.send_signal(signal.SIGINT)
                break
        process.communicate(timeout=60)
    assert process.returncode == 130
    report = checked(report_path)
    assert report["outcome"] == "interrupted"
    assert 60 <= report["frames"] < 3000
    assert report["checkpoints"] >= 2
    assert report["input_bytes"] == source.stat().st_size
    assert report["output_bytes"] > 0
    assert report["model_loads"] == 1
    assert report["precision"] == report["plan"]["precision"]
    busy = {stage["name"]: stage["busy_s"] for stage in report["stages"]}
    assert busy["decode"] > 0
    assert busy["encode"] > 0
    assert report["bottleneck"]["stage"] in busy
    assert report["wall_s"] > report["curve"][-1]["time_s"], "the run begins before the plan is made"


def test_r7_4_what_nobody_expects_ends_a_strict_run(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=240, size="320x180", sound=False)
    passes = ["--encoder-options", "x264-params=pass=1:stats=stats.log"]
    done = run("enhance", source, "-o", "out.mp4", *QUICK, *passes, "--strict-io", "--report", "r.json")
    assert done.returncode == 7, done.stderr
    assert "stats.log" in done.stderr
    assert not (tmp_path / "out.mp4").exists()
    report = checked(tmp_path / "r.json")
    assert report["failure"]["exit_code"] == 7
    assert any(file["role"] == "unexpected" for file in report["files"])
    assert report["frames"] == 240


def test_metrics_that_cannot_be_written_end_no_run(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=40)
    (tmp_path / "m.prom.tmp").mkdir()  # its place until it is complete
    done = run("enhance", source, "-o", "out.mp4", *QUICK, "--metrics-file", "m.prom", "--report", "r.json")
    assert done.returncode == 0, done.stderr
    report = checked(tmp_path / "r.json")
    assert report["frames"] == 40
    assert len([warning for warning in report["warnings"] if "--metrics-file" in warning]) == 1


def test_time_saved_does_not_count_what_putting_frames_together_takes(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "still.mkv"
    ffmpeg("-f", "lavfi", "-i", "color=gray:size=96x64:rate=24", "-frames:v", "240", "-c:v", "ffv1", source)
    arguments = ["--preset", "ultrafast", "--temporal", "off", "--reuse", "safe", "--report", "r.json"]
    done = run("enhance", source, "-o", "out.mp4", "--progress", "none", *arguments)
    assert done.returncode == 0, done.stderr
    report = checked(tmp_path / "r.json")
    share = report["reuse"]["share_computed"]
    assert share < 0.05
    stage_s = next(stage["busy_s"] for stage in report["stages"] if stage["name"] == "enhance")
    assert 0 < report["reuse"]["time_saved_s"] < 0.9 * stage_s / share * (1 - share)


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--report", "r.pdf"], 2, ".json or .html"),
        (["--report", "out.mp4.json/none/r.json"], 4, "folder"),
        (["--report", "in.mp4"], 2, ""),
        (["--metrics-file", "out.mp4"], 2, "the video itself"),
        (["--pressure", "92,80"], 2, "80,92"),
    ],
)
def test_what_cannot_be_told_is_refused_before_the_start(
    run: Run, tmp_path: Path, arguments: list[str], code: int, word: str
) -> None:
    source = make_video(tmp_path / "in.mp4", frames=4)
    before = source.read_bytes()
    done = run("enhance", source, "-o", "out.mp4", *QUICK, *arguments)
    assert done.returncode == code, done.stderr
    assert word in done.stderr
    assert source.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_metrics_are_in_prometheus_text_format(run: Run, tmp_path: Path) -> None:
    source = make_video(tmp_path / "in.mp4", frames=40)
    assert run("enhance", source, "-o", "out.mp4", *QUICK, "--metrics-file", "m.prom").returncode == 0
    values: dict[str, float] = {}
    typed: set[str] = set()
    for line in (tmp_path / "m.prom").read_text().splitlines():
        if declared := re.fullmatch(r"# TYPE (\w+) (counter|gauge)", line):
            typed.add(declared[1])
        elif not line.startswith("# HELP "):
            sample = re.fullmatch(r"(millstream_\w+) (\S+)", line)
            assert sample, line
            assert sample[1] in typed, "a sample's type comes before it"
            values[sample[1]] = float(sample[2])
    assert values["millstream_frames_total"] == 40
    assert values["millstream_resident_memory_bytes"] > 2**20
    assert values["millstream_output_bytes_total"] > 0
    assert not (tmp_path / "m.prom.tmp").exists()


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


def browse(browser: str, folder: Path, page: Path, width: int, *arguments: str) -> str:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},1600"]
    profile = f"--user-data-dir={folder / 'profile'}"
    command = [browser, *options, profile, *arguments, page.as_uri()]
    environment = {**os.environ, "HOME": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment).stdout


def picture(path: Path) -> NDArray[np.uint8]:
    """A screenshot as luma, [height, width]."""
    size = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", path],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split(",")
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(int(size[1]), int(size[0]))


def test_the_page_is_light_or_dark_as_the_reader_wants_it_and_fits_a_phone(run: Run, tmp_path: Path) -> None:
    browser = chromium()
    source = make_video(tmp_path / "in.mp4", frames=40)
    assert run("enhance", source, "-o", "out.mp4", *QUICK, "--report", "r.html").returncode == 0
    page = tmp_path / "r.html"
    shots = {}
    for name, arguments in (("light", []), ("dark", ["--force-dark-mode"])):
        shot = tmp_path / f"{name}.png"
        browse(browser, tmp_path, page, 390, f"--screenshot={shot}", *arguments)
        shots[name] = picture(shot)
    assert np.median(shots["light"]) > 200
    assert np.median(shots["dark"]) < 80
    for pixels in shots.values():
        written = np.abs(pixels.astype(int) - int(np.median(pixels))) > 60
        assert 0.005 < written.mean() < 0.5, "text and curves on a plain ground"
    asked = tmp_path / "asked.html"
    asked.write_text(
        page.read_text() + "<script>document.title = 'wide ' + document.documentElement.scrollWidth</script>"
    )
    for width in (500, 1200):  # headless windows are no narrower than 500
        shown = browse(browser, tmp_path, asked, width, "--dump-dom")
        wide = re.search(r"<title>wide (\d+)</title>", shown)
        assert wide, "the page's own script has run"
        assert int(wide[1]) <= width, "nothing hangs over to the right"


@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_draws_itself_in_a_browser(run: Run, tmp_path: Path, width: int) -> None:
    browser = chromium()
    source = make_video(tmp_path / "a <!--<script> b.mp4", frames=40)
    done = run("enhance", source, "-o", "out.mp4", *QUICK, "--report", "r.html")
    assert done.returncode == 0, done.stderr
    page = tmp_path / "r.html"
    assert not re.search(r"""(?:src|href)\s*=|@import|url\(|fetch\(""", page.read_text()), (
        "it must not need the network"
    )
    shown = browse(browser, tmp_path, page, width, "--dump-dom")
    body = shown[shown.index("<body") : shown.rindex("<script>")]
    assert body.count("<svg") >= 2, "memory and speed as curves"
    assert "a &lt;!--&lt;script&gt; b.mp4" in body
    for text in ("Done", "40", "frames", "peak memory", "Where the time went", "holds the run up", "Nothing else was"):
        assert text in body, text


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_r7_4_the_account_is_that_of_the_kernel(millstream: Path, tmp_path: Path) -> None:
    """Bytes a file as the report has them, against every write the kernel was asked for."""
    source = make_video(tmp_path / "in.mp4", frames=60)
    log = tmp_path / "strace.log"
    calls = "trace=openat,open,creat,write,pwrite64,writev,pwritev,rename,renameat,renameat2"
    command = [millstream, "enhance", source, "-o", tmp_path / "out.mp4", *QUICK, "--chunk", "24f"]
    report_path = tmp_path / "r.json"
    trace = ["strace", "-ff", "-y", "-qq", "-s", "0", "-o", log, "-e", calls]
    subprocess.run([*map(str, [*trace, *command, "--report", report_path])], check=True, capture_output=True)
    written: dict[str, int] = {}
    lines = [line for part in tmp_path.glob("strace.log.*") for line in part.read_text().splitlines()]  # one a thread
    for line in lines:
        call = re.search(r"p?write(?:64|v)?\(\d+<(/[^>]+)>.* = (\d+)$", line)
        if call and not call[1].startswith(("/dev/", "/proc/")):
            written[Path(call[1]).name] = written.get(Path(call[1]).name, 0) + int(call[2])
    report = checked(report_path)
    told = {Path(file["path"]).name: file["bytes_written"] for file in report["files"] if file["bytes_written"] > 0}
    assert report["checkpoints"] >= 2
    assert told == {
        "out.mp4": written["out.mp4.part"],
        "out.mp4.millstream.json": written["out.mp4.millstream.json.tmp"],
        "r.json": written["r.json.tmp"],
    }
    assert set(written) == {"out.mp4.part", "out.mp4.millstream.json.tmp", "r.json.tmp"}
