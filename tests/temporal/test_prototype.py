"""The lock against the prototype it was built from, on the clips for development. The prototype is Python and Torch; it
is looked for in ../shared/temporal-prototype or $MILLSTREAM_PROTOTYPE."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from numpy.typing import NDArray

PROTOTYPE = Path(os.environ.get("MILLSTREAM_PROTOTYPE", ROOT.parent / "shared" / "temporal-prototype"))
WIDTH, HEIGHT, FRAMES = 256, 144, 8
MOST_DIFFERENCE = 0.5  # codes, mean over a clip
CLIPS = ("bbb_480p_30s", "onepiece_demo", "nasa_13013", "flipping_a_pancake", "carphone_pristine", "chaplin")

# Frames as raw RGB in, the prototype's locked ones out; nothing enhances them.
RUN_PROTOTYPE = f"""
import sys
import numpy as np, torch
from tlock import PRESETS, TemporalLock
torch.set_num_threads(1)
lock = TemporalLock(**PRESETS["medium"])
frames = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(-1, {HEIGHT}, {WIDTH}, 3)
for frame in frames:
    x = torch.from_numpy(frame.astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()
    z = lock.step(x, x.clone())
    sys.stdout.buffer.write((z[0].permute(1, 2, 0) * 255).round().clamp(0, 255).byte().numpy().tobytes())
"""


def frames_of(clip: Path) -> bytes:
    """Its first frames, small."""
    command = ["ffmpeg", "-v", "error", "-ss", "5" if "bbb" in clip.name else "0", "-i", str(clip), "-map", "0:v:0"]
    command += ["-frames:v", str(FRAMES), "-vf", f"scale={WIDTH}:{HEIGHT}:flags=area"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def pictures(data: bytes) -> NDArray[np.int16]:
    return np.frombuffer(data, np.uint8).reshape(-1, HEIGHT, WIDTH, 3).astype(np.int16)


@pytest.mark.parametrize("name", CLIPS)
def test_the_lock_is_near_the_prototype_on_every_clip(millstream: Path, clips: Path, name: str) -> None:
    if not PROTOTYPE.is_dir():
        pytest.skip(f"no prototype at {PROTOTYPE} (MILLSTREAM_PROTOTYPE names another folder)")
    found = sorted(clips.glob(f"{name}.*"))
    if not found:
        pytest.skip(f"no {name} at {clips}")
    source = frames_of(found[0])
    theirs = pictures(
        subprocess.run(
            [sys.executable, "-c", RUN_PROTOTYPE], input=source, cwd=PROTOTYPE, check=True, capture_output=True
        ).stdout
    )
    command: list[str | Path] = [millstream.parent / "temporal_frames", "identity", "1", str(WIDTH), str(HEIGHT)]
    done = subprocess.run([*command, "medium", "full"], input=source, check=True, capture_output=True).stdout
    picture = HEIGHT * WIDTH * 3
    stride = 2 * picture + 8 * HEIGHT * WIDTH
    ours = pictures(b"".join(done[at + picture : at + 2 * picture] for at in range(0, len(done), stride)))
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).mean() <= MOST_DIFFERENCE
    assert (ours != pictures(source)).any(), "the lock must have done something"
