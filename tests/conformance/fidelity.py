"""docs/fidelity.md out of the conformance suite's results."""

from __future__ import annotations

from inputs import CONTAINERS
from outcome import Outcome

HEAD = """# What OUT has of IN

Written by the conformance suite (`./dev test --full`), which makes a small video for every row, enhances it with the
identity network and compares ffprobe's view of both files. FFmpeg {version}.

- **kept**: the same in OUT; frame times within a millisecond where Matroska or WebM is on either side, else exactly;
  the A/V offset, which is where each sound ends, within a millisecond.
- **converted**: in the form the container or the codec has for it.
- **said**: the container, the encoder, or this FFmpeg's writer cannot hold it; the plan says so before the start.
- **refused**: the plan refuses it before anything is written, and says what would do.
- **-**: not tried.

WebM is written with AV1, HDR10 with HEVC, everything else with H.264. The second half is what
`ffmpeg -i IN -map 0 -c:v libx264 -c:a copy OUT` makes of the same file (WebM: `-c:v libsvtav1`): **lost** is neither
kept nor converted, **refused** ends without a file.

| input | | mp4 | mov | mkv | webm | ffmpeg: mp4 | mov | mkv | webm |
|---|---|---|---|---|---|---|---|---|---|
"""


VERDICTS = ("kept", "converted", "said", "refused", "-")


def table(outcomes: list[Outcome], version: str) -> str:
    """The whole document."""
    lines = []
    for feature in dict.fromkeys(o.feature.name for o in outcomes):
        of_feature = {o.container: o for o in outcomes if o.feature.name == feature}
        first = next(iter(of_feature.values()))
        for row, aspect in enumerate(first.feature.aspects):
            cells = [of_feature[c].verdicts.get(aspect, "failed") if c in of_feature else "-" for c in CONTAINERS]
            shown = [cell if cell in VERDICTS else "**failed**" for cell in cells]
            shown += [of_feature[c].of_ffmpeg[aspect] if c in of_feature else "-" for c in CONTAINERS]
            lines.append(f"| {feature if row == 0 else ''} | {aspect} | {' | '.join(shown)} |")
    return HEAD.format(version=version) + "\n".join(lines) + "\n"


def features_of(page: str) -> list[str]:
    """The rows of the table, whatever ffmpeg's version was."""
    features = page.partition("\n## Real clips\n")[0]
    return [line for line in features.splitlines() if line.startswith("| ") and line.endswith(" |")]
