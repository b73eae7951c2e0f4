"""Runs commands and says what they cost. Ratios are taken pair by pair, interleaved, so that a machine whose speed
drifts does not decide the result."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Command = Sequence[str | Path]


@dataclass
class Run:
    """One finished process, or several joined by pipes: wall and CPU seconds of the whole trees, peak resident MiB (the
    largest process of each tree, added up), MiB of file pages written."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    stdout: str
    written_mib: float = 0.0


def run(command: Command) -> Run:
    """Runs `command` to its end; raises with its messages when it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    out, err = process.communicate()
    wall = time.perf_counter() - start
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}: {err.strip()}")
    return Run(wall, 0.0, 0.0, out)


def run_piped(commands: Sequence[Command], environment: Mapping[str, str] | None = None) -> Run:
    """Runs commands joined by pipes to their end, with CPU seconds, peak memory and pages written from the kernel's own
    accounting of the finished processes. A process's peak is never less than this one's own at its start: measure
    before anything large is loaded here."""
    processes: list[subprocess.Popen[str]] = []
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        before: Any = subprocess.DEVNULL
        for command in commands:
            words = [str(part) for part in command]
            process = subprocess.Popen(
                words, stdin=before, stdout=subprocess.PIPE, stderr=said, text=True, env=environment
            )
            if processes:
                before.close()
            before = process.stdout
            processes.append(process)
        out = before.read()
        ended = [wait_counted(process) for process in reversed(processes)]
        wall = time.perf_counter() - start
        codes = [process.returncode for process in processes]
        if any(codes):
            said.seek(0)
            line = " | ".join(" ".join(map(str, command)) for command in commands)
            raise RuntimeError(f"{line} ended with {codes}: {said.read().strip()[-2000:]}")
    cpu, peak, written = (
        sum(part) for part in zip(*((e.cpu_s, e.peak_mib, e.written_mib) for e in ended), strict=True)
    )
    return Run(wall, cpu, peak, out, written)


def run_counted(command: Command) -> Run:
    """Like run(), with what the kernel has counted."""
    return run_piped([command])


def wait_counted(process: subprocess.Popen[Any]) -> Run:
    """Waits for a process nobody else waits for: what it and its children took; wall time is not known."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    written = usage.ru_oublock * 512 / 2**20
    return Run(0.0, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, "", written)


def busy_cpu_s() -> float:
    """CPU seconds that everything on this machine has used since it was started."""
    user, nice, system, _idle, _wait, interrupt, soft, stolen = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + interrupt + soft + stolen) / os.sysconf("SC_CLK_TCK")


@dataclass
class Watched:
    """A job watched through `--progress json`: snapshots from the first finished frame to the last."""

    fps: float
    cores_busy: float
    cpu_s: float
    peak_mib: float
    wall_s: float
    rss_mib: list[tuple[int, float]] = field(default_factory=list)


def watch(command: Command) -> Watched:
    """Runs a job with `--progress json` and relates its CPU time to the wall time between first and last frame."""
    ticks = os.sysconf("SC_CLK_TCK")
    start = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command] + ["--progress", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    marks: list[tuple[float, float, int]] = []
    rss: list[tuple[int, float]] = []
    for line in process.stdout:
        snapshot: dict[str, Any] = json.loads(line)
        frames = int(snapshot.get("frames_done", 0))
        try:
            fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if frames > 0 and len(fields) > 12:
            marks.append((time.perf_counter(), (int(fields[11]) + int(fields[12])) / ticks, frames))
            rss.append((frames, float(snapshot["rss_bytes"]) / 2**20))
    ended = wait_counted(process)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}")
    growing = [mark for i, mark in enumerate(marks) if i == 0 or mark[2] > marks[i - 1][2]]
    first, last = growing[0], growing[-1]
    seconds = max(last[0] - first[0], 1e-9)
    cores = len(os.sched_getaffinity(0))
    return Watched(
        (last[2] - first[2]) / seconds,
        (last[1] - first[1]) / seconds / cores,
        ended.cpu_s,
        ended.peak_mib,
        time.perf_counter() - start,
        rss,
    )


def slope_per_1000(points: list[tuple[int, float]], skip: int) -> float:
    """Least-squares slope of (frame, MiB) points behind frame `skip`, in MiB per 1000 frames."""
    kept = [(float(x), y) for x, y in points if x > skip]
    return statistics.linear_regression([x for x, _ in kept], [y for _, y in kept]).slope * 1000


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    info = Path("/proc/cpuinfo").read_text()
    flags = next((line for line in info.splitlines() if line.startswith("flags")), "").split()
    name = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), "?")
    return {
        "cpu": name,
        "cores": len(os.sched_getaffinity(0)),
        "bf16": "avx512_bf16" in flags,
        "avx512": "avx512f" in flags,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "gpu": None,
    }
