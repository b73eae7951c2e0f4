"""The lock against another implementation of the same method: a prototype in Python and Torch 2.15, written first.
golden_lock.json holds every 37th value of its last frame for the material made here (medium preset, full-resolution
flow). The two differ in rounding and in the order of sums: single pixels may differ, the mean hardly."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from numpy.typing import NDArray

HEIGHT, WIDTH, FRAMES, EVERY = 90, 120, 8, 37
MOST_DIFFERENCE = 0.5  # codes, mean


def frames() -> NDArray[np.uint8]:
    """A gliding picture of waves, a disc moving the other way, noise of 4 codes: [frames, height, width, 3]."""
    random = np.random.RandomState(20261123)  # its numbers are fixed for good
    waves = [(random.uniform(-0.5, 0.5), random.uniform(-0.5, 0.5), random.uniform(0, 6)) for _ in range(12)]
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    result = []
    for t in range(FRAMES):
        grey = sum(np.sin(a * (x + 0.74 * t) + b * (y - 0.42 * t) + phase) for a, b, phase in waves) * 10 + 120
        disc = np.hypot(x - 40 - 3.3 * t, y - 45 + 1.7 * t) < 18
        grey = np.where(disc, 200 + 20 * np.sin(0.6 * (x - 3.3 * t)), grey)
        colour = grey[..., None] * np.array([1.0, 0.9, 0.8]) + random.normal(0, 4, (HEIGHT, WIDTH, 3))
        result.append(colour.round().clip(0, 255).astype(np.uint8))
    return np.stack(result)


def locked(program: Path) -> NDArray[np.uint8]:
    """The last frame as the lock leaves it, behind the identity network."""
    command: list[str | Path] = [program, "identity", "1", str(WIDTH), str(HEIGHT), "medium", "full"]
    done = subprocess.run(command, input=frames().tobytes(), capture_output=True, check=True).stdout
    picture = HEIGHT * WIDTH * 3
    last = (FRAMES - 1) * (2 * picture + 8 * HEIGHT * WIDTH)
    return np.frombuffer(done, np.uint8, picture, last + picture)


def test_the_lock_gives_what_the_prototype_gave(millstream: Path) -> None:
    program = millstream.parent / "temporal_frames"
    if not program.exists():
        pytest.fail(f"{program} is not built: run ./dev build", pytrace=False)
    golden = np.array(json.loads((ROOT / "tests/temporal/golden_lock.json").read_text()))
    found = locked(program)[::EVERY].astype(np.int64)
    untouched = frames()[-1].reshape(-1)[::EVERY].astype(np.int64)
    assert np.abs(found - golden).mean() <= MOST_DIFFERENCE
    assert np.abs(untouched - golden).mean() > 2 * MOST_DIFFERENCE, "the lock must have done something"
