"""Steadiness of the output with the temporal lock, what it costs in sharpness and likeness, and its share of the time.

The default network and the medium preset, through the program's own rooms (temporal_frames). Each figure names its
clips. MILLSTREAM_CLIPS names the folder with real clips and stills; without it only synthetic ones of generated
pictures are measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import temporal_metrics as metrics
from measure import run
from numpy.typing import NDArray
from temporal_clips import Clip, generated, photographs, real_clip, synthetic_clips
from temporal_metrics import Field, Frame

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("MILLSTREAM_BIN", ROOT / "build/release/millstream")).parent
CLIPS = Path(os.environ.get("MILLSTREAM_CLIPS", ROOT.parent / "shared/clips"))
MODEL, SCALE = "realesr-animevideov3", 2
FRAMES = 36
REAL = ("onepiece_demo", "nasa_13013", "flipping_a_pancake", "carphone_pristine", "chaplin")
# Begins with a fade from black: nearly all of its warping error is the fade, 94 % of the original's own, so that
# steadiness is measured later in it, and of the fade that it does no harm.
FADE, AFTER_FADE_S = "bbb_480p_30s", 5.0
MOST_WIDTH = 640  # of a real clip's original
SPLICED = ("flipping_a_pancake", "chaplin")  # for a cut in any case
FAST_CAMERA = 6.0  # pixels a frame, median: of such clips less is asked
FLOW_ON_X264 = {"slow": 0.239, "fast": 0.471}  # the prototype's error


@dataclass
class Output:
    """What the program made of a clip."""

    raw: list[Frame]
    locked: list[Frame]
    flow: list[Field]  # [2,h,w]


def enhance(clip: Clip, preset: str = "medium", flow: str = "full", model: str = MODEL, scale: int = SCALE) -> Output:
    height, width = clip.small[0].shape[:2]
    done = subprocess.run(
        [BUILD / "temporal_frames", model, str(scale), str(width), str(height), preset, flow],
        input=b"".join(frame.tobytes() for frame in clip.small),
        capture_output=True,
        check=True,
    ).stdout
    picture = height * width * 3 * scale * scale
    stride = 2 * picture + 8 * height * width
    output = Output([], [], [])
    for start in range(0, len(done), stride):
        one = np.frombuffer(done, np.uint8, 2 * picture, start).reshape(2, height * scale, width * scale, 3)
        output.raw.append(one[0])
        output.locked.append(one[1])
        output.flow.append(
            np.frombuffer(done, np.float32, 2 * height * width, start + 2 * picture).reshape(2, height, -1)
        )
    return output


@dataclass
class Score:
    """One clip's line of the table."""

    name: str
    fast: bool
    steadier: float  # warping error taken away, share
    blur: float  # the same for a blur of equal sharpness
    psnr: float  # dB gained against the original
    blur_psnr: float
    hidden_psnr: float  # the same where the picture was hidden in the frame before
    ssim: float
    sharp: float
    leak: float
    ghost: float  # the leak, but for what points towards the original
    cuts: int
    at_cut: int  # largest difference to the unlocked frame at a cut, codes

    def line(self) -> str:
        return (
            f"{self.name}: E_warp -{100 * self.steadier:.1f} % (blur -{100 * self.blur:.1f} %), "
            f"PSNR {self.psnr:+.2f} dB (blur {self.blur_psnr:+.2f}, hidden before {self.hidden_psnr:+.2f}), "
            f"SSIM {self.ssim:+.4f}, sharpness {self.sharp:.3f}, leak {self.leak:.3f} (not towards the original "
            f"{self.ghost:.3f}), {self.cuts} cuts ({self.at_cut} codes)"
        )


def score(clip: Clip, output: Output) -> Score:
    judged = metrics.steps(clip.truth)
    control = metrics.blurred_to(output.raw, metrics.sharpness(output.locked) / metrics.sharpness(output.raw))
    error, gain = metrics.warping_error(output.raw, judged), metrics.psnr(output.raw, clip.truth)
    differences = [
        int(np.abs(a.astype(int) - b.astype(int)).max())
        for a, b, step in zip(output.locked[1:], output.raw[1:], judged, strict=True)
        if step is None
    ]
    return Score(
        name=clip.name,
        fast=clip.fast or metrics.camera_speed(judged) > FAST_CAMERA,
        steadier=1 - metrics.warping_error(output.locked, judged) / error,
        blur=1 - metrics.warping_error(control, judged) / error,
        psnr=metrics.psnr(output.locked, clip.truth) - gain,
        blur_psnr=metrics.psnr(control, clip.truth) - gain,
        hidden_psnr=metrics.hidden_psnr(output.locked, clip.truth, judged)
        - metrics.hidden_psnr(output.raw, clip.truth, judged),
        ssim=metrics.ssim(output.locked, clip.truth) - metrics.ssim(output.raw, clip.truth),
        sharp=metrics.sharpness(output.locked) / metrics.sharpness(output.raw),
        leak=metrics.leak(output.locked, output.raw, judged),
        ghost=metrics.ghost(output.locked, output.raw, clip.truth, judged),
        cuts=len(differences),
        at_cut=max(differences, default=0),
    )


def end_point_error(clip: Clip, flows: list[Field]) -> float:
    """Mean distance to the true flow where it can be seen, pixels of the input; frames 2, 7, 12, ..."""
    assert clip.flow is not None
    assert clip.visible is not None
    errors = []
    for t in range(2, len(flows), 5):
        wrong: NDArray[np.float32] = np.hypot(*(np.moveaxis(flows[t], 0, -1) - clip.flow[t]).transpose(2, 0, 1))
        errors.append(float(wrong[clip.visible[t]].mean()))
    return float(np.mean(errors))


def real_clips(folder: Path, frames: int) -> list[Clip]:
    later = [real_clip(path, folder, frames, MOST_WIDTH, AFTER_FADE_S) for path in found(FADE)]
    return later + [real_clip(path, folder, frames, MOST_WIDTH) for name in REAL for path in found(name)]


def photographed(folder: Path, frames: int) -> list[Clip]:
    """The synthetic clips of photographs, where there are some."""
    stills = photographs(CLIPS / "stills")
    clips = synthetic_clips(folder, frames, stills) if stills else []
    for clip in clips:
        clip.name = f"photographs, {clip.name}"
    return clips


def spliced(clips: list[Clip]) -> list[Clip]:
    """Half of each of two clips one behind the other, cropped to the smaller: a cut."""
    pair = [clip for name in SPLICED for clip in clips if clip.name == name]
    if len(pair) < 2:
        return []
    half = min(len(clip.truth) for clip in pair) // 2
    height, width = (min(clip.small[0].shape[side] for clip in pair) for side in (0, 1))
    return [
        Clip(
            "two clips spliced",
            [frame[: 2 * height, : 2 * width] for clip in pair for frame in clip.truth[:half]],
            [np.ascontiguousarray(frame[:height, :width]) for clip in pair for frame in clip.small[:half]],
        )
    ]


def fades(folder: Path, frames: int) -> list[Clip]:
    clips = [real_clip(path, folder, frames, MOST_WIDTH) for path in found(FADE)]
    for clip in clips:
        clip.name += ", fading in"
    return clips


def found(name: str) -> list[Path]:
    return sorted(CLIPS.glob(f"{name}.*"))


@dataclass
class Costs:
    """CPU time of a frame on one thread, ms; the network's on all."""

    network: float
    full: float
    fast: float


def costs(clip_path: Path, width: int, height: int, folder: Path) -> Costs:
    """`clip_path`: a clip of that size."""
    own = json.loads(run([BUILD / "temporal_costs", str(width), str(height), str(SCALE), "20"]).stdout)
    frames = 10
    infer = json.loads(run([BUILD / "stage_costs", "infer", clip_path, folder / "x.mp4", MODEL, str(frames)]).stdout)
    return Costs(
        network=1000 * infer["cpu_s"] / frames,
        full=own["motion_full_ms"] + own["lock_ms"],
        fast=own["motion_fast_ms"] + own["lock_ms"],
    )


Row = tuple[str, float | None, str, str, bool | None, str]


def figures(folder: Path) -> list[Row]:
    """What the targets ask for, worst clip first in mind."""
    rows: list[Row] = []
    scores = []
    for clip in synthetic_clips(folder, FRAMES, generated()) + photographed(folder, FRAMES):
        noisy = clip.name.endswith("noise")
        output = enhance(clip) if noisy else enhance(clip, model="identity", scale=1)
        rows.append(flow_row(clip, end_point_error(clip, output.flow)))
        if noisy:
            scores.append(score(clip, output))
            rows += noise_rows(scores[-1])
    films = real_clips(folder, FRAMES)
    real = [score(clip, enhance(clip)) for clip in films]
    cut = [score(clip, enhance(clip)) for clip in spliced(films)]
    faded = [score(clip, enhance(clip)) for clip in fades(folder, FRAMES)]
    print("\n".join("  " + s.line() for s in scores + real + cut + faded), flush=True)
    return rows + real_rows(real) + [cut_row(real + cut)] + fade_rows(faded)


def flow_row(clip: Clip, error: float) -> Row:
    *_, motion, kind = clip.name.split()
    most = FLOW_ON_X264[motion] if kind == "x264" else 0.20 if motion == "slow" else 0.35
    note = "full flow, 320x180; the prototype's on its own pictures" if kind == "x264" else "full flow, 320x180"
    return (f"flow, {clip.name}: mean end-point error", error, "px", f"<= {most}", error <= most, note)


def noise_rows(s: Score) -> list[Row]:
    net, gain = s.steadier - s.blur, s.psnr - s.blur_psnr
    kept = f"sharpness {s.sharp:.2f}, SSIM {s.ssim:+.4f}"
    own = f"not towards the original: {s.ghost:.3f}"
    return [
        (f"lock, {s.name}: warping error taken away", s.steadier, "", ">= 0.75", s.steadier >= 0.75, kept),
        (f"lock, {s.name}: more than a blur of equal sharpness", net, "", ">= 0.40", net >= 0.40, ""),
        (f"lock, {s.name}: PSNR", s.psnr, "dB", ">= 0.6", s.psnr >= 0.6, ""),
        (f"lock, {s.name}: PSNR above that blur's", gain, "dB", ">= 0.25", gain >= 0.25, ""),
        (f"lock, {s.name}: PSNR of what was hidden", s.hidden_psnr, "dB", ">= -0.2", s.hidden_psnr >= -0.2, ""),
        (f"lock, {s.name}: ghost of the frame before", s.leak, "", "<= 0.04", s.leak <= 0.04, own),
    ]


def cut_row(scores: list[Score]) -> Row:
    name = "lock, real clips: difference at a cut"
    cuts = sum(s.cuts for s in scores)
    if cuts == 0:
        return (name, None, "codes", "<= 2", None, "no clip with a cut")
    worst = max(s.at_cut for s in scores)
    return (name, worst, "codes", "<= 2", worst <= 2, f"cuts: {cuts}, a spliced one among them")


def fade_rows(scores: list[Score]) -> list[Row]:
    rows: list[Row] = []
    for s in scores:
        rows.append((f"lock, {s.name}: PSNR", s.psnr, "dB", ">= -0.1", s.psnr >= -0.1, ""))
        rows.append((f"lock, {s.name}: SSIM", s.ssim, "", ">= -0.001", s.ssim >= -0.001, ""))
    return rows


def real_rows(scores: list[Score]) -> list[Row]:
    if not scores:
        skipped = f"skipped: no clips at {CLIPS}" if not CLIPS.is_dir() else "skipped: none of the clips is there"
        return [("lock, real clips", None, "", "", None, skipped)]

    def row(name: str, unit: str, least: float, measured: list[Score], value: Callable[[Score], float]) -> Row:
        worst = min(measured, key=value)
        note = f"worst of {len(measured)}: {worst.name}"
        return (f"lock, real clips: {name}", value(worst), unit, f">= {least}", value(worst) >= least, note)

    def beyond_blur(s: Score) -> float:
        return s.steadier - s.blur

    middle = float(np.median([s.steadier for s in scores]))
    rows = [
        row("warping error taken away", "", 0.20, scores, lambda s: s.steadier),
        ("lock, real clips: the same, median", middle, "", ">= 0.3", middle >= 0.30, f"{len(scores)} clips"),
    ]
    for words, fast, least in (("", False, 0.10), (", fast camera", True, 0.04)):
        if some := [s for s in scores if s.fast is fast]:
            rows.append(row(f"more than a blur of equal sharpness{words}", "", least, some, beyond_blur))
    leaky, ghostly = max(scores, key=lambda s: s.leak), max(scores, key=lambda s: s.ghost)
    leak, ghost = leaky.leak, ghostly.ghost
    return [
        *rows,
        row("PSNR", "dB", -0.1, scores, lambda s: s.psnr),
        row("SSIM", "", -0.001, scores, lambda s: s.ssim),
        row("sharpness kept", "", 0.85, scores, lambda s: s.sharp),
        ("lock, real clips: ghost of the frame before", leak, "", "<= 0.01", leak <= 0.01, leaky.name),
        ("lock, real clips: that, not towards the original", ghost, "", "<= 0.01", ghost <= 0.01, ghostly.name),
    ]


def main() -> int:
    """Every clip's line, and with --frames N a shorter look: for work on the lock itself."""
    import argparse
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--preset", choices=("low", "medium", "high"), default="medium")
    parser.add_argument("--flow", choices=("full", "fast"), default="full")
    parser.add_argument("--only", default="", help="clips whose name has this in it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="millstream-bench-") as folder:
        clips = synthetic_clips(Path(folder), arguments.frames, generated())
        clips += photographed(Path(folder), arguments.frames)
        films = real_clips(Path(folder), arguments.frames)
        clips += films + spliced(films) + fades(Path(folder), arguments.frames)
    for clip in clips:
        if arguments.only in clip.name:
            output = enhance(clip, arguments.preset, arguments.flow)
            known = f", EPE {end_point_error(clip, output.flow):.3f} px" if clip.flow else ""
            print(score(clip, output).line() + known, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
