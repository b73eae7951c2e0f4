"""What `./dev bench peers` has measured, as values: written to bench/performance.json and read back for the page.

A trial is one input and what several programs did with it, in turns. A section of the page is a list of trials, or of
one of the other records."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TRIALS = ("peers", "clips", "length", "size")


@dataclass
class Sample:
    """One run of one program over the trial's input."""

    wall_s: float
    cpu_s: float
    peak_mib: float  # the largest process; of a pipe, the sum of its processes
    written_mib: float  # pages of files
    output_mib: float
    others: float  # what everything else on the machine used, of all cores
    share: float | None = None  # input pixels run through the network over all, by the program's own report


@dataclass
class Entry:
    """One program's runs in a trial."""

    key: str
    title: str
    command: str  # with IN and OUT
    samples: list[Sample] = field(default_factory=list)
    skipped: str = ""  # why there are no samples


@dataclass
class Trial:
    name: str
    width: int
    height: int
    frames: int
    entries: list[Entry]

    def entry(self, key: str) -> Entry | None:
        """That program's, if it has run."""
        return next((entry for entry in self.entries if entry.key == key and entry.samples), None)

    def median(self, key: str, value: Callable[[Sample], float | None]) -> float | None:
        entry = self.entry(key)
        known = [v for v in map(value, entry.samples) if v is not None] if entry else []
        return statistics.median(known) if known else None

    def ratios(self, key: str, to: str, value: Callable[[Sample], float]) -> list[float]:
        """Round by round, so that a machine whose speed drifts does not decide the result."""
        one, other = self.entry(key), self.entry(to)
        if not one or not other:
            return []
        return [value(a) / value(b) for a, b in zip(one.samples, other.samples, strict=False)]

    def ratio(self, key: str, to: str, value: Callable[[Sample], float]) -> float | None:
        found = self.ratios(key, to, value)
        return statistics.median(found) if found else None


@dataclass
class Likeness:
    """What reuse makes of a clip, without the encoder, against the network on every frame."""

    name: str
    width: int
    height: int
    frames: int
    preset: str
    share: float
    cpu_ratio: float
    psnr: float  # dB to the network on every frame
    worst: float  # dB, the worst frame


@dataclass
class Plan:
    """What reuse would compute of a clip; the network does not run, so that the whole of it can be looked at."""

    name: str
    width: int
    height: int
    preset: str
    blocks: float  # share needed, or taken in with what is needed, without halos
    areas: float  # a frame, mean
    ms: float  # a frame: deciding, the search for motion included
    shares: list[float]  # computed of each frame, in order, halos included

    @property
    def share(self) -> float:
        return statistics.fmean(self.shares)


@dataclass
class Truth:
    """The same for half the clip's size, against the clip itself."""

    name: str
    width: int  # of the clip
    height: int
    frames: int
    preset: str
    psnr: float  # dB of the network on every frame to the clip
    loss_db: float  # what reuse takes from that
    warp_ratio: float | None  # warping error over that of the network on every frame; None without motion to judge


@dataclass
class StageCost:
    """Of one stage of a job, seconds."""

    name: str
    busy_s: float
    wait_input_s: float
    wait_output_s: float


@dataclass
class Profile:
    """Where one job's time goes, and what its parts take alone."""

    title: str
    width: int
    height: int
    frames: int
    wall_s: float
    cpu_s: float
    others: float  # as of Sample
    share: float | None
    stages: list[StageCost]
    alone_cpu_s: dict[str, float]  # decode, infer and encode of all frames by themselves
    gflop_per_frame: float
    machine_gflops: float  # the fastest convolution of the network's kind that was found


@dataclass
class Taken:
    """When a section was measured, with what, and how."""

    date: str
    machine: dict[str, Any]
    versions: dict[str, str]
    arguments: str


@dataclass
class Document:
    trials: dict[str, list[Trial]] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    likeness: list[Likeness] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    taken: dict[str, Taken] = field(default_factory=dict)

    def put_trial(self, section: str, trial: Trial) -> None:
        """In place of what had its name."""
        trials = self.trials.setdefault(section, [])
        at = next((i for i, old in enumerate(trials) if old.name == trial.name), len(trials))
        trials[at : at + 1] = [trial]

    def put_taken(self, section: str, part: str, taken: Taken) -> None:
        """Of a part, where there is one: what was said of the whole section goes once each of its parts has its own."""
        self.taken[f"{section}: {part}" if part else section] = taken
        of_clips: dict[str, Sequence[Plan | Likeness | Truth]] = {
            "shares": self.plans,
            "likeness": self.likeness,
            "truth": self.truth,
        }
        rows = of_clips.get(section, self.trials.get(section, []))
        if part and all(f"{section}: {row.name}" in self.taken for row in rows):
            self.taken.pop(section, None)


def entry_of(data: dict[str, Any]) -> Entry:
    return Entry(**{**data, "samples": [Sample(**sample) for sample in data["samples"]]})


def trial_of(data: dict[str, Any]) -> Trial:
    return Trial(**{**data, "entries": [entry_of(entry) for entry in data["entries"]]})


def profile_of(data: dict[str, Any]) -> Profile:
    return Profile(**{**data, "stages": [StageCost(**stage) for stage in data["stages"]]})


def document_of(data: dict[str, Any]) -> Document:
    return Document(
        trials={name: [trial_of(trial) for trial in trials] for name, trials in data["trials"].items()},
        plans=[Plan(**row) for row in data["plans"]],
        likeness=[Likeness(**row) for row in data["likeness"]],
        truth=[Truth(**row) for row in data["truth"]],
        profiles=[profile_of(profile) for profile in data["profiles"]],
        taken={name: Taken(**taken) for name, taken in data["taken"].items()},
    )


def load(path: Path) -> Document:
    return document_of(json.loads(path.read_text())) if path.exists() else Document()


def save(document: Document, path: Path) -> None:
    rounded = json.loads(json.dumps(asdict(document)), parse_float=lambda word: float(f"{float(word):.5g}"))
    path.write_text(json.dumps(rounded, indent=1) + "\n")
