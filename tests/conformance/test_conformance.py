"""What is in IN is in OUT: every feature in every container, judged by ffprobe and held against a plain ffmpeg."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import CLIPS, QUICK, ROOT, Run, all_clips, ffmpeg
from facts import frame_times, probed, streams
from fidelity import VERDICTS, features_of, table
from inputs import FEATURES, PICTURE, TONE, X264, Feature
from outcome import Outcome, run_all
from real_clips import CONTAINERS as REAL_CONTAINERS
from real_clips import RICH, ClipOutcome, clips_table, run_clip

CASES = [(feature, container) for feature in FEATURES for container in feature.containers]


@pytest.fixture(scope="session")
def outcomes(millstream: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    return run_all(millstream, tmp_path_factory.mktemp("conformance"))


def find(outcomes: list[Outcome], feature: Feature, container: str) -> Outcome:
    return next(o for o in outcomes if o.feature is feature and o.container == container)


@pytest.mark.parametrize(("feature", "container"), CASES, ids=[f"{f.name} in {c}" for f, c in CASES])
def test_everything_in_comes_out_or_the_plan_says_why_not(
    outcomes: list[Outcome], feature: Feature, container: str
) -> None:
    outcome = find(outcomes, feature, container)
    assert outcome.error == ""
    assert {a: v for a, v in outcome.verdicts.items() if v not in VERDICTS} == {}


@pytest.mark.parametrize(("feature", "container"), CASES, ids=[f"{f.name} in {c}" for f, c in CASES])
def test_nothing_is_lost_that_a_plain_ffmpeg_keeps(outcomes: list[Outcome], feature: Feature, container: str) -> None:
    assert find(outcomes, feature, container).worse_than_ffmpeg == []


def test_the_document_is_written_from_the_results(outcomes: list[Outcome], request: pytest.FixtureRequest) -> None:
    version = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout.split()[2]
    text = table(outcomes, version)
    assert "failed" not in text
    page = ROOT / "docs" / "fidelity.md"
    if request.config.getoption("--full"):
        _, heading, clips = page.read_text().partition("\n## Real clips\n")
        page.write_text(text + heading + clips)
    assert features_of(page.read_text()) == features_of(text), "./dev test --full writes it anew"


def test_times_of_a_variable_rate_are_kept_in_mp4_where_ffmpeg_rounds_them(outcomes: list[Outcome]) -> None:
    better = [o.feature.name for o in outcomes if o.container == "mp4" and "frame times" in o.better_than_ffmpeg]
    assert "variable frame rate" in better


def top_level_boxes(path: Path) -> list[str]:
    data, at, names = path.read_bytes(), 0, []
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        names.append(data[at + 4 : at + 8].decode("latin1"))
        size = int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size
        assert size >= 8
        at += size
    assert at == len(data)
    return names


@pytest.mark.parametrize("container", ["mp4", "mov"])
def test_faststart_puts_the_index_in_front_without_changing_anything_else(
    run: Run, video: Path, tmp_path: Path, container: str
) -> None:
    for name, option in (("end", []), ("front", ["--faststart"])):
        done = run("enhance", video, "-o", f"{name}.{container}", *QUICK, *option)
        assert done.returncode == 0, done.stderr
    boxes = top_level_boxes(tmp_path / f"front.{container}")
    assert boxes.index("moov") < boxes.index("mdat")
    assert boxes.count("moov") == 1
    hashes = []
    for name in ("end", "front"):
        path = tmp_path / f"{name}.{container}"
        hashes.append([(p["stream_index"], p["pts"], p["data_hash"]) for p in probed(path)["packets"]])
    assert hashes[0] == hashes[1]


def test_an_unknown_length_leaves_the_index_at_the_end_and_says_so(run: Run, tmp_path: Path) -> None:
    """A file of unknown length, as a recorder leaves it that wrote into a pipe."""
    with (tmp_path / "piped.mkv").open("wb") as pipe:
        command = ["ffmpeg", "-v", "error", *PICTURE, *X264, "-f", "matroska", "-"]
        subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60)
        pipe.write(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60).stdout)
    done = run("enhance", "piped.mkv", "-o", "out.mp4", *QUICK, "--faststart")
    assert done.returncode == 0, done.stderr
    assert "unknown" in done.stderr
    assert top_level_boxes(tmp_path / "out.mp4")[-1] == "moov"


def make_damaged(path: Path, milliseconds: int) -> Path:
    """The moving picture with another time stamp for its tenth frame, at 375 ms: changed in its Matroska block."""
    ffmpeg(*PICTURE, "-c:v", "mpeg4", "-bf", "0", "-g", "100", path)
    data = path.read_bytes()
    block = b"\x81" + (375).to_bytes(2, "big") + b"\x00"  # track, time, flags
    assert data.count(block) == 1
    path.write_bytes(data.replace(block, b"\x81" + milliseconds.to_bytes(2, "big") + b"\x00"))
    return path


@pytest.mark.parametrize(("milliseconds", "sentence"), [(333, "repeated"), (255, "backwards")])
def test_damaged_time_stamps_are_repaired_counted_and_refused_when_strict(
    run: Run, tmp_path: Path, milliseconds: int, sentence: str
) -> None:
    source = make_damaged(tmp_path / "in.mkv", milliseconds)
    done = run("enhance", source, "-o", "out.mkv", *QUICK)
    assert done.returncode == 0, done.stderr
    assert sentence in done.stdout + done.stderr
    assert len(frame_times(tmp_path / "out.mkv")) == len(frame_times(source))
    strict = run("enhance", source, "-o", "strict.mkv", *QUICK, "--strict")
    assert strict.returncode == 7, strict.stderr
    assert not list(tmp_path.glob("strict*"))


def make_flv(path: Path, offset_s: float) -> Path:
    offset = ["-output_ts_offset", str(offset_s), "-avoid_negative_ts", "disabled"]
    ffmpeg(*PICTURE, *TONE, *X264, "-c:a", "aac", *offset, path)
    return path


def test_an_flv_whose_clock_wraps_is_read_as_if_it_did_not(run: Run, tmp_path: Path) -> None:
    """Times below zero, of which the muxer keeps 31 bits: those of a clock that has run for 24.8 days, too."""
    results: list[list[Any]] = []
    for name, offset_s in (("plain", 10), ("wraps", -0.3)):
        source = make_flv(tmp_path / f"{name}.flv", offset_s)
        for container in ("mp4", "mkv"):
            done = run("enhance", source, "-o", f"{name}.{container}", *QUICK, "--strict", "--verify")
            assert done.returncode == 0, done.stderr
        packets = probed(tmp_path / f"{name}.mp4")["packets"]
        results.append([(p["stream_index"], p["pts"], p["data_hash"]) for p in packets])
        results.append(frame_times(tmp_path / f"{name}.mkv"))
    assert results[2:] == results[:2]


def test_an_flv_whose_clock_starts_again_goes_on_where_it_was(run: Run, tmp_path: Path) -> None:
    """Two recordings of the same length in one file, as a live sender leaves it that went away and came back."""
    one = tmp_path / "one.flv"
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=2"]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=24:duration=2", *tone, *X264, "-c:a", "aac", one)
    header_bytes = 13
    (tmp_path / "two.flv").write_bytes(one.read_bytes() + one.read_bytes()[header_bytes:])
    done = run("enhance", "two.flv", "-o", "two.mkv", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "1 time the file's clock started again" in done.stdout + done.stderr
    assert "were repaired" not in done.stdout + done.stderr
    times, source_times = frame_times(tmp_path / "two.mkv"), frame_times(one)
    assert len(times) == 2 * len(source_times)
    steps = [after - before for before, after in itertools.pairwise(times)]
    assert max(steps) < 0.1
    assert min(steps) > 0.03


def test_a_gap_that_no_mp4_can_say_is_refused_and_kept_in_matroska(run: Run, tmp_path: Path) -> None:
    """Thirty days between two frames."""
    source = tmp_path / "gap.mkv"
    late = ["-vf", "setpts='PTS+gte(N,10)*30*86400/TB'", "-fps_mode", "vfr"]
    ffmpeg(*PICTURE, *late, *X264, source)
    refused = run("enhance", source, "-o", "out.mp4", *QUICK)
    assert refused.returncode == 3, refused.stderr
    assert "jump from 0 s to 2592000 s" in refused.stderr
    assert ".mkv" in refused.stderr
    assert not (tmp_path / "out.mp4").exists()
    done = run("enhance", source, "-o", "out.mkv", *QUICK)
    assert done.returncode == 0, done.stderr
    assert frame_times(tmp_path / "out.mkv") == pytest.approx(frame_times(source), abs=0.0011)


def test_a_clean_file_passes_strict(run: Run, video: Path, tmp_path: Path) -> None:
    assert run("enhance", video, "-o", "out.mp4", *QUICK, "--strict").returncode == 0


def test_streams_are_chosen_by_the_numbers_of_inspect(run: Run, tmp_path: Path) -> None:
    from inputs import make_rich

    source = make_rich(tmp_path)
    done = run("enhance", source, "-o", "out.mkv", *QUICK, "--audio", "2", "--subtitles", "none")
    assert done.returncode == 0, done.stderr
    assert [s["codec_name"] for s in streams(tmp_path / "out.mkv", "audio")] == ["ac3"]
    assert streams(tmp_path / "out.mkv", "subtitle") == []
    wrong = run("enhance", source, "-o", "no.mkv", *QUICK, "--audio", "3")
    assert wrong.returncode == 2
    assert "1 (aac, eng), 2 (ac3, jpn)" in wrong.stderr


def test_styled_subtitles_are_converted_only_when_asked(run: Run, tmp_path: Path) -> None:
    from inputs import make_rich

    source = make_rich(tmp_path)
    done = run("enhance", source, "-o", "out.mp4", *QUICK, "--convert-subtitles")
    assert done.returncode == 0, done.stderr
    assert [s["codec_name"] for s in streams(tmp_path / "out.mp4", "subtitle")] == ["mov_text", "mov_text"]


def test_a_pixel_format_can_be_asked_for(run: Run, video: Path, tmp_path: Path) -> None:
    done = run("enhance", video, "-o", "out.mkv", *QUICK, "--pix-fmt", "yuv444p10le")
    assert done.returncode == 0, done.stderr
    assert streams(tmp_path / "out.mkv", "video")[0]["pix_fmt"] == "yuv444p10le"
    wrong = run("enhance", video, "-o", "no.mkv", *QUICK, "--pix-fmt", "rgba")
    assert wrong.returncode == 2
    assert "yuv420p" in wrong.stderr


def real_outcomes(millstream: Path, folder: Path, *, full: bool) -> list[ClipOutcome]:
    chosen = all_clips() if full else [CLIPS / name for name in RICH if (CLIPS / name).exists()]
    return [run_clip(millstream, clip, folder, container) for clip in chosen for container in REAL_CONTAINERS]


@pytest.mark.usefixtures("clips")
def test_real_clips_come_out_whole(millstream: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Rich ones into Matroska and MP4; with --full all of them, and the table is written."""
    full = bool(request.config.getoption("--full"))
    outcomes = real_outcomes(millstream, tmp_path, full=full)
    assert {(o.clip.name, o.container): o.error for o in outcomes if o.error and not o.is_refused} == {}
    lost = {
        (o.clip.name, o.container, aspect): verdict
        for o in outcomes
        for aspect, verdict in o.verdicts.items()
        if verdict not in (*VERDICTS, "repaired")
    }
    assert lost == {}
    page = ROOT / "docs" / "fidelity.md"
    features, _, written = page.read_text().partition("\n## Real clips\n")
    text = clips_table(outcomes)
    if full:
        page.write_text(features.rstrip() + "\n" + text)
    else:
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        assert set(rows) <= set(written.splitlines()), "./dev test --full writes them anew"
