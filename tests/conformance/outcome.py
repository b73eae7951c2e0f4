"""Every input through Millstream and through a plain ffmpeg, once a session, and what became of each aspect."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from facts import ASPECTS, is_same
from inputs import FEATURES, Feature


@dataclass(frozen=True)
class Outcome:
    """What one feature came to in one container."""

    feature: Feature
    container: str
    verdicts: dict[str, str]  # aspect -> kept, converted, said, refused, or the reason of a failure
    of_ffmpeg: dict[str, str]  # aspect -> kept, converted, lost, refused
    error: str = ""

    @property
    def worse_than_ffmpeg(self) -> list[str]:
        return [a for a, theirs in self.of_ffmpeg.items() if theirs == "kept" and self.verdicts.get(a) == "said"]

    @property
    def better_than_ffmpeg(self) -> list[str]:
        return [a for a, theirs in self.of_ffmpeg.items() if theirs == "lost" and self.verdicts.get(a) == "kept"]


def encoder_options(feature: Feature, suffix: str) -> list[str]:
    if suffix == ".webm" and "--encoder" not in feature.options:
        return ["--codec", "av1", "--preset", "12", *(o for o in feature.options if o not in ("--codec", "hevc"))]
    preset = [] if "--encoder" in feature.options else ["--preset", "ultrafast"]
    return [*preset, *feature.options]


def run_program(millstream: Path, source: Path, output: Path, options: list[str]) -> tuple[list[str], list[str], str]:
    """Notes of the plan, warnings of the report, and the error if it failed."""
    quick = ["--model", "identity", "--scale", "1", "--progress", "json"]
    command: list[str | Path] = [millstream, "enhance", source, "-o", output, *quick, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    notes = [note for e in events if e["event"] == "plan" for note in e["plan"]["notes"]]
    warnings = [w for e in events if e["event"] == "done" for w in e["report"]["warnings"]]
    return notes, warnings, "" if done.returncode == 0 else f"exit code {done.returncode}: {done.stdout}{done.stderr}"


def plain_ffmpeg(source: Path, output: Path) -> bool:
    """What most people would type; often it refuses, because a stream does not fit."""
    codec = ["-c:v", "libsvtav1", "-preset", "12"] if output.suffix == ".webm" else ["-c:v", "libx264"]
    command: list[str | Path] = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-y",
        "-i",
        source,
        "-map",
        "0",
        *codec,
        "-c:a",
        "copy",
        output,
    ]
    return subprocess.run(command, capture_output=True, timeout=120).returncode == 0


def judge(feature: Feature, source: Path, output: Path, aspect: str, notes: list[str]) -> str:
    """kept, converted or said; anything else is what is wrong."""
    milliseconds = {source.suffix, output.suffix} & {".mkv", ".webm"} != set()
    before, after = ASPECTS[aspect](source), ASPECTS[aspect](output)
    expected = feature.otherwise.get((output.suffix[1:], aspect))
    if isinstance(expected, str) and expected.startswith("says "):
        sentence = expected.removeprefix("says ")
        return "said" if any(sentence in note for note in notes) else f"no note has {sentence!r}: {notes}"
    if expected is not None:
        return (
            "converted"
            if is_same(aspect, expected, after, milliseconds=milliseconds)
            else (f"{after}, expected {expected}")
        )
    return "kept" if is_same(aspect, before, after, milliseconds=milliseconds) else f"{after}, in the source {before}"


def judge_ffmpeg(feature: Feature, source: Path, theirs: Path, aspect: str) -> str:
    """The same of what a plain ffmpeg has made."""
    milliseconds = {source.suffix, theirs.suffix} & {".mkv", ".webm"} != set()
    expected = feature.otherwise.get((theirs.suffix[1:], aspect))
    try:
        before, after = ASPECTS[aspect](source), ASPECTS[aspect](theirs)
    except (IndexError, KeyError):  # there is no such stream in it
        return "lost"
    if is_same(aspect, before, after, milliseconds=milliseconds):
        return "kept"
    given = expected is not None and not str(expected).startswith("says ")
    return "converted" if given and is_same(aspect, expected, after, milliseconds=milliseconds) else "lost"


def run_one(millstream: Path, feature: Feature, source: Path, container: str) -> Outcome:
    output = source.parent / f"out.{container}"
    theirs = source.parent / f"plain.{container}"
    made = plain_ffmpeg(source, theirs)
    of_ffmpeg = {a: judge_ffmpeg(feature, source, theirs, a) if made else "refused" for a in feature.aspects}
    options = encoder_options(feature, output.suffix)
    notes, warnings, error = run_program(millstream, source, output, options)
    if container in feature.refuses:
        refused = error.startswith("exit code 2") and feature.refuses[container] in error and not output.exists()
        verdicts = dict.fromkeys(feature.aspects, "refused" if refused else f"not refused: {error}")
        return Outcome(feature, container, verdicts, of_ffmpeg)
    if error:
        return Outcome(feature, container, {}, of_ffmpeg, error)
    if feature.says and not any(feature.says in sentence for sentence in [*notes, *warnings]):
        error = f"nothing says {feature.says!r}: {[*notes, *warnings]}"
    verdicts = {aspect: judge(feature, source, output, aspect, notes) for aspect in feature.aspects}
    return Outcome(feature, container, verdicts, of_ffmpeg, error)


def run_all(millstream: Path, folder: Path) -> list[Outcome]:
    def one_feature(feature: Feature) -> list[Outcome]:
        place = folder / str(FEATURES.index(feature))
        place.mkdir()
        source = feature.make(place)
        return [run_one(millstream, feature, source, container) for container in feature.containers]

    with ThreadPoolExecutor(2) as threads:
        return [outcome for outcomes in threads.map(one_feature, FEATURES) for outcome in outcomes]
