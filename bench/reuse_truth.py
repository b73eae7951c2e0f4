"""Reuse against the true picture: a clip is halved by area, enlarged again with reuse and without, and compared with
the clip itself.

As a program (CLIP FRAMES) it prints JSON; what it reads and makes is large, and a process of its own gives it back."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import temporal_metrics as metrics
from performance_records import Truth
from reuse import PRESETS, SCALE, TABLE, Clip, pictures, through_network
from temporal_clips import halved
from temporal_metrics import Frame

WHOLE = 32  # px: half of it is a block


def videos(raw: bytes, width: int, height: int) -> list[Frame]:
    return list(np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3))


def measured(clip: Clip, frames: int) -> list[Truth]:
    """Of each preset."""
    width, height = (size // WHOLE * WHOLE for size in (clip.width, clip.height))
    truth = videos(pictures(clip, frames, width, height), width, height)
    small = b"".join(frame.tobytes() for frame in halved(truth))
    judged = metrics.steps(truth)
    with tempfile.TemporaryDirectory(prefix="millstream-truth-") as folder:
        through_network(small, width // SCALE, height // SCALE, Path(folder))

        def made(preset: str) -> list[Frame]:
            return videos((Path(folder) / f"{preset}.rgb").read_bytes(), width, height)

        off = made("off")
        level, warped = metrics.psnr(off, truth), warping(off, judged)
        rows = []
        for preset in PRESETS:
            video = made(preset)
            again = warping(video, judged)
            ratio = again / warped if again is not None and warped else None
            loss = level - metrics.psnr(video, truth)
            rows.append(Truth(Path(clip.name).stem, width, height, len(truth), preset, level, loss, ratio))
    return rows


def warping(video: list[Frame], judged: list[metrics.Step | None]) -> float | None:
    """None where no frame follows from the one before."""
    return metrics.warping_error(video, judged) if any(step and step.trusted.any() for step in judged) else None


def in_own_process(clip: Clip, frames: int) -> list[Truth]:
    done = subprocess.run([sys.executable, __file__, clip.name, str(frames)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return [Truth(**row) for row in rows]


if __name__ == "__main__":
    wanted = next(clip for clip in TABLE if clip.name == sys.argv[1])
    print(json.dumps([asdict(row) for row in measured(wanted, int(sys.argv[2]))]))
