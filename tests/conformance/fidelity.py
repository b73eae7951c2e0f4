"""docs/fidelity.md out of the conformance suite's results."""

from __future__ import annotations

from inputs import CONTAINERS
from outcome import Outcome

HEAD = """# What OUT has of IN

Written by the conformance suite (`./dev test --full`), which makes a small video for every row, enhances it with the
identity network and compares ffprobe's view of both files. FFmpeg {version}.

- **kept**: the same in OUT; times within a millisecond where Matroska or WebM is on either side, else exactly.
- **converted**: in the form the container or the codec has for it.
- **said**: the container, or this FFmpeg's writer of it, cannot hold it; the plan says so before the start.
- **-**: not tried.

WebM is written with AV1, HDR10 with HEVC, everything else with H.264.

| input | | mp4 | mov | mkv | webm |
|---|---|---|---|---|---|
"""


def table(outcomes: list[Outcome], version: str) -> str:
    """The whole document."""
    lines = []
    for feature in dict.fromkeys(o.feature.name for o in outcomes):
        of_feature = {o.container: o for o in outcomes if o.feature.name == feature}
        first = next(iter(of_feature.values()))
        for row, aspect in enumerate(first.feature.aspects):
            cells = [of_feature[c].verdicts.get(aspect, "failed") if c in of_feature else "-" for c in CONTAINERS]
            shown = [cell if cell in ("kept", "converted", "said", "-") else "**failed**" for cell in cells]
            lines.append(f"| {feature if row == 0 else ''} | {aspect} | {' | '.join(shown)} |")
    return HEAD.format(version=version) + "\n".join(lines) + "\n"
