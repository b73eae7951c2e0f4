"""Compares Millstream with other programs that do the same job, on this machine, and says where its time goes.

    ./dev bench peers                      everything, about 40 minutes on two slow cores without bf16
    ./dev bench peers --frames 120 --rounds 3
                                           as docs/performance.md should have it: hours
    ./dev bench peers --only clips --clip chaplin --clip bottle
                                           a section, or some of its clips; may be repeated
    ./dev bench peers --render             measures nothing, writes the page from bench/performance.json

The peers are installed from PyPI into build/peers; one that cannot be is a row that says why. All programs take turns,
round by round. Results go to bench/performance.json after each input, the page to docs/performance.md.
MILLSTREAM_CLIPS names the folder with the clips that sections `clips`, `shares`, `likeness` and `truth` need.
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import reuse
import reuse_truth
from machine_limits import convolution_gflops
from made_clips import cut_clip, real_clip
from measure import busy_cpu_s, run, run_counted
from ours import ROOT, alone, machine_in_use, precision, versions
from peers import all_peers, mlrt_openvino, network, package_versions
from peers_weights import multiplications_per_pixel
from performance_page import write_page
from performance_records import Document, Profile, StageCost, Taken, Trial, load, save
from trial import Tool, measured, others_since, ours, report_of

RESULTS = ROOT / "bench/performance.json"
MOST_PIXELS = 640 * 360  # of a frame that --frames is meant for; of larger ones fewer are taken
LEAST_FRAMES = 6
OF_CLIPS = ("clips", "shares", "likeness", "truth")
WITH_INT8 = ("peers", "clips")
SMALL, MIDDLE, LARGE = (320, 180), (640, 360), (1280, 720)


@dataclass
class Wish:
    """What is to be measured, and where results go."""

    frames: int
    rounds: int
    clips: list[str] | None
    int8: bool
    document: Document

    def frames_of(self, width: int, height: int) -> int:
        """Fewer of large frames, so that every input takes about as long."""
        return max(min(self.frames, LEAST_FRAMES), min(self.frames, self.frames * MOST_PIXELS // (width * height)))

    def note(self, section: str, part: str = "") -> None:
        """What the section, or a part that is measured by itself, was measured with, and all results so far, to the
        file."""
        words = f"--only {section} --frames {self.frames} --rounds {self.rounds}"
        words += f" --clip {part}" if section in OF_CLIPS else ""
        words += " --int8" if self.int8 and section in WITH_INT8 else ""
        today = datetime.date.today().isoformat()
        taken = Taken(today, machine_in_use(), all_versions(), f"./dev bench peers {words}")
        self.document.put_taken(section, part, taken)
        save(self.document, RESULTS)

    def run_trial(
        self, section: str, name: str, clip: Path, size: tuple[int, int], frames: int, tools: list[Tool]
    ) -> None:
        trial = measured(Trial(name, *size, frames, []), tools, clip, self.rounds)
        self.document.put_trial(section, trial)
        self.note(section, name)


def all_versions() -> dict[str, str]:
    encoder = run(["ffmpeg", "-version"]).stdout.split()[2]
    return {**versions(), "ffmpeg": encoder, **package_versions()}


def without_reuse_and_with(wish: Wish) -> list[Tool]:
    """Ours in every way that is compared, and the peer that targets are against."""
    quantised = [ours("safe", "int8")] if wish.int8 else []
    return [ours("off"), ours("safe"), ours("fast"), *quantised, mlrt_openvino(precision())]


def peers(wish: Wish) -> None:
    """Every program over the sample film."""
    frames = wish.frames
    with tempfile.TemporaryDirectory(prefix="millstream-bench-") as folder:
        clip = real_clip(Path(folder), *MIDDLE, frames)
        tools = [*without_reuse_and_with(wish)[:-1], *all_peers(precision())]
        wish.run_trial("peers", "sample film", clip, MIDDLE, frames, tools)


def clips(wish: Wish) -> None:
    """Real clips: how much reuse saves depends on what they show."""
    for clip in reuse.chosen(wish.clips):
        size = (clip.width, clip.height)
        frames = wish.frames_of(*size)
        with tempfile.TemporaryDirectory(prefix="millstream-bench-") as folder:
            part = cut_clip(reuse.path_of(clip), clip.start_s, *size, frames, Path(folder))
            wish.run_trial("clips", Path(clip.name).stem, part, size, frames, without_reuse_and_with(wish))


def length(wish: Wish) -> None:
    """The same small film in three lengths."""
    for factor in (1, 3, 6):
        frames = wish.frames * factor
        with tempfile.TemporaryDirectory(prefix="millstream-bench-") as folder:
            clip = real_clip(Path(folder), *SMALL, frames)
            tools = [ours("off"), ours("safe"), mlrt_openvino(precision())]
            wish.run_trial("length", f"{frames} frames", clip, SMALL, frames, tools)


def size(wish: Wish) -> None:
    """The same film in three sizes."""
    for pixels in (SMALL, MIDDLE, LARGE):
        frames = wish.frames_of(*pixels)
        with tempfile.TemporaryDirectory(prefix="millstream-bench-") as folder:
            clip = real_clip(Path(folder), *pixels, frames)
            tools = [ours("off"), ours("safe"), mlrt_openvino(precision())]
            wish.run_trial("size", f"{pixels[0]}x{pixels[1]}", clip, pixels, frames, tools)


def profile(wish: Wish) -> None:
    """Where the time of a job goes, and the bound beside it."""
    width, height = MIDDLE
    frames, model = wish.frames, "realesr-animevideov3"
    gflop = 2.0 * multiplications_per_pixel(*network()) * width * height / 1e9
    limit = convolution_gflops(precision())
    profiles = []
    with tempfile.TemporaryDirectory(prefix="millstream-bench-") as name:
        folder = Path(name)
        clip = real_clip(folder, width, height, frames)
        parts = {part: alone(part, clip, model, frames, folder)["cpu_s"] for part in ("decode", "infer", "encode")}
        for preset in ("off", "safe"):
            tool, before = ours(preset), busy_cpu_s()
            done = run_counted(tool.pipeline(clip, folder / "out.mp4")[0])
            others = others_since(before, done)
            stages, share = figures_of(report_of(done.stdout))
            times = (done.wall_s, done.cpu_s, others, share)
            profiles.append(Profile(tool.title, width, height, frames, *times, stages, parts, gflop, limit))
    wish.document.profiles = profiles
    wish.note("profile")


def figures_of(report: dict[str, Any]) -> tuple[list[StageCost], float | None]:
    """The stages' times, and the share computed where reuse was on."""
    keys = ("name", "busy_s", "wait_input_s", "wait_output_s")
    share = report["reuse"]["share_computed"] if report["reuse"] else None
    return [StageCost(*(stage[key] for key in keys)) for stage in report["stages"]], share


def shares(wish: Wish) -> None:
    """What reuse would compute of clips of the length that targets are meant for; the network does not run."""
    for clip in reuse.chosen(wish.clips):
        rows = reuse.planned(clip)
        known = wish.document.plans
        wish.document.plans = [row for row in known if row.name != rows[0].name] + rows
        print(f"  {clip.name}: " + ", ".join(f"{row.preset} {row.share:.3f}" for row in rows), flush=True)
        wish.note("shares", rows[0].name)


def likeness(wish: Wish) -> None:
    """Of reuse to the network on every frame, before the encoder."""
    for clip in reuse.chosen(wish.clips):
        rows, words = reuse.measured(clip, wish.frames_of(clip.width, clip.height))
        known = wish.document.likeness
        wish.document.likeness = [row for row in known if row.name != rows[0].name] + rows
        print(f"  {clip.name}: {words}", flush=True)
        wish.note("likeness", rows[0].name)


def truth(wish: Wish) -> None:
    """Of reuse to the true picture, twice the size of what the network gets."""
    for clip in reuse.chosen(wish.clips):
        rows = reuse_truth.in_own_process(clip, wish.frames_of(clip.width // 2, clip.height // 2))
        known = wish.document.truth
        wish.document.truth = [row for row in known if row.name != rows[0].name] + rows
        print(f"  {clip.name}: " + ", ".join(f"{row.preset} {row.loss_db:.3f} dB" for row in rows), flush=True)
        wish.note("truth", rows[0].name)


# Those that hold pictures come last: measure.run_piped.
SECTIONS: dict[str, Callable[[Wish], None]] = {
    "peers": peers,
    "clips": clips,
    "length": length,
    "size": size,
    "profile": profile,
    "shares": shares,
    "likeness": likeness,
    "truth": truth,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=SECTIONS, help="measure only this section; may be repeated")
    parser.add_argument("--frames", type=int, default=12, help="of inputs up to 640x360; of larger ones fewer (12)")
    parser.add_argument("--rounds", type=int, default=2, help="how often everything takes its turn (2)")
    parser.add_argument("--clip", action="append", help="part of a clip's name; may be repeated (all)")
    parser.add_argument("--int8", action="store_true", help="also measure --precision int8")
    parser.add_argument("--render", action="store_true", help="measure nothing, only write the page")
    arguments = parser.parse_args()
    document = load(RESULTS)
    if not arguments.render:
        wish = Wish(arguments.frames, arguments.rounds, arguments.clip, arguments.int8, document)
        for name, section in SECTIONS.items():
            if not arguments.only or name in arguments.only:
                print(f"bench: {name} ...", flush=True)
                section(wish)
    for path in write_page(document, ROOT / "docs"):
        print(f"bench: wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
