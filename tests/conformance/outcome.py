"""Every input through Millstream and through a plain ffmpeg, once a session, and what became of each aspect."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facts import ASPECTS, is_same
from inputs import FEATURES, Feature


@dataclass(frozen=True)
class Outcome:
    """What one feature came to in one container."""

    feature: Feature
    container: str
    verdicts: dict[str, str]  # aspect -> kept, converted, said, or the reason of a failure
    worse_than_ffmpeg: list[str]
    error: str = ""


def encoder_options(feature: Feature, suffix: str) -> list[str]:
    if suffix == ".webm":
        return ["--codec", "av1", "--preset", "12", *(o for o in feature.options if o not in ("--codec", "hevc"))]
    return ["--preset", "ultrafast", *feature.options]


def enhance(millstream: Path, feature: Feature, source: Path, output: Path) -> tuple[list[str], list[str], str]:
    """Notes of the plan, warnings of the report, and the error if it failed."""
    quick = ["--model", "identity", "--scale", "1", "--progress", "json"]
    command: list[str | Path] = [
        millstream,
        "enhance",
        source,
        "-o",
        output,
        *quick,
        *encoder_options(feature, output.suffix),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
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


def absent(value: Any) -> bool:
    return value in ("", [], None) or (isinstance(value, list) and not any(value))


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


def worse(feature: Feature, source: Path, output: Path, theirs: Path, verdicts: dict[str, str]) -> list[str]:
    """Aspects that ffmpeg keeps and we do not."""
    milliseconds = {source.suffix, output.suffix} & {".mkv", ".webm"} != set()
    found = []
    for aspect, verdict in verdicts.items():
        if verdict == "kept" or (feature.otherwise.get((output.suffix[1:], aspect)) is not None and verdict != "said"):
            continue
        before, after = ASPECTS[aspect](source), ASPECTS[aspect](theirs)
        if not absent(before) and is_same(aspect, before, after, milliseconds=milliseconds):
            found.append(aspect)
    return found


def run_one(millstream: Path, feature: Feature, source: Path, container: str) -> Outcome:
    output = source.parent / f"out.{container}"
    notes, warnings, error = enhance(millstream, feature, source, output)
    if error:
        return Outcome(feature, container, {}, [], error)
    if feature.says and not any(feature.says in sentence for sentence in [*notes, *warnings]):
        error = f"nothing says {feature.says!r}: {[*notes, *warnings]}"
    verdicts = {aspect: judge(feature, source, output, aspect, notes) for aspect in feature.aspects}
    theirs = source.parent / f"plain.{container}"
    lost = worse(feature, source, output, theirs, verdicts) if plain_ffmpeg(source, theirs) else []
    return Outcome(feature, container, verdicts, lost, error)


def run_all(millstream: Path, folder: Path) -> list[Outcome]:
    def one_feature(feature: Feature) -> list[Outcome]:
        place = folder / str(FEATURES.index(feature))
        place.mkdir()
        source = feature.make(place)
        return [run_one(millstream, feature, source, container) for container in feature.containers]

    with ThreadPoolExecutor(2) as threads:
        return [outcome for outcomes in threads.map(one_feature, FEATURES) for outcome in outcomes]
