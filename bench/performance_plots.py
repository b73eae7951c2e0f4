"""The plots of docs/performance.md, from what was measured: a name and an SVG text each."""

from __future__ import annotations

from collections.abc import Callable

from performance_records import Document, Sample, Trial
from svg_plot import Bars, Line, bar_chart, line_chart

PEER = "mlrt_ov_"  # its key goes on with the precision; the first that has run is of our precision
Point = tuple[float, float]
COMPARED = ("ours_off", "ours_safe", "ours_fast")


def peer_key(trial: Trial) -> str:
    return next((entry.key for entry in trial.entries if entry.key.startswith(PEER) and entry.samples), PEER)


def title_of(trial: Trial, key: str) -> str:
    return next((entry.title for entry in trial.entries if entry.key == key), key)


def peer_bars(trial: Trial) -> dict[str, str]:
    plots: list[tuple[str, str, str, Callable[[Sample], float]]] = [
        (
            "fps",
            "Frames a second, the whole job (more is better)",
            "frames a second",
            lambda s: trial.frames / s.wall_s,
        ),
        ("cpu", "Processor time of a frame (less is better)", "CPU seconds a frame", lambda s: s.cpu_s / trial.frames),
        ("memory", "Peak memory (less is better)", "MiB", lambda s: s.peak_mib),
        ("written", "Written to files, for the size of the output", "times the output", written_ratio),
    ]
    result = {}
    for name, title, unit, value in plots:
        rows = [Bars(entry.title, [trial.median(entry.key, value)]) for entry in trial.entries]
        result[name] = bar_chart(title, unit, rows)
    return result


def written_ratio(sample: Sample) -> float:
    return sample.written_mib / sample.output_mib


def wall(sample: Sample) -> float:
    return sample.wall_s


def cpu_time(sample: Sample) -> float:
    return sample.cpu_s


def clip_bars(trials: list[Trial]) -> dict[str, str]:
    result = {}
    rows = [Bars(t.name, [t.ratio(key, "ours_off", wall) for key in COMPARED[1:]]) for t in trials]
    title = "Time of the whole job for that of --reuse off (less is better)"
    result["clips"] = bar_chart(title, "times --reuse off", rows, ("safe", "fast"), mark=1.0)
    rows = [Bars(t.name, [t.ratio(key, peer_key(t), wall) for key in COMPARED]) for t in trials]
    title = "Time of the whole job for that of VapourSynth + mlrt-ov (less is better)"
    result["clips-peer"] = bar_chart(title, "times the peer's", rows, ("off", "safe", "fast"), mark=1.0)
    return result


def growth(trials: list[Trial], title: str, labels: tuple[str, str], point: Callable[[Trial, float], Point]) -> str:
    """A line for each program that ran; `point` makes a point of a trial and the median of its wall times."""
    keys = list(dict.fromkeys(entry.key for trial in trials for entry in trial.entries if entry.samples))
    lines = []
    for key in keys:
        timed = [(trial, trial.median(key, wall)) for trial in trials]
        points = [point(trial, seconds) for trial, seconds in timed if seconds is not None]
        lines.append(Line(title_of(trials[0], key), sorted(points)))
    return line_chart(title, *labels, lines)


def at_length(trial: Trial, seconds: float) -> Point:
    return float(trial.frames), seconds


def at_size(trial: Trial, seconds: float) -> Point:
    return trial.width * trial.height / 1e6, seconds / trial.frames


def share_lines(document: Document, preset: str) -> str:
    lines = [
        Line(row.name, [(float(i), share) for i, share in enumerate(row.shares)])
        for row in document.plans
        if row.preset == preset
    ]
    title = f"Share of each frame that the network ran on, --reuse {preset}"
    return line_chart(title, "frame", "share of the pixels", lines, dots=False)


def plots(document: Document) -> dict[str, str]:
    result: dict[str, str] = {}
    trials = {name: trials for name, trials in document.trials.items() if trials}
    if "peers" in trials:
        result |= peer_bars(trials["peers"][0])
    if "clips" in trials:
        result |= clip_bars(trials["clips"])
    if "length" in trials:
        result["length"] = growth(trials["length"], "Time against length", ("frames", "seconds"), at_length)
    if "size" in trials:
        labels = ("megapixels of the input", "seconds a frame")
        result["size"] = growth(trials["size"], "Time of a frame against its size", labels, at_size)
    if document.plans:
        result["share-safe"], result["share-fast"] = share_lines(document, "safe"), share_lines(document, "fast")
    return result
