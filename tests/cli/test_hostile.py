"""Real and damaged clips through the sanitized program: no crash, hang or leak; a result or a clear refusal.

Files damaged here, always; of the clips the smallest in a seeded subset, with --full every one, and docs/clips.md is
written."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import (
    CLIPS,
    QUICK,
    ROOT,
    Run,
    all_clips,
    built,
    excerpt,
    excerpts_in_words,
    files_in,
    make_video,
    seeded_subset,
)

# Sanitized decoding and encoding of a large clip takes minutes: those are for --full.
SMALL_BYTES = 600_000


def candidates(*, full: bool) -> list[Path]:
    clips = all_clips()
    if full:
        return clips
    small = [path for path in clips if path.parent != CLIPS and path.stat().st_size <= SMALL_BYTES]
    drawn = [path for path in clips if path.parent == CLIPS and path.stat().st_size <= SMALL_BYTES // 4]
    return seeded_subset(small, 10, full=False) + seeded_subset(drawn, 4, full=False)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "clip" not in metafunc.fixturenames:
        return
    found = candidates(full=metafunc.config.getoption("--full"))
    if not found:
        found = [pytest.param(None, marks=pytest.mark.skip(f"no clips at {CLIPS}"))]  # type: ignore[list-item]
    metafunc.parametrize("clip", found, ids=lambda clip: clip.name if clip else "none")


HEAD = """# Real and hostile clips under the sanitizers

Written by `./dev test --full`: each clip through decoder, identity network and encoder into Matroska, with the address
and undefined-behaviour sanitizers and leak detection on. {well} of {total} ended well: nothing crashed, hung or leaked.
{excerpts}Exit code 3: no video can be read in it, which is said; nothing is written.
Warnings about memory, of which the sanitizers take most, are left out.

| clip | exit code | what was said |
|---|---|---|
"""


@pytest.fixture(scope="module")
def rows(pytestconfig: pytest.Config) -> Iterator[list[str]]:
    """A row a clip; written down at the end of a full run."""
    collected: list[str] = []
    yield collected
    if pytestconfig.getoption("--full") and collected:
        failed = sum("**failed**" in row for row in collected)
        total = len(candidates(full=True))
        head = HEAD.format(well=len(collected) - failed, total=total, excerpts=excerpts_in_words())
        (ROOT / "docs/clips.md").write_text(head + "\n".join(sorted(collected)) + "\n")


def said(text: str) -> str:
    """Warnings and refusals, without the folder's name."""
    lines = [line for line in text.splitlines() if line.startswith(("warning:", "note:", "millstream:"))]
    lines = [line for line in dict.fromkeys(lines) if not line.startswith("warning: memory")]
    return "<br>".join(lines).replace(f"{CLIPS}/", "").replace("|", "/") or "-"


def ends_well(run: Run, source: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """What the sanitized program has said of it."""
    binary = built("MILLSTREAM_ASAN_BIN", "build/asan/millstream")
    done = run("enhance", *QUICK, "-o", "out.mkv", "--", source, binary=binary, timeout=900)
    assert "Sanitizer" not in done.stderr, done.stderr[-4000:]
    assert "runtime error" not in done.stderr, done.stderr[-4000:]
    if done.returncode == 0:
        assert set(files_in(tmp_path)) == {"out.mkv"}
    else:
        assert done.returncode in {2, 3, 4}, done.stderr
        assert done.stderr.startswith("millstream: ")
        assert not files_in(tmp_path)
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


def test_sanitized_run_ends_well(clip: Path, run: Run, tmp_path: Path, folder: Path, rows: list[str]) -> None:
    try:
        done = ends_well(run, excerpt(clip, folder), tmp_path)
    except BaseException:
        rows.append(f"| `{clip.name}` | **failed** | see the log of the tests |")
        raise
    rows.append(f"| `{clip.name}` | {done.returncode} | {said(done.stdout + done.stderr)} |")


# Damage made here: name -> what is done to the bytes of a good file of that kind.


def cut_in_the_middle(data: bytearray) -> bytearray:
    return data[: len(data) // 2]


def bits_flipped(data: bytearray) -> bytearray:
    chance = random.Random(7)
    for _ in range(40):
        data[chance.randrange(len(data) // 8, len(data) * 7 // 8)] ^= 1 << chance.randrange(8)
    return data


def zeros_in_the_middle(data: bytearray) -> bytearray:
    data[len(data) * 2 // 5 : len(data) * 3 // 5] = bytes(len(data) * 3 // 5 - len(data) * 2 // 5)
    return data


def head_missing(data: bytearray) -> bytearray:
    return data[len(data) // 5 :]


DAMAGED: dict[str, Callable[[bytearray], bytearray]] = {
    "cut.mp4": cut_in_the_middle,
    "cut.mkv": cut_in_the_middle,
    "cut.ts": cut_in_the_middle,
    "flipped.mp4": bits_flipped,
    "flipped.mkv": bits_flipped,
    "flipped.ts": bits_flipped,
    "zeros.mkv": zeros_in_the_middle,
    "zeros.ts": zeros_in_the_middle,
    "headless.ts": head_missing,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_ends_well(name: str, run: Run, tmp_path: Path, folder: Path) -> None:
    good = make_video(folder / f"good{Path(name).suffix}", frames=36)
    bad = folder / name
    bad.write_bytes(DAMAGED[name](bytearray(good.read_bytes())))
    done = ends_well(run, bad, tmp_path)
    assert done.returncode == 3 or said(done.stdout + done.stderr) != "-", "damage is told of"


def test_a_size_that_changes_ends_well(run: Run, tmp_path: Path, folder: Path) -> None:
    parts = [make_video(folder / f"{size}.ts", size=size, frames=12, sound=False) for size in ("160x90", "96x128")]
    (folder / "sizes.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    assert ends_well(run, folder / "sizes.ts", tmp_path).returncode == 0
