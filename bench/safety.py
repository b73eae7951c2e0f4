"""What being able to go on after a crash costs: time, bytes, the start of a run that goes on, and the end of a long
file."""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from measure import run


@dataclass
class Price:
    """Of checkpoints as they are by default, against the same pipeline in one chunk that is not synced before its end,
    and against one plain encode of the same frames by ffmpeg with the same settings."""

    checkpoints: int
    wall_ratio: float
    bytes_to_one_chunk: float
    bytes_to_ffmpeg: float  # packets of the pictures alone


def price(binary: Path, clip: Path, folder: Path, options: list[str], pairs: int) -> Price:
    identity: list[str | Path] = [
        binary,
        "enhance",
        clip,
        "-y",
        "--model",
        "identity",
        "--scale",
        "1",
        "--progress",
        "none",
        *options,
    ]
    chunked, single, plain = folder / "chunked.mp4", folder / "single.mp4", folder / "plain.mp4"
    report = folder / "chunked.json"
    ratios = []
    for _ in range(pairs):
        ours = run([*identity, "-o", chunked, "--report", report])
        bare = run([*identity, "-o", single, "--chunk", "100000f"])
        ratios.append(ours.wall_s / bare.wall_s)
    encoder = ["-c:v", "libx264", "-crf", "18", "-preset", "medium", "-c:a", "copy"]
    run(["ffmpeg", "-v", "error", "-y", "-i", clip, *encoder, plain])
    return Price(
        json.loads(report.read_text())["checkpoints"],
        statistics.median(ratios),
        chunked.stat().st_size / single.stat().st_size,
        picture_bytes(chunked) / picture_bytes(plain),
    )


def picture_bytes(video: Path) -> int:
    sizes = ["-select_streams", "v:0", "-show_entries", "packet=size", "-of", "csv=p=0"]
    return sum(int(line.strip(",")) for line in run(["ffprobe", "-v", "error", *sizes, video]).stdout.split())


@dataclass
class Finish:
    """Of a long output, in place."""

    seconds: float
    seconds_from_disk: float  # with nothing of it in the page cache
    peak_mib: float
    packets: int
    gib: float


def finish(program: Path, sound: Path, output: Path, seconds: int, bytes_per_second: int) -> Finish:
    """`sound` lasts as long as the output is to. The output is removed."""
    said = json.loads(run([program, sound, output, str(seconds), str(bytes_per_second)]).stdout)
    output.unlink()
    packets = said["frames"] + said["copied_packets"]
    taken = said["seconds"], said["seconds_from_disk"]
    return Finish(*taken, said["peak_mib"], packets, said["bytes"] / 2**30)


def first_new_frame_s(command: list[str | Path], kill_at: int | None = None) -> float:
    """Seconds from the command to the first frame it hands to the encoder; killed once `kill_at` frames are done."""
    started = time.perf_counter()
    job = subprocess.Popen(
        [*map(str, command), "--progress", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert job.stdout is not None
    first: float | None = None
    resumed = 0
    for line in job.stdout:
        event = json.loads(line)
        if event["event"] == "plan":
            resumed = event["plan"]["resumed_frames"]
        elif event["event"] == "progress" and event["frames_done"] > resumed:
            first = first or time.perf_counter() - started
            if kill_at is None or event["frames_done"] >= kill_at:
                job.send_signal(signal.SIGKILL)
                break
    job.stdout.close()
    job.wait()
    if first is None:
        raise RuntimeError("the job ended before it had done a frame")
    return first


def resume_ratio(binary: Path, clip: Path, folder: Path, options: list[str], tries: int) -> tuple[float, float, float]:
    """Going on against starting anew, as medians: ratio, seconds of a fresh start, seconds of going on."""
    output = folder / "resumed.mp4"
    command: list[str | Path] = [binary, "enhance", clip, "-o", output, "-y", "--chunk", "24f", *options]
    fresh, again = [], []
    for _ in range(tries):
        fresh.append(first_new_frame_s([*command, "--resume", "never"], kill_at=60))
        again.append(first_new_frame_s([*command, "--resume", "require"]))
    start, resumed = statistics.median(fresh), statistics.median(again)
    return resumed / start, start, resumed
