"""Measures speed and memory of Millstream as ratios taken in one run. (`./dev bench peers` compares with other
programs at length: bench/performance.py.)

    ./dev bench              every figure, about 35 minutes on two cores
    ./dev bench --only rss   one of: efficiency, identity, rss, loop, start, memory, safety,
                             finishing, python, peers, temporal, reuse
    ./dev bench --only reuse --frames 40 --clip chaplin --clip bottle
                             real clips take long: fewer frames, or some of them

Writes bench/results.json (machine, versions, figures) and the table between the markers in README.md.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import from_python
import peers
import reuse as saving
import safety as crash_safety
from made_clips import generated_clip, hours_of_sound, real_clip
from measure import Run, run, run_counted, run_piped, slope_per_1000, watch
from ours import (
    BINARY,
    FINISHING_COSTS,
    PLAIN,
    QUIET,
    ROOT,
    WITH_LOCK,
    alone,
    machine_in_use,
    precision,
    precision_on,
    versions,
)
from trial import Tool

import temporal as steadiness

RESULTS = ROOT / "bench/results.json"


@dataclass
class Figure:
    """One row of the table."""

    name: str
    value: float | None
    unit: str
    target: str
    met: bool | None  # None: not measured here, `note` says why
    note: str
    taken: str = ""  # when, from which commit, on what: figures of several runs stand in one table


def efficiency(folder: Path) -> list[Figure]:
    figures = []
    for width, height, frames in ((640, 360, 30), (1280, 720, 10)):
        clip = real_clip(folder, width, height, frames)
        model = "realesr-animevideov3"
        parts = sum(alone(part, clip, model, frames, folder)["cpu_s"] for part in ("decode", "infer", "encode"))
        job = watch([BINARY, "enhance", clip, "-o", folder / "whole.mp4", "-y", *PLAIN])
        note = f"{frames} frames, {precision()}; parts {parts:.1f} CPU s, job {job.cpu_s:.1f} CPU s"
        figures.append(
            Figure(
                f"pipeline efficiency, {width}x{height}",
                parts / job.cpu_s,
                "",
                ">= 0.95",
                parts / job.cpu_s >= 0.95,
                note,
            )
        )
        figures.append(
            Figure(
                f"cores busy, {width}x{height}",
                job.cores_busy,
                "",
                ">= 0.90",
                job.cores_busy >= 0.90,
                f"{frames} frames, first to last finished frame",
            )
        )
    return figures


def x264_threads(video: Path) -> int:
    """What x264 wrote into its stream about itself."""
    found = re.search(rb"x264 - core .*? threads=(\d+)", video.read_bytes())
    assert found, "x264 has not left its settings"
    return int(found.group(1))


def identity(folder: Path) -> list[Figure]:
    frames = 1500  # a minute of film: the start of half a second counts little
    clip = real_clip(folder, 640, 360, frames)
    ratios = []
    for _ in range(3):
        ours = run(
            [
                BINARY,
                "enhance",
                clip,
                "-o",
                folder / "i.mp4",
                "-y",
                "--model",
                "identity",
                "--scale",
                "1",
                *QUIET,
            ]
        )
        theirs = run(
            [
                "ffmpeg",
                "-v",
                "error",
                "-y",
                "-i",
                clip,
                "-c:v",
                "libx264",
                "-crf",
                "18",
                "-preset",
                "medium",
                "-c:a",
                "copy",
                folder / "f.mp4",
            ]
        )
        ratios.append(ours.wall_s / theirs.wall_s)
    value = statistics.median(ratios)
    own, given = x264_threads(folder / "f.mp4"), x264_threads(folder / "i.mp4")
    threads = f"x264 with {own} threads for ffmpeg (its own choice), {given} for Millstream"
    note = f"median of 3 interleaved pairs, 640x360, {frames} frames, {min(ratios):.2f}-{max(ratios):.2f}; {threads}"
    return [
        Figure("identity network against ffmpeg re-encoding, wall time", value, "x", "<= 1.15", value <= 1.15, note)
    ]


def rss(folder: Path) -> list[Figure]:
    clip = generated_clip(folder, 320, 180, 10_000)
    job = watch([BINARY, "enhance", clip, "-o", folder / "long.mp4", "-y", "--model", "identity", "--scale", "1"])
    slope = slope_per_1000(job.rss_mib, 500)
    note = f"10,000 frames of 320x180, identity network, {len(job.rss_mib)} samples, peak {job.peak_mib:.0f} MiB"
    return [Figure("memory growth", slope, "MiB per 1000 frames", "< 0.5", slope < 0.5, note)]


def loop(folder: Path) -> list[Figure]:
    frames = 30
    clip = real_clip(folder, 640, 360, frames)
    bare = alone("infer", clip, "realesr-animevideov3", frames, folder)
    job = watch([BINARY, "enhance", clip, "-o", folder / "w.mp4", "-y", *PLAIN])
    value = job.fps / (bare["frames"] / bare["wall_s"])
    bare_fps = bare["frames"] / bare["wall_s"]
    note = f"640x360, {precision()}, OpenVINO; bare loop {bare_fps:.2f} fps, encoder included in ours"
    return [Figure("pipeline speed against the bare inference loop", value, "", ">= 0.95", value >= 0.95, note)]


def start(folder: Path) -> list[Figure]:
    clip = real_clip(folder, 640, 360, 1)
    walls = [run([BINARY, "enhance", clip, "-o", folder / "one.mp4", "-y", *QUIET]).wall_s for _ in range(5)]
    value = statistics.median(walls)
    note = f"640x360, {precision()}, median of 5; the frame itself is included"
    return [Figure("one-frame job", value, "s", "<= 0.8", value <= 0.8, note)]


def safety(folder: Path) -> list[Figure]:
    frames = 1500
    film = real_clip(folder, 640, 360, frames)
    cost = crash_safety.price(BINARY, film, folder, PLAIN, 3)
    note = f"{cost.checkpoints} checkpoints, 640x360, {frames} frames, identity network"
    note += "; against one chunk, 3 interleaved pairs"
    return [
        Figure("checkpoints: wall time", cost.wall_ratio, "x", "<= 1.03", cost.wall_ratio <= 1.03, note),
        Figure(
            "checkpoints: bytes",
            cost.bytes_to_ffmpeg,
            "x",
            "<= 1.015",
            cost.bytes_to_ffmpeg <= 1.015,
            f"the same job's pictures against those of one plain encode by ffmpeg with the same settings; the file "
            f"takes {cost.bytes_to_one_chunk:.3f} of what it takes in one chunk",
        ),
        *going_on(folder),
    ]


def python(folder: Path) -> list[Figure]:
    return [Figure(*row) for row in from_python.figures(folder)]


def going_on(folder: Path) -> list[Figure]:
    small = real_clip(folder, 160, 90, 120)
    figures = []
    for lock in ("off", "medium"):
        options = ["--temporal", lock, *WITH_LOCK]
        lock_on = "" if lock == "off" else f", lock {lock}"
        ratio, fresh, resumed = crash_safety.resume_ratio(BINARY, small, folder, options, 5)
        taken = f"{resumed:.2f} s, fresh {fresh:.2f} s" + ("; 12 frames are enhanced once more" if lock_on else "")
        figures.append(
            Figure(
                "going on after a kill: time to the first new frame, against a fresh start" + lock_on,
                ratio,
                "x",
                "<= 1.5",
                ratio <= 1.5,
                f"160x90, default network, 60 of 120 frames done, median of 5: {taken}",
            )
        )
    return figures


def finishing(folder: Path) -> list[Figure]:
    seconds, rate = 7200, 1_400_000
    sound = hours_of_sound(folder, seconds)
    figures = []
    for extension in ("mp4", "mkv"):
        done = crash_safety.finish(FINISHING_COSTS, sound, folder / f"long.{extension}", seconds, rate)
        what = f"two hours, {done.gib:.1f} GiB, {done.packets} packets, as the job leaves it"
        disk = f"{what}; {done.seconds_from_disk:.1f} s with nothing of it in the page cache"
        name = f"finishing a long {extension} in place"
        figures += [
            Figure(f"{name}: time", done.seconds, "s", "< 3", done.seconds < 3, disk),
            Figure(
                f"{name}: memory", done.peak_mib, "MiB", "< 150", done.peak_mib < 150, "the same; the whole process"
            ),
        ]
    return figures


def memory(folder: Path) -> list[Figure]:
    figures = []
    clip = real_clip(folder, 640, 360, 10)
    peak = run_counted([BINARY, "enhance", clip, "-o", folder / "m.mp4", "-y", *QUIET]).peak_mib
    figures.append(
        Figure("peak memory, 640x360", peak, "MiB", "<= 623", peak <= 623, "the best peer's 566 MiB and 10 %")
    )
    for width, height in ((1920, 1080), (3840, 2160)):
        clip = generated_clip(folder, width, height, 3)
        for options, name in ((QUIET, ""), (["--progress", "none"], ", default options")):
            budget = ["--max-memory", "2GiB"]
            peak = run_counted([BINARY, "enhance", clip, "-o", folder / "m.mp4", "-y", *budget, *options]).peak_mib
            figures.append(
                Figure(
                    f"peak memory, {width}x{height} with --max-memory 2GiB{name}",
                    peak,
                    "MiB",
                    "<= 2048",
                    peak <= 2048,
                    "3 frames, default network x2, libx264",
                )
            )
    return figures


def run_tool(tool: Tool, clip: Path, output: Path) -> Run:
    return run_piped(tool.pipeline(clip, output), tool.environment)


def whole_job_against_peers(folder: Path) -> list[Figure]:
    wanted = {
        "speed against VapourSynth + mlrt-ov, same precision": ">= 1.0",
        "CPU time against VapourSynth + mlrt-ov, same precision": "<= 1.0",
        "peak memory against VapourSynth + mlrt-ov, same precision": "<= 1.1",
        "speed against VapourSynth + mlrt-ov fp32": ">= 1.8 (bf16)",
    }
    same_precision, fp32_peer = peers.mlrt_openvino(precision()), peers.mlrt_openvino("fp32")
    reason = same_precision.why_not()
    if reason:
        return [Figure(name, None, "x", target, None, f"skipped: {reason}") for name, target in wanted.items()]
    frames = 30
    clip = real_clip(folder, 640, 360, frames)
    has_bf16 = precision() == "bf16"
    ours, same, fp32 = [], [], []
    for _ in range(3):
        ours.append(run_counted([BINARY, "enhance", clip, "-o", folder / "ours.mp4", "-y", *QUIET]))
        same.append(run_tool(same_precision, clip, folder / "peer.mp4"))
        fp32.append(run_tool(fp32_peer, clip, folder / "peer.mp4") if has_bf16 else same[-1])
    pairs = list(zip(ours, same, strict=True))
    values = (
        statistics.median(peer.wall_s / own.wall_s for own, peer in pairs),
        statistics.median(own.cpu_s / peer.cpu_s for own, peer in pairs),
        statistics.median(own.peak_mib / peer.peak_mib for own, peer in pairs),
        statistics.median(peer.wall_s / own.wall_s for own, peer in zip(ours, fp32, strict=True)),
    )
    met = (values[0] >= 1.0, values[1] <= 1.0, values[2] <= 1.1, values[3] >= 1.8 if has_bf16 else None)
    note = f"640x360, {frames} frames, 3 interleaved pairs, {precision()}, same network and encoder settings"
    notes = (note, note, note, note if has_bf16 else "bf16 is not faster here: the target cannot be measured")
    return [
        Figure(name, value, "x", target, reached, words)
        for (name, target), value, reached, words in zip(wanted.items(), values, met, notes, strict=True)
    ]


def temporal_share(folder: Path) -> list[Figure]:
    figures = []
    for width, height in ((320, 180), (640, 360)):
        cost = steadiness.costs(real_clip(folder, width, height, 10), width, height, folder)
        # The targets are set against the network in bf16, which takes half of what it takes in fp32.
        halves = 1 if precision() == "bf16" else 2
        for name, value, most in (("full", cost.full, 0.18), ("fast", cost.fast, 0.10)):
            share = value / cost.network
            note = f"{value:.1f} ms of CPU a frame; the network takes {cost.network:.0f} ms in {precision()}"
            target = most / halves
            figures.append(
                Figure(
                    f"motion ({name}) and lock against the network, {width}x{height} x2",
                    share,
                    "",
                    f"<= {target:.2f}",
                    share <= target,
                    note,
                )
            )
    return figures


def temporal(folder: Path) -> list[Figure]:
    return temporal_share(folder) + [Figure(*row) for row in steadiness.figures(folder)]


def reuse(_folder: Path, frames: int = saving.FRAMES, clips: list[str] | None = None) -> list[Figure]:
    return [Figure(*row) for row in saving.figures(frames, clips)]


BENCHES: dict[str, Callable[[Path], list[Figure]]] = {
    "start": start,
    "identity": identity,
    "loop": loop,
    "efficiency": efficiency,
    "memory": memory,
    "safety": safety,
    "finishing": finishing,
    "rss": rss,
    "python": python,
    "peers": whole_job_against_peers,
    "temporal": temporal,
    "reuse": reuse,
}


def taken_here() -> str:
    info = machine_in_use()
    network = f"networks in {precision_on(info)}"
    today, commit = datetime.date.today().isoformat(), versions()["commit"]
    return f"on {today} from commit {commit}, on {info['cores']} cores of {info['cpu']} ({network}), no GPU used"


def digits(value: float, target: str) -> int:
    """Two, and as many more as it takes to tell the value from nothing and from the target."""
    number = re.search(r"-?[0-9.]*[0-9]", target)
    apart = [0.0, float(number.group())] if number else [0.0]
    count = 2
    while count < 5 and any(round(value, count) == other != value for other in apart):
        count += 1
    return count


def rows(figures: list[Figure]) -> list[str]:
    lines = ["| figure | measured | target | met | how |", "|---|---|---|---|---|"]
    for figure in figures:
        value = (
            "-"
            if figure.value is None
            else f"{figure.value:.{digits(figure.value, figure.target)}f} {figure.unit}".strip()
        )
        met = "not measured" if figure.met is None else "yes" if figure.met else "**no**"
        lines.append(f"| {figure.name} | {value} | {figure.target} | {met} | {figure.note} |")
    return lines


def table(figures: list[Figure]) -> str:
    """A part for each run that figures come from, the newest first."""
    parts = []
    for taken in sorted({figure.taken for figure in figures}, reverse=True):
        parts += [f"Measured {taken}:", "", *rows([f for f in figures if f.taken == taken]), ""]
    return "\n".join(parts).rstrip()


def write_readme_table(text: str) -> None:
    begin, end = "<!-- bench:begin -->", "<!-- bench:end -->"
    for name in ("README.md", "README.zh-CN.md"):
        readme = ROOT / name
        content = readme.read_text()
        if begin in content and end in content:
            head, rest = content.split(begin, 1)
            readme.write_text(head + begin + "\n" + text + "\n" + end + rest.split(end, 1)[1])


def save(figures: list[Figure], kept: list[Figure]) -> None:
    measured = {figure.name for figure in figures}
    merged = [figure for figure in kept if figure.name not in measured] + figures
    document = {"machine": machine_in_use(), "versions": versions(), "figures": [asdict(figure) for figure in merged]}
    RESULTS.write_text(json.dumps(document, indent=2) + "\n")
    write_readme_table(table(merged))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=sorted(BENCHES), help="measure only this; may be repeated")
    parser.add_argument("--frames", type=int, default=saving.FRAMES, help="of each clip of `reuse`")
    parser.add_argument("--clip", action="append", help="of `reuse`: part of a clip's name; may be repeated")
    arguments = parser.parse_args()
    kept: list[Figure] = []
    if arguments.only and RESULTS.exists():
        kept = [Figure(**row) for row in json.loads(RESULTS.read_text())["figures"]]
    taken = taken_here()
    figures: list[Figure] = []
    for name in arguments.only or list(BENCHES):
        print(f"bench: {name} ...", flush=True)
        with tempfile.TemporaryDirectory(prefix="millstream-bench-") as folder:
            measure = (
                partial(reuse, frames=arguments.frames, clips=arguments.clip) if name == "reuse" else BENCHES[name]
            )
            for figure in measure(Path(folder)):
                value = "skipped" if figure.value is None else f"{figure.value:.3f} {figure.unit}"
                print(f"  {figure.name}: {value} (target {figure.target}); {figure.note}", flush=True)
                figures.append(replace(figure, taken=taken))
        save(figures, kept)  # what is measured so far is kept if a later one fails
    return 0


if __name__ == "__main__":
    sys.exit(main())
