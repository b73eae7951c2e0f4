"""How figures, tables and plots stand on a page."""

from __future__ import annotations

from collections.abc import Sequence


def figure(value: float | None) -> str:
    """Three digits; what is missing says so."""
    if value is None:
        return "not measured"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def judged(value: float | None, limit: float | None, least: bool = False, digits: int = 2) -> str:
    """The figure, and in brackets what is asked of it where something is; missed is bold."""
    if value is None:
        return "not measured"
    words = f"{value:.{digits}f}"
    if limit is None:
        return words
    asked = f"({'>=' if least else '<='} {limit:g})"
    met = value >= limit if least else value <= limit
    return f"{words} {asked}" if met else f"**{words}** {asked}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def picture(name: str) -> str:
    return f"![{name}](performance/{name}.svg)"
