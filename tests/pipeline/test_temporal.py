"""The temporal lock from the command line: what the options do to whole videos."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import Run, ffmpeg
from numpy.typing import NDArray

SIZE = (96, 64)
LOSSLESS = ["--model", "identity", "--scale", "1", "--crf", "0", "--preset", "ultrafast", "--progress", "none"]


def luma(path: Path) -> NDArray[np.int16]:
    """Every frame's luma, [frames, height, width]."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, SIZE[1], SIZE[0]).astype(np.int16)


def flicker(path: Path) -> float:
    return float(np.abs(np.diff(luma(path), axis=0)).mean())


def make_noisy_still(path: Path) -> Path:
    """A still test picture; its upper half under noise that changes every frame, the lower half bit-identical."""
    picture = f"testsrc2=size={SIZE[0]}x{SIZE[1]}:rate=24:duration=0.04,loop=loop=11:size=1,setpts=N/24/TB"
    noise = "split[a][b];[a]crop=iw:ih/2:0:0,noise=alls=10:allf=t[n];[b][n]overlay=0:0"
    ffmpeg("-f", "lavfi", "-i", f"{picture},{noise}", "-c:v", "ffv1", "-pix_fmt", "yuv420p", "-frames:v", "12", path)
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
