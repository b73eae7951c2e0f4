"""Plots as SVG text: horizontal bars and lines. Pure functions, no files, no libraries.

Every plot has a white ground of its own, so that it reads the same on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

# Told apart also by those who do not see all colours (Okabe and Ito, https://jfly.uni-koeln.de/color/).
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
INK, FAINT = "#333333", "#dddddd"
WIDTH, TITLE, LETTER = 720, 34, 6.9  # pixels: of a plot, above it, and of a character of a label
BAR, GAP = 15, 9


@dataclass(frozen=True)
class Bars:
    """One label's bars, one for each series; None is not measured."""

    label: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Line:
    label: str
    points: Sequence[tuple[float, float]]


def number(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def ticks(most: float, count: int = 5) -> list[float]:
    """From 0 to at least `most`, about `count` steps of 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return [0.0, 1.0]
    raw = most / count
    power = float(10.0 ** math.floor(math.log10(raw)))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    return [i * step for i in range(math.ceil(most / step - 1e-9) + 1)]


def text(x: float, y: float, words: str, anchor: str = "start", weight: str = "normal") -> str:
    style = f'text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


def stroke(x1: float, y1: float, x2: float, y2: float, colour: str, extra: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{extra}/>'


def framed(title: str, height: float, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" font-family="sans-serif" font-size="12" fill="{INK}" role="img">'
    )
    ground = f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    named = [f"<title>{escape(title)}</title>", ground, text(12, 22, title, weight="bold")]
    return "\n".join([head, *named, *parts, "</svg>"]) + "\n"


def legend(series: Sequence[str], y: float) -> list[str]:
    parts, x = [], 12.0
    for i, name in enumerate(series):
        parts.append(f'<rect x="{x:.1f}" y="{y - 10:.1f}" width="11" height="11" fill="{COLOURS[i % len(COLOURS)]}"/>')
        parts.append(text(x + 16, y, name))
        x += 34 + LETTER * len(name)
    return parts


def bar_chart(
    title: str, unit: str, rows: Sequence[Bars], series: Sequence[str] = (), mark: float | None = None
) -> str:
    """Horizontal bars from 0, a group a row; `series` names the bars of a group, `mark` draws a line at a value."""
    left = 20 + LETTER * max((len(row.label) for row in rows), default=0)
    known = [value for row in rows for value in row.values if value is not None]
    steps = ticks(max([*known, mark or 0.0], default=0.0))
    across = (WIDTH - left - 90) / steps[-1]
    top = TITLE + (22 if series else 0)
    parts = legend(series, TITLE + 10) if series else []
    bottom = top + sum(BAR * len(row.values) + GAP for row in rows)
    for step in steps:
        parts.append(stroke(left + step * across, top, left + step * across, bottom, FAINT))
        parts.append(text(left + step * across, bottom + 15, number(step), "middle"))
    y = float(top)
    for row in rows:
        parts.append(text(left - 8, y + BAR * len(row.values) / 2 + 4, row.label, "end"))
        for i, value in enumerate(row.values):
            if value is not None:
                shape = f'width="{value * across:.1f}" height="{BAR - 2}" fill="{COLOURS[i % len(COLOURS)]}"'
                parts.append(f'<rect class="bar" x="{left:.1f}" y="{y:.1f}" {shape}/>')
            words = "not measured" if value is None else number(value)
            parts.append(text(left + (value or 0) * across + 5, y + BAR - 4, words))
            y += BAR
        y += GAP
    if mark is not None:
        parts.append(
            stroke(left + mark * across, top, left + mark * across, bottom, INK, ' stroke-dasharray="4 3" class="mark"')
        )
    parts.append(text(left + steps[-1] * across / 2, bottom + 32, unit, "middle"))
    return framed(title, bottom + 42, parts)


def line_chart(title: str, x_label: str, y_label: str, lines: Sequence[Line], dots: bool = True) -> str:
    """Lines over axes that both begin at 0, each named in the legend."""
    left, right, top, tall = 64.0, WIDTH - 24.0, TITLE + 40.0, 260.0
    points = [point for line in lines for point in line.points]
    across = ticks(max((x for x, _ in points), default=0.0))
    up = ticks(max((y for _, y in points), default=0.0))
    bottom = top + tall

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x / across[-1] * (right - left), bottom - y / up[-1] * tall

    parts = legend([line.label for line in lines], TITLE + 10)
    parts.append(text(12, top - 12, y_label))
    for value in up:
        y = place(0, value)[1]
        parts += [stroke(left, y, right, y, FAINT), text(left - 6, y + 4, number(value), "end")]
    for value in across:
        parts.append(text(place(value, 0)[0], bottom + 16, number(value), "middle"))
    parts.append(text((left + right) / 2, bottom + 34, x_label, "middle"))
    for i, line in enumerate(lines):
        colour = COLOURS[i % len(COLOURS)]
        placed = [place(x, y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
        if dots:
            parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
    return framed(title, bottom + 46, parts)
