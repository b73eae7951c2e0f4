"""The temporal lock from the command line: what the options do to whole videos."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import Run, ffmpeg
from numpy.typing import NDArray

SIZE = (96, 64)
LOSSLESS = ["--model", "identity", "--scale", "1", "--crf", "0", "--preset", "ultrafast", "--progress", "none"]


def luma(path: Path, bits: int = 8) -> NDArray[np.int16]:
    """Every frame's luma, [frames, height, width]."""
    kind = "gray" if bits == 8 else f"gray{bits}le"
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", kind, "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8 if bits == 8 else "<u2").reshape(-1, SIZE[1], SIZE[0]).astype(np.int16)


def flicker(path: Path) -> float:
    return float(np.abs(np.diff(luma(path), axis=0)).mean())


def make_noisy_still(path: Path, kind: str = "yuv420p", tags: tuple[str, ...] = ()) -> Path:
    """A still test picture; its upper half under noise that changes every frame, the lower half bit-identical."""
    picture = f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=24:duration=0.04,loop=loop=11:size=1,setpts=N/24/TB"
    noise = "split[a][b];[a]crop=iw:ih/2:0:0,noise=alls=10:allf=t[n];[b][n]overlay=0:0"
    ffmpeg("-f", "lavfi", "-i", f"{picture},{noise}", "-c:v", "ffv1", "-pix_fmt", kind, *tags, "-frames:v", "12", path)
    return path


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_noisy_still(tmp_path_factory.mktemp("noisy") / "in.mkv")


def enhance(run: Run, source: Path, output: Path, *options: str) -> Path:
    done = run("enhance", source, "-o", output, *LOSSLESS, *options)
    assert done.returncode == 0, done.stderr
    return output


def test_each_preset_is_steadier_than_the_one_before(run: Run, noisy: Path, tmp_path: Path) -> None:
    found = [
        flicker(enhance(run, noisy, tmp_path / f"{preset}.mkv", "--temporal", preset))
        for preset in ("off", "low", "medium", "high")
    ]
    assert found == sorted(found, reverse=True)
    assert found[2] < 0.7 * found[0], found


def test_still_areas_stay_bit_identical(run: Run, noisy: Path, tmp_path: Path) -> None:
    # The noise reaches a few rows further: 2 by the 5x5 that must not change, the rest by chroma's kernels.
    below = luma(enhance(run, noisy, tmp_path / "out.mkv"))[:, SIZE[1] // 2 + 8 :]
    assert (below == below[0]).all()


def test_ten_bit_hdr_is_held_as_eight_bit_is(run: Run, tmp_path: Path) -> None:
    """Thresholds are shares of the range of codes, whatever the codes mean."""
    tags = ("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc")
    source = make_noisy_still(tmp_path / "in.mkv", "yuv420p10le", tags)
    off, medium = (
        luma(enhance(run, source, tmp_path / f"{preset}.mkv", "--temporal", preset), bits=10)
        for preset in ("off", "medium")
    )
    assert off.max() > 255, "10 bits all the way"
    assert np.abs(np.diff(medium, axis=0)).mean() < 0.7 * np.abs(np.diff(off, axis=0)).mean()
    below = medium[:, SIZE[1] // 2 + 8 :]
    assert np.abs(below - below[0]).max() <= 2, "x264's crf 0 is lossless in 8 bits only"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_r4_2_history_comes_from_memory_the_input_is_read_as_without_the_lock(
    millstream: Path, noisy: Path, tmp_path: Path
) -> None:
    """Opens of the input and bytes read of it, as the kernel saw them; nothing else is written but the output."""

    def traced(preset: str) -> tuple[int, int, set[str]]:
        log = tmp_path / preset / "log"
        log.parent.mkdir()
        trace = ["strace", "-ff", "-y", "-qq", "-s", "0", "-o", log, "-e", "trace=openat,read,pread64,write,pwrite64"]
        command = [millstream, "enhance", noisy, "-o", tmp_path / f"{preset}.mkv", *LOSSLESS, "--temporal", preset]
        subprocess.run([*map(str, [*trace, *command])], check=True, capture_output=True)
        lines = [line for part in log.parent.iterdir() for line in part.read_text().splitlines()]  # one a thread
        reads = [re.search(rf"^p?read(?:64)?\(\d+<{noisy}>.* = (\d+)$", line) for line in lines]
        writes = [re.search(r"^p?write(?:64)?\(\d+<(/[^>]+)>", line) for line in lines]
        opens = sum(f'"{noisy}"' in line and " = -1" not in line for line in lines if line.startswith("openat"))
        return opens, sum(int(read[1]) for read in reads if read), {write[1] for write in writes if write}

    opens, read, _ = traced("off")
    locked_opens, locked_read, written = traced("medium")
    assert (locked_opens, locked_read) == (opens, read)
    headers = 2**15  # read twice at most
    assert 0 < locked_read <= locked_opens * (noisy.stat().st_size + headers)
    folder = str(tmp_path)
    assert {Path(path).name for path in written if path.startswith(folder)} <= {
        "medium.mkv.part",
        "medium.mkv.millstream.json.tmp",
    }


def test_medium_with_full_flow_is_the_default(run: Run, noisy: Path, tmp_path: Path) -> None:
    plan = json.loads(run("inspect", noisy, "--json", "--model", "identity").stdout)
    assert plan["options"]["temporal"] == "medium"
    assert plan["options"]["temporal_flow"] == "full"
    assert plan["memory"]["temporal"] > 0
    assert "Temporal medium, full flow" in run("inspect", noisy, "--model", "identity").stdout
    off = json.loads(run("inspect", noisy, "--json", "--model", "identity", "--temporal", "off").stdout)
    assert off["memory"]["temporal"] == 0


def test_both_runners_and_every_batch_give_the_same_pictures(run: Run, noisy: Path, tmp_path: Path) -> None:
    variants = (("--runner", "serial"), ("--batch", "1"), ("--batch", "5"), ("--tile", "48"))
    frames = [luma(enhance(run, noisy, tmp_path / f"{i}.mkv", *option)) for i, option in enumerate(variants)]
    assert all((other == frames[0]).all() for other in frames[1:])


@pytest.mark.parametrize("view", ["flow", "confidence", "split"])
def test_debug_views_replace_the_picture(run: Run, noisy: Path, tmp_path: Path, view: str) -> None:
    shown = luma(enhance(run, noisy, tmp_path / "view.mkv", "--debug-view", view))
    plain = luma(enhance(run, noisy, tmp_path / "plain.mkv"))
    assert shown.shape == plain.shape
    assert (shown != plain).any()
    if view == "split":
        right = slice(SIZE[0] // 2 + 4, None)
        assert (shown[..., right] == plain[..., right]).all()


def test_a_debug_view_without_the_lock_is_refused(run: Run, noisy: Path, tmp_path: Path) -> None:
    done = run("enhance", noisy, "-o", tmp_path / "out.mkv", "--temporal", "off", "--debug-view", "flow")
    assert done.returncode == 2
    assert "--debug-view" in done.stderr
    assert not list(tmp_path.iterdir())
