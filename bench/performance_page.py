"""docs/performance.md from what was measured. Every figure on the page comes from the document; what is not in there is
"not measured"."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from ours import precision_on
from performance_plots import COMPARED, at_size, cpu_time, peer_key, plots, title_of, wall, written_ratio
from performance_profile import profile_text
from performance_records import Document, Sample, Taken, Trial
from performance_words import figure, judged, picture, table
from reuse import LOSS, TABLE, WORST, Clip

HEAD = """# Performance

Written by `./dev bench peers` from bench/performance.json: every figure below was measured, none is typed in. Times are
of the whole job, start and encoder included: decode, the default network x2, libx264 crf 18 medium, sound copied. What
other programs do not do is off: the temporal lock, the colour fix and the limit on the output's size. All programs took
turns, round by round; ratios are those of runs of the same round, and of several the median is shown."""


def machine_text(taken: Taken) -> str:
    info = taken.machine
    device = info["gpu"] or "no GPU"
    return (
        f"{info['cores']} cores of {info['cpu']} (networks in {precision_on(info)}), {figure(info['memory_gib'])} GiB, "
        f"{device}, Linux {info['kernel']}"
    )


def machines(document: Document) -> str:
    """Sections are grouped by what they were measured on and with."""
    groups: dict[tuple[str, str], list[str]] = {}
    for section, taken in document.taken.items():
        names = ", ".join(f"{name} {version.removeprefix(name).strip()}" for name, version in taken.versions.items())
        groups.setdefault((machine_text(taken), names), []).append(f"{section} ({taken.date})")
    parts = [f"- {', '.join(sections)}: {where}. {names}." for (where, names), sections in groups.items()]
    return "\n".join(["## Machine and versions", *(parts or ["Not measured."])])


def noise(trials: list[Trial]) -> str:
    others = [sample.others for trial in trials for entry in trial.entries for sample in entry.samples]
    if not others:
        return ""
    middle, most = 100 * statistics.median(others), 100 * max(others)
    return f"Everything else on the machine took {middle:.0f} % of it (median of the runs; at most {most:.0f} %)."


def peers_text(document: Document) -> str:
    trials = document.trials.get("peers", [])
    lines = ["## Against other programs"]
    if not trials:
        return "\n\n".join([*lines, "Not measured."])
    trial = trials[0]
    peer = peer_key(trial)
    values: list[Callable[[Sample], float]] = [
        lambda s: trial.frames / s.wall_s,
        lambda s: s.cpu_s / trial.frames,
        lambda s: s.peak_mib,
        lambda s: s.written_mib,
        written_ratio,
    ]
    rows = []
    for entry in trial.entries:
        if entry.samples:
            cells = [figure(trial.median(entry.key, value)) for value in values]
            rows.append([entry.title, cells[0], figure(trial.ratio(entry.key, peer, wall)), *cells[1:]])
        else:
            rows.append([entry.title, f"skipped: {entry.skipped}", *[""] * 5])
    head = ["program", "frames a second", f"time for {title_of(trial, peer)}", "CPU s a frame", "peak MiB"]
    head += ["MiB written", "times the output"]
    rounds = max((len(entry.samples) for entry in trial.entries), default=0)
    what = f"The sample film, {trial.width}x{trial.height}, {trial.frames} frames, rounds: {rounds}. {noise(trials)}"
    note = (
        "Memory is the largest process of a program; of programs joined by a pipe their sum. Written is what the "
        "kernel counted, in pages of files, temporary ones included."
    )
    shown = [picture(name) for name in ("fps", "cpu", "memory", "written")]
    return "\n\n".join([*lines, what, table(head, rows), note, *shown])


def asked_of(name: str) -> Clip | None:
    return next((clip for clip in TABLE if Path(clip.name).stem == name), None)


def clip_row(trial: Trial) -> list[str]:
    clip, peer = asked_of(trial.name), peer_key(trial)

    def share(key: str, most: float | None) -> str:
        return judged(trial.median(key, lambda s: s.share), most)

    shares = [share("ours_safe", clip.share if clip else None), share("ours_fast", clip.fast_share if clip else None)]
    to_off = [trial.ratio(key, "ours_off", wall) for key in COMPARED[1:]]
    to_peer = [trial.ratio(key, peer, wall) for key in COMPARED]
    int8 = trial.ratio("ours_safe_int8", peer, wall)
    return [
        f"{trial.name}, {trial.width}x{trial.height}, {trial.frames} frames",
        *shares,
        judged(to_off[0], clip.ratio if clip else None),
        figure(to_off[1]),
        figure(to_peer[0]),
        judged(to_peer[1], clip.peer_ratio if clip else None),
        figure(to_peer[2]),
        figure(int8),
    ]


def cpu_row(trial: Trial) -> list[str]:
    to_off = [trial.ratio(key, "ours_off", cpu_time) for key in COMPARED[1:]]
    to_peer = [trial.ratio(key, peer_key(trial), cpu_time) for key in (*COMPARED, "ours_safe_int8")]
    return [trial.name, *map(figure, [*to_off, *to_peer])]


def clips_text(document: Document) -> str:
    trials = document.trials.get("clips", [])
    lines = ["## Real clips: computing only what changed"]
    if not trials:
        return "\n\n".join([*lines, "Not measured."])
    head = ["clip", "share computed, safe", "fast", "time for off: safe", "fast"]
    head += ["time for mlrt-ov: off", "safe", "fast", "safe, int8"]
    rounds = max((len(entry.samples) for trial in trials for entry in trial.entries), default=0)
    what = (
        f"A part of each clip, lossless, without sound, rounds: {rounds}. {noise(trials)} In brackets what is asked "
        "of 120 frames: the first frame is always computed as a whole, so of fewer frames more is. mlrt-ov is "
        "VapourSynth with vapoursynth-mlrt-ov, the same network in the same precision."
    )
    rows = table(head, [clip_row(trial) for trial in trials])
    again = "The same in processor time of the whole job, which other programs on the machine change less:"
    head = ["clip", "CPU time for off: safe", "fast", "CPU time for mlrt-ov: off", "safe", "fast", "safe, int8"]
    cpu = table(head, [cpu_row(trial) for trial in trials])
    return "\n\n".join([*lines, what, rows, again, cpu, picture("clips"), picture("clips-peer")])


def shares_text(document: Document) -> str:
    lines = ["## How much is computed"]
    if not document.plans:
        return "\n\n".join([*lines, "Not measured."])
    rows = []
    for row in document.plans:
        clip = asked_of(row.name)
        asked = (clip.share if row.preset == "safe" else clip.fast_share) if clip else None
        cells = [str(len(row.shares)), figure(row.blocks), judged(row.share, asked), f"{row.areas:.0f}", figure(row.ms)]
        rows.append([f"{row.name}, {row.width}x{row.height}", row.preset, *cells])
    what = (
        "Decisions alone, without the network, over as many frames as targets are meant for: share of the pixels that "
        "the network would run on. Blocks is without what is computed around areas. Milliseconds are those of deciding "
        "and of the search for motion."
    )
    head = ["clip", "preset", "frames", "blocks", "share computed", "areas a frame", "ms a frame"]
    return "\n\n".join([*lines, what, table(head, rows), picture("share-safe"), picture("share-fast")])


def likeness_text(document: Document) -> str:
    lines = ["## What reuse changes in the picture"]
    if not document.likeness:
        return "\n\n".join([*lines, "Not measured."])
    rows = []
    for row in document.likeness:
        clip, asked, least = asked_of(row.name), None, None
        if clip:
            safe = row.preset == "safe"
            asked, least = (clip.share, clip.psnr) if safe else (clip.fast_share, clip.fast_psnr)
        cells = [judged(row.share, asked), figure(row.cpu_ratio), judged(row.psnr, least, least=True)]
        rows.append([row.name, row.preset, str(row.frames), *cells, judged(row.worst, WORST[row.preset], least=True)])
    head = ["clip", "preset", "frames", "share computed", "CPU time for off", "PSNR to off, dB", "worst frame, dB"]
    what = "Without the encoder, on RGB of 8 bits; in brackets what is asked, of 120 frames."
    return "\n\n".join([*lines, what, table(head, rows)])


def truth_text(document: Document) -> str:
    lines = ["## Against the true picture"]
    if not document.truth:
        return "\n\n".join([*lines, "Not measured."])
    rows = []
    for row in document.truth:
        warp = judged(row.warp_ratio, 1.0)
        cells = [f"{row.psnr:.2f}", judged(row.loss_db, LOSS[row.preset], digits=3), warp]
        rows.append([f"{row.name}, {row.width}x{row.height}", row.preset, str(row.frames), *cells])
    what = (
        "Each clip halved by area, enlarged by the network on every frame (off) and with reuse, and compared with the "
        "clip itself. The warping error is the mean square difference to the frame before, moved along the clip's own "
        "motion: less is steadier."
    )
    head = ["clip", "preset", "frames", "PSNR of off, dB", "loss by reuse, dB", "warping error for off"]
    return "\n\n".join([*lines, what, table(head, rows)])


def length_text(document: Document) -> str:
    trials = document.trials.get("length", [])
    lines = ["## Time and memory against length"]
    if not trials:
        return "\n\n".join([*lines, "Not measured."])
    head = ["program", *(f"{trial.frames} frames" for trial in trials), "start, s", "a frame more, s", "peak MiB"]
    rows = []
    for entry in trials[0].entries:
        walls = [(trial.frames, trial.median(entry.key, wall)) for trial in trials]
        known = [(float(frames), seconds) for frames, seconds in walls if seconds is not None]
        even = all(sample.share is None for sample in entry.samples)  # else frames differ in what is computed of them
        line = statistics.linear_regression(*zip(*known, strict=True)) if even and len(known) > 1 else None
        peaks = [trial.median(entry.key, lambda s: s.peak_mib) for trial in trials]
        fitted = [figure(line.intercept), figure(line.slope)] if line else ["-", "-"]
        times = ["not measured" if seconds is None else f"{figure(seconds)} s" for _, seconds in walls]
        rows.append([entry.title, *times, *fitted, " / ".join(map(figure, peaks))])
    size = f"{trials[0].width}x{trials[0].height}"
    line_words = "start and frame are those of a straight line through the times, where every frame takes the same work"
    what = f"The sample film, repeated, {size}; {line_words}. {noise(trials)}"
    return "\n\n".join([*lines, what, table(head, rows), picture("length")])


def size_text(document: Document) -> str:
    trials = document.trials.get("size", [])
    lines = ["## Time and memory against resolution"]
    if not trials:
        return "\n\n".join([*lines, "Not measured."])
    head = ["program", *(f"{trial.width}x{trial.height}, {trial.frames} frames" for trial in trials)]
    rows = []
    for entry in trials[0].entries:
        cells = []
        for trial in trials:
            seconds, peak = trial.median(entry.key, wall), trial.median(entry.key, lambda s: s.peak_mib)
            known = seconds is not None
            cells.append(
                f"{figure(at_size(trial, seconds or 0)[1])} s, {figure(peak)} MiB" if known else "not measured"
            )
        rows.append([entry.title, *cells])
    what = f"The sample film: time of a frame, start included, and peak memory. {noise(trials)}"
    return "\n\n".join([*lines, what, table(head, rows), picture("size")])


def commands_text(document: Document) -> str:
    commands: dict[str, str] = {}
    for trials in document.trials.values():
        for trial in trials:
            commands |= {entry.title: entry.command for entry in trial.entries if entry.command}
    lines = ["## Commands", "In the checkout:"]
    lines.append("\n".join(["```sh", *dict.fromkeys(taken.arguments for taken in document.taken.values()), "```"]))
    lines.append("What they run, with the input as IN and the output as OUT:")
    lines.append("\n".join(["```sh", *(f"# {title}\n{words}" for title, words in commands.items()), "```"]))
    return "\n\n".join(lines)


def not_shown(document: Document) -> str:
    """What a reader might look for in vain, and why."""
    machines_used = [taken.machine for taken in document.taken.values()]
    points = []
    if not any(info["gpu"] for info in machines_used):
        points.append(
            "Nothing was measured on a GPU; programs that need one (by Vulkan or CUDA) are not in the tables."
        )
    if not any(precision_on(info) == "bf16" for info in machines_used):
        points.append("No machine that is faster in bf16 than in fp32 was at hand.")
    skipped = {e.title: e.skipped for ts in document.trials.values() for t in ts for e in t.entries if e.skipped}
    points += [f"{title}: {why}." for title, why in skipped.items()]
    if not any(t.entry("ours_safe_int8") for t in document.trials.get("clips", [])):
        points.append("`--precision int8` was not measured.")
    few = [trial.frames for trial in document.trials.get("clips", [])]
    if few and min(few) < 120:
        points.append(f"Clips were measured over {min(few)} to {max(few)} frames; what is asked is asked of 120.")
    points += [
        "The temporal lock and the colour fix are off, as nobody else has them; docs/temporal.md is about the former.",
        "Other networks, encoders and formats: this is the default network x2 with libx264.",
        "Pictures are compared by PSNR and warping error. Nobody was asked what looks better.",
        "The start is part of every time, and weighs more in short runs: see the section about length.",
    ]
    return "\n".join(["## What is not shown", *(f"- {point}" for point in points)])


def page(document: Document) -> str:
    sections = [machines, peers_text, clips_text, shares_text, likeness_text]
    sections += [truth_text, length_text, size_text, profile_text]
    parts = [section(document) for section in (*sections, commands_text, not_shown)]
    return "\n\n".join([HEAD, *parts]) + "\n"


def write_page(document: Document, docs: Path) -> list[Path]:
    """performance.md and performance/*.svg below `docs`; plots of earlier pages go. Returns what was written."""
    folder = docs / "performance"
    folder.mkdir(exist_ok=True)
    drawn = plots(document)
    for old in folder.glob("*.svg"):
        if old.stem not in drawn:
            old.unlink()
    written = [docs / "performance.md", *(folder / f"{name}.svg" for name in drawn)]
    for path, text in zip(written, [page(document), *drawn.values()], strict=True):
        path.write_text(text)
    return written
