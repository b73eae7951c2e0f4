"""Real clips through Millstream: what became of every aspect, without a list of what to expect of each."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import excerpt, excerpts_in_words
from facts import ASPECTS, decoded_times, is_same, streams, video
from outcome import run_program

# Those that hold more than a picture and a sound, or the picture in an uncommon form: always tried.
RICH = (
    "derived_rich_ass_srt_chapters_font_2audio.mkv",
    "sample_with_pgs_subtitles.mkv",
    "derived_png_rgba.mov",
    "test_iibbibb_neg_ctts.mp4",
    "derived_audio_late_and_longer.webm",
)
CONTAINERS = ("mkv", "mp4")

# Words of a note that speak of it. What no note speaks of must be kept.
SAID = {
    "audio": "(audio,",
    "audio payloads": "(audio,",
    "audio titles": "(audio,",
    "audio dispositions": "(audio,",
    "A/V offset": "(audio,",
    "subtitles": "(subtitle,",
    "subtitle texts": "(subtitle,",
    "attachments": "(attachment,",
    "cover art": "cover picture",
    "tags": "has no place for these tags",
    "rotation": "shown turned or mirrored",
    "fields": "interlaced",
    "size": "subsampled chroma needs even sides",
    "sample aspect": "subsampled chroma needs even sides",
    "pixel format": "encoded as",
    "colour": "RGB is encoded as YCbCr",
    "dynamic HDR": "dynamic metadata is left out",
    "alpha": "alpha plane is dropped",
}


@dataclass(frozen=True)
class ClipOutcome:
    clip: Path
    container: str
    verdicts: dict[str, str]  # kept, converted, said, repaired, or what is wrong
    warnings: list[str]
    error: str

    @property
    def is_refused(self) -> bool:
        """As what is no video must be: in words, with nothing written."""
        return self.clip.parent.name == "hostile" and self.error.startswith("exit code 3: ")


def filled_in(before: Any, after: Any) -> bool:
    """What the source leaves open may be said in the result."""
    open_words = ("unknown", "unspecified", "")
    pairs = zip(before, after, strict=True) if isinstance(before, tuple) else [(before, after)]
    return all(a == b or a in open_words for a, b in pairs)


def plain_date(value: str) -> str:
    """To the second, however it was written; a place without the zeros at the end of its numbers."""
    value = re.sub(r"(\.\d*?)0+(?=[-+/])", r"\1", value)
    return re.sub(r"^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d).*", r"\1 \2", value)


def is_converted(aspect: str, source: Path, output: Path) -> bool:
    """In another form on purpose."""
    before, after = ASPECTS[aspect](source), ASPECTS[aspect](output)
    allowed: dict[str, Callable[[], bool]] = {
        "colour": lambda: filled_in(before, after),
        "chroma location": lambda: filled_in(before, after),
        "sample aspect": lambda: {before, after} <= {"0:1", "1:1"},
        "pixel format": lambda: before.replace("yuvj", "yuv") == after.replace("yuvj", "yuv"),
        "subtitles": lambda: [s[1] for s in before] == [s[1] for s in after],
        "tags": lambda: all(plain_date(after.get(key, "")) == plain_date(value) for key, value in before.items()),
        # MP4 marks the first track of a kind as default where none is.
        "audio dispositions": lambda: output.suffix == ".mp4" and not any(before) and after == ["default", *before[1:]],
        # ADTS headers are not carried into other containers.
        "audio payloads": lambda: source.suffix == ".ts" and streams(source, "audio")[0]["codec_name"] == "aac",
        "subtitle texts": lambda: [t.split() for t in before] == [t.split() for t in after],
    }
    return aspect in allowed and allowed[aspect]()


def judge_aspect(aspect: str, source: Path, output: Path, notes: list[str], warnings: list[str]) -> str:
    if aspect == "frame times":
        before, after = decoded_times(source), decoded_times(output)
    else:
        before, after = ASPECTS[aspect](source), ASPECTS[aspect](output)
    if is_same(aspect, before, after, milliseconds=True):
        return "kept"
    if is_converted(aspect, source, output):
        return "converted"
    if aspect in SAID and any(SAID[aspect] in note for note in notes):
        return "said"
    if aspect in ("frame times", "A/V offset") and re.search("time stamp|clock", " ".join(warnings)):
        return "repaired"
    return f"{after}, in the source {before}"


def has_ten_bits(clip: Path) -> bool:
    try:
        return bool(video(clip)["pix_fmt"].endswith("10le"))
    except (subprocess.CalledProcessError, LookupError):  # no video
        return False


def run_clip(millstream: Path, clip: Path, folder: Path, container: str) -> ClipOutcome:
    source = excerpt(clip, folder)
    output = folder / f"{clip.name}.{container}"
    options = ["--preset", "ultrafast", "--temporal", "off", "--max-total", "none"]
    options += ["--codec", "hevc"] if has_ten_bits(source) else []
    notes, warnings, error = run_program(millstream, source, output, options)
    warnings = [w for w in warnings if "memory" not in w]
    verdicts: dict[str, str] = {}
    if error:
        assert not output.exists(), error
    else:
        verdicts = {aspect: judge_aspect(aspect, source, output, notes, warnings) for aspect in ASPECTS}
    return ClipOutcome(clip, container, verdicts, warnings, error)


def words(outcome: ClipOutcome) -> str:
    """A cell of the table: what is not simply kept, and what was repaired."""
    if outcome.is_refused:
        return "refused"
    others = [f"{verdict}: {aspect}" for aspect, verdict in outcome.verdicts.items() if verdict != "kept"]
    repaired = [f"repaired: {warning}" for warning in outcome.warnings]
    return ", ".join([*others, *repaired]) or "all kept"


HEAD = """
## Real clips

The same aspects of {clips} clips for development, written with H.264, those of 10 bit with HEVC.
{excerpts}What a clip does not have counts as kept where the result has not got it either. All times are compared to
within a millisecond.

- **converted** also: what the clip leaves open about its colours or chroma location is said in the result; pixels that
  are square are said to be so, or not; dates and places in another notation; AAC of MPEG-TS without its ADTS headers;
  the first sound of an MP4 marked as default where none was.
- **repaired**: damage in the clip, in the words of the report.
- **refused**: there is no video in it, which is said; nothing is written.

| clip | mkv | mp4 |
|---|---|---|
"""


def clips_table(outcomes: list[ClipOutcome]) -> str:
    cells = {(o.clip, o.container): words(o) for o in outcomes}
    clips = list(dict.fromkeys(o.clip for o in outcomes))
    rows = [f"| `{clip.name}` | {' | '.join(cells[clip, c] for c in CONTAINERS)} |" for clip in clips]
    return HEAD.format(clips=len(clips), excerpts=excerpts_in_words()) + "\n".join(rows) + "\n"
