"""Real and damaged clips through the sanitized program: no crash, hang or leak; a result or a clear refusal.

The smallest of them in a seeded subset; with --full every clip, and docs/clips.md is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CLIPS, QUICK, ROOT, Run, built, files_in, seeded_subset

# Sanitized decoding and encoding of a large clip takes minutes: those are for --full.
SMALL_BYTES = 600_000
NO_VIDEOS = {".md", ".png", ".jpg"}


def candidates(*, full: bool) -> list[Path]:
    clips = [path for path in CLIPS.glob("*.*") if path.suffix not in NO_VIDEOS]
    damaged = list(CLIPS.glob("hostile/*"))
    if full:
        return sorted(clips + damaged)
    small = [path for path in damaged if path.stat().st_size <= SMALL_BYTES]
    drawn = [path for path in clips if path.stat().st_size <= SMALL_BYTES // 4]
    return seeded_subset(small, 10, full=False) + seeded_subset(drawn, 4, full=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    found = candidates(full=metafunc.config.getoption("--full"))
    if not found:
        found = [pytest.param(None, marks=pytest.mark.skip(f"no clips at {CLIPS}"))]  # type: ignore[list-item]
    metafunc.parametrize("clip", found, ids=lambda clip: clip.name if clip else "none")


@pytest.fixture(scope="module")
def rows(pytestconfig: pytest.Config) -> Iterator[list[str]]:
    """A row a clip; written down at the end of a full run."""
    collected: list[str] = []
    yield collected
    if pytestconfig.getoption("--full") and collected:
        head = (
            "# Real and hostile clips under the sanitizers\n\n"
            "Written by `./dev test --full`: each clip through decoder, identity network and encoder, with the address "
            "and undefined-behaviour sanitizers and leak detection on. A clip has a row when nothing crashed, hung or "
            f"leaked: {len(collected)} of {len(candidates(full=True))}.\n\n"
            "| clip | exit code | what was said |\n|---|---|---|\n"
        )
        (ROOT / "docs/clips.md").write_text(head + "\n".join(sorted(collected)) + "\n")


def said(errors: str) -> str:
    """Warnings and refusals, without the folder's name."""
    lines = [line for line in errors.splitlines() if line.startswith(("warning:", "note:", "millstream:"))]
    return "<br>".join(lines).replace(f"{CLIPS}/", "").replace("|", "/") or "-"


def test_sanitized_run_ends_well(clip: Path, run: Run, tmp_path: Path, rows: list[str]) -> None:
    binary = built("MILLSTREAM_ASAN_BIN", "build/asan/millstream")
    done = run("enhance", *QUICK, "-o", "out.mkv", "--", clip, binary=binary, timeout=900)
    assert "Sanitizer" not in done.stderr, done.stderr[-4000:]
    assert "runtime error" not in done.stderr, done.stderr[-4000:]
    if done.returncode == 0:
        assert set(files_in(tmp_path)) == {"out.mkv"}
    else:
        assert done.returncode in {2, 3, 4}, done.stderr
        assert done.stderr.startswith("millstream: ")
        assert not files_in(tmp_path)
    rows.append(f"| `{clip.name}` | {done.returncode} | {said(done.stderr)} |")
