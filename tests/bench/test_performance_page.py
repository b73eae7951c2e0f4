"""The page of the public benchmark, from figures made up here."""

from __future__ import annotations

from pathlib import Path

from performance_page import page, write_page
from performance_records import (
    Document,
    Entry,
    Likeness,
    Plan,
    Profile,
    Sample,
    StageCost,
    Taken,
    Trial,
    Truth,
    load,
    save,
)

MACHINE = {"cpu": "A Processor", "cores": 2, "bf16": False, "memory_gib": 8.0, "kernel": "1.2", "gpu": None}


def sample(wall_s: float, share: float | None = None) -> Sample:
    return Sample(wall_s, 2 * wall_s, 500, 1.5, 1.0, 0.25, share)


def entry(key: str, *walls: float, share: float | None = None) -> Entry:
    return Entry(key, f"Title of {key}", f"run-{key} IN OUT", [sample(wall, share) for wall in walls])


def trial(name: str, frames: int = 12) -> Trial:
    entries = [
        entry("ours_off", 10, 20),
        entry("ours_safe", 2, 4, share=0.31),
        entry("ours_fast", 1, 2, share=0.04),
        entry("mlrt_ov_fp32", 8, 25),
        Entry("other", "Title of other", "", [], "it needs a moon"),
    ]
    return Trial(name, 640, 360, frames, entries)


def full() -> Document:
    document = Document()
    document.put_trial("peers", trial("sample film"))
    document.put_trial("clips", trial("chaplin"))
    for frames in (12, 36):
        document.put_trial("length", trial(f"{frames} frames", frames))
    document.put_trial("size", trial("640x360"))
    document.likeness = [Likeness("chaplin", 640, 352, 3, "safe", 0.31, 0.4, 48.5, 41.0)]
    document.plans = [Plan("chaplin", 640, 350, "safe", 0.28, 2.5, 3.1, [1.0, 0.2, 0.3])]
    document.truth = [Truth("chaplin", 640, 352, 3, "safe", 33.123, 0.072, 0.99)]
    stages = [StageCost("decode", 0.12, 0, 1), StageCost("enhance", 6, 0.5, 0)]
    parts = {"decode": 0.1, "infer": 10.0, "encode": 0.9}
    document.profiles = [Profile("Title of job", 640, 360, 12, 6.5, 11.5, 0.0, None, stages, parts, 285.0, 400.0)]
    for section in ("peers", "clips", "profile"):
        document.taken[section] = Taken(
            "2026-01-01", MACHINE, {"millstream": "9.9"}, f"./dev bench peers --only {section}"
        )
    return document


def row_of(text: str, start: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_page_of_nothing_says_that_nothing_was_measured() -> None:
    text = page(Document())
    assert text.count("Not measured.") == 9
    assert "![" not in text, "plots that are not there"


def test_programs_are_compared_by_the_median_and_round_by_round() -> None:
    cells = row_of(page(full()), "Title of ours_off")
    assert cells[1] == "0.90", "frames a second: median of 12/10 and 12/20"
    assert cells[2] == "1.02", "median of 10/8 and 20/25"
    assert cells[4:7] == ["500", "1.50", "1.50"]


def test_a_program_that_did_not_run_says_why() -> None:
    text = page(full())
    assert "skipped: it needs a moon" in text
    assert "- Title of other: it needs a moon." in text


def test_targets_stand_beside_figures_and_missed_ones_are_bold() -> None:
    cells = row_of(page(full()), "chaplin, 640x360")
    assert cells[1] == "0.31 (<= 0.5)"
    assert cells[3] == "0.20 (<= 0.62)"
    assert cells[6] == "0.21 (<= 0.5)", "median of 2/8 and 4/25"
    likeness = row_of(page(full()), "chaplin | safe")
    assert likeness[5:7] == ["48.50 (>= 48)", "**41.00** (>= 42)"]
    assert row_of(page(full()), "chaplin, 640x352")[4:] == ["**0.072** (<= 0.05)", "0.99 (<= 1)"]


def test_shares_are_the_mean_of_their_frames_beside_what_is_asked() -> None:
    assert row_of(page(full()), "chaplin, 640x350 | safe")[2:7] == ["3", "0.28", "0.50 (<= 0.5)", "2", "3.10"]


def test_start_and_frame_are_those_of_a_straight_line() -> None:
    document = full()
    document.trials["length"] = [
        Trial(f"{frames}", 320, 180, frames, [entry("ours_off", 2 + 0.5 * frames)]) for frames in (10, 20, 40)
    ]
    section = page(document).split("## Time and memory against length")[1]
    assert row_of(section, "Title of ours_off")[1:6] == ["7.00 s", "12.0 s", "22.0 s", "2.00", "0.50"]


def test_the_profile_holds_the_job_against_its_parts_and_the_processor() -> None:
    text = page(full())
    assert row_of(text, "enhance") == ["enhance", "500", "92 %", "0.50", "0.00", "833"]
    assert "take 11.0 CPU s: with 2 cores kept busy all the time 5.50 s, 85 % of the job's time" in text
    assert "or of its processor time 96 %" in text
    assert "that is 0.71 s, and it takes 0.42 s by itself: 171 %" in text


def test_what_is_not_shown_follows_from_what_was_measured() -> None:
    text = page(full())
    assert "Nothing was measured on a GPU" in text
    assert "No machine that is faster in bf16" in text
    assert "Clips were measured over 12 to 12 frames" in text
    document = full()
    for taken in document.taken.values():
        taken.machine = {**MACHINE, "bf16": True, "gpu": "A Card"}
    document.trials["clips"] = [trial("chaplin", 120)]
    text = page(document)
    assert "GPU;" not in text
    assert "No machine that is faster in bf16" not in text
    assert "Clips were measured over" not in text


def test_commands_are_listed_once() -> None:
    text = page(full())
    assert text.count("run-ours_off IN OUT") == 1
    assert "./dev bench peers --only clips" in text


def test_a_document_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "performance.json"
    save(full(), path)
    assert load(path) == full()
    assert load(tmp_path / "none.json") == Document()


def test_a_trial_takes_the_place_of_the_one_with_its_name() -> None:
    document = full()
    document.put_trial("length", trial("12 frames", 13))
    assert [t.frames for t in document.trials["length"]] == [13, 36]


def test_every_plot_of_the_page_is_written_and_old_ones_go(tmp_path: Path) -> None:
    (tmp_path / "performance").mkdir()
    (tmp_path / "performance/old.svg").touch()
    written = write_page(full(), tmp_path)
    shown = {part.split(")")[0] for part in page(full()).split("](performance/")[1:]}
    assert shown == {path.name for path in written} - {"performance.md"}
    assert {path.name for path in (tmp_path / "performance").iterdir()} == shown
