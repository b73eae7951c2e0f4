"""Runs programs over one input in turns."""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import Command, Run, busy_cpu_s, run, run_piped
from ours import BINARY, OTHERS_LACK, ROOT
from performance_records import Entry, Sample, Trial


@dataclass(frozen=True)
class Tool:
    """A way to do the whole job: decode, x2, encode with libx264 crf 18 medium, copy the sound."""

    key: str
    title: str
    pipeline: Callable[[Path, Path], list[Command]]  # of input and output: commands joined by pipes
    environment: Mapping[str, str] | None = None
    why_not: Callable[[], str] = lambda: ""  # sets the tool up; empty when it can be run here


def ours(reuse: str, precision: str = "", title: str = "") -> Tool:
    """Millstream, with what others do not do left out."""
    options = [*OTHERS_LACK, "--reuse", reuse, *(["--precision", precision] if precision else [])]
    coded = ["--crf", "18", "--preset", "medium", "--progress", "json"]
    return Tool(
        "_".join(filter(None, ("ours", reuse, precision))),
        title or f"Millstream --reuse {reuse}" + (f" --precision {precision}" if precision else ""),
        lambda clip, output: [[BINARY, "enhance", clip, "-o", output, "-y", *options, *coded]],
    )


def words(tool: Tool) -> str:
    """The tool's command line as one would type it in the checkout."""
    lines = [shlex.join(map(str, command)) for command in tool.pipeline(Path("IN"), Path("OUT"))]
    own = str(ROOT) + "/"
    return " | ".join(lines).replace(str(BINARY), "millstream").replace(own, "")


def report_of(stdout: str) -> dict[str, Any]:
    """The report that ends `--progress json`; empty for what others print."""
    last = stdout.strip().rsplit("\n", 1)[-1]
    try:
        event = json.loads(last)
    except ValueError:
        return {}
    return dict(event["report"]) if isinstance(event, dict) and event.get("event") == "done" else {}


def frames_in(video: Path) -> int:
    count = ["-count_packets", "-select_streams", "v:0", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
    return int(run(["ffprobe", "-v", "error", *count, video]).stdout.strip().strip(",") or 0)


def others_since(before: float, done: Run) -> float:
    """What everything but `done` used of the machine since busy_cpu_s() was `before`; 1 is all of it."""
    share = (busy_cpu_s() - before - done.cpu_s) / (done.wall_s * len(os.sched_getaffinity(0)))
    return min(1.0, max(0.0, share))  # the kernel counts in ticks


def one_run(tool: Tool, clip: Path, frames: int, folder: Path) -> Sample:
    output = folder / f"{tool.key}.mp4"
    output.unlink(missing_ok=True)
    before = busy_cpu_s()
    done = run_piped(tool.pipeline(clip, output), tool.environment)
    made = frames_in(output)
    if made != frames:
        raise RuntimeError(f"{made} of {frames} frames came out")
    reuse = report_of(done.stdout).get("reuse")
    return Sample(
        done.wall_s,
        done.cpu_s,
        done.peak_mib,
        done.written_mib,
        output.stat().st_size / 2**20,
        others_since(before, done),
        reuse["share_computed"] if reuse else None,
    )


def new_entry(tool: Tool) -> Entry:
    reason = tool.why_not()
    if reason:
        print(f"  {tool.title}: skipped: {reason}", flush=True)
    return Entry(tool.key, tool.title, "" if reason else words(tool), [], reason)


def measured(trial: Trial, tools: list[Tool], clip: Path, rounds: int) -> Trial:
    """Fills `trial`: round by round, every second one backwards, so that what drifts hits all alike. A tool that fails
    is out, and says why."""
    trial.entries = [new_entry(tool) for tool in tools]
    pairs = list(zip(trial.entries, tools, strict=True))
    with tempfile.TemporaryDirectory(prefix="millstream-trial-") as folder:
        for number in range(rounds):
            for entry, tool in pairs if number % 2 == 0 else reversed(pairs):
                if entry.skipped:
                    continue
                try:
                    sample = one_run(tool, clip, trial.frames, Path(folder))
                except RuntimeError as error:
                    entry.samples, entry.skipped = [], f"failed: {in_short(error, clip)}"
                    print(f"  {trial.name}, {tool.title}: {error}", flush=True)
                    continue
                entry.samples.append(sample)
                print(f"  {trial.name}, {tool.title}: {sample.wall_s:.2f} s, {sample.cpu_s:.2f} CPU s", flush=True)
    return trial


def in_short(error: Exception, clip: Path) -> str:
    """For a table cell: the first line that says so itself, else the last; without the folders of this machine."""
    lines = str(error).strip().splitlines()
    line = next((line for line in lines if line.lower().startswith("error")), lines[-1])[-160:].rstrip(".")
    return line.replace(str(clip.parent), "").replace(str(ROOT), "").replace("|", "/")
