"""Plots, read back as XML."""

from __future__ import annotations

import xml.etree.ElementTree as Xml

import pytest
from svg_plot import COLOURS, Bars, Line, bar_chart, line_chart, number, ticks

SVG = "{http://www.w3.org/2000/svg}"


def words(svg: str) -> list[str]:
    return [element.text or "" for element in Xml.fromstring(svg).iter(f"{SVG}text")]


def bars(svg: str) -> list[float]:
    return [float(e.get("width", "")) for e in Xml.fromstring(svg).iter(f"{SVG}rect") if e.get("class") == "bar"]


@pytest.mark.parametrize(
    ("most", "steps"),
    [(1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (7.0, [0, 2, 4, 6, 8]), (0.0, [0, 1]), (3400.0, [0, 1000, 2000, 3000, 4000])],
)
def test_ticks_are_round_and_reach_the_largest_value(most: float, steps: list[float]) -> None:
    assert ticks(most) == pytest.approx(steps)


def test_numbers_have_three_digits_and_no_exponent() -> None:
    assert [number(v) for v in (0.0, 0.12345, 1.5, 12.34, 123456.0)] == ["0", "0.123", "1.5", "12.3", "123456"]


def test_bars_are_as_long_as_their_values() -> None:
    drawn = bars(bar_chart("t", "s", [Bars("a", [2.0]), Bars("b", [1.0]), Bars("c", [0.5])]))
    assert drawn[0] == pytest.approx(2 * drawn[1], abs=0.2)
    assert drawn[1] == pytest.approx(2 * drawn[2], abs=0.2)


def test_what_was_not_measured_has_words_and_no_bar() -> None:
    svg = bar_chart("t", "s", [Bars("there", [2.0]), Bars("not there", [None])])
    assert len(bars(svg)) == 1
    assert {"there", "not there", "not measured", "2"} <= set(words(svg))


def test_a_group_has_a_bar_and_a_colour_for_each_series() -> None:
    svg = bar_chart("t", "x", [Bars("a", [1.0, 0.5]), Bars("b", [0.8, None])], ("safe", "fast"), mark=1.0)
    fills = [e.get("fill") for e in Xml.fromstring(svg).iter(f"{SVG}rect") if e.get("class") == "bar"]
    assert fills == [COLOURS[0], COLOURS[1], COLOURS[0]]
    assert {"safe", "fast"} <= set(words(svg))
    assert [e.get("class") for e in Xml.fromstring(svg).iter(f"{SVG}line")].count("mark") == 1


def test_labels_are_escaped() -> None:
    assert "a < b & c" in words(bar_chart("t", "s", [Bars("a < b & c", [1.0])]))


def test_lines_go_up_where_values_do() -> None:
    svg = line_chart("t", "frames", "seconds", [Line("one", [(0, 0), (10, 5), (20, 10)])])
    line = next(Xml.fromstring(svg).iter(f"{SVG}polyline")).get("points", "")
    places = [tuple(map(float, pair.split(","))) for pair in line.split()]
    assert places[1][0] - places[0][0] == pytest.approx(places[2][0] - places[1][0], abs=0.2)
    assert places[0][1] - places[1][1] == pytest.approx(places[1][1] - places[2][1], abs=0.2)
    assert places[2][1] < places[0][1], "upwards is towards 0 in SVG"


@pytest.mark.parametrize("svg", [bar_chart("empty", "s", []), line_chart("empty", "x", "y", [])])
def test_nothing_makes_an_empty_plot(svg: str) -> None:
    assert "empty" in words(svg)
