"""Charts show every value where it belongs, and say in words what they show."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneval.errors import StatisticsError
from tuneval.pages.axis import Axis, linear_axis, log_axis
from tuneval.pages.chart import Mark
from tuneval.pages.histogram import Bar, histogram
from tuneval.pages.numbers import duration_text, share_text, short_count, significant
from tuneval.pages.scatter import MOST_POINTS, scatter
from tuneval.pages.strip import Quantiles, strip
from tuneval.pages.text import Text

ENDS = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6)).map(lambda e: (e[0], e[0] + e[1]))


@given(ENDS)
def test_a_linear_axis_has_a_few_round_ticks_within_it(ends: tuple[float, float]) -> None:
    axis = linear_axis(*ends)
    values = [value for value, _ in axis.ticks]
    assert 2 <= len(values) <= 7
    assert all(-1e-9 <= (v - ends[0]) / (ends[1] - ends[0]) <= 1 + 1e-9 for v in values)
    assert [axis.share(end) for end in ends] == [0, 1]


@given(st.floats(1e-6, 1e6), st.floats(1.01, 1e12))
def test_an_axis_by_logarithm_has_ticks_within_it(low: float, times: float) -> None:
    axis = log_axis(low, low * times)
    assert 1 <= len(axis.ticks) <= 14
    assert all(low <= value <= low * times for value, _ in axis.ticks)
    assert axis.share(low * math.sqrt(times)) == pytest.approx(0.5)


def test_ticks_read_as_people_write_them() -> None:
    texts = [text for _, text in log_axis(0.8, 2500).ticks]
    assert texts == ["1", "3", "10", "30", "100", "300", "1,000"]
    assert [text for _, text in linear_axis(-1, 1).ticks] == ["−1", "−0.5", "0", "0.5", "1"]
    assert [text for _, text in linear_axis(0, 40_000).ticks][-1] == "40k"


def test_equal_ends_make_an_axis_with_the_value_in_the_middle() -> None:
    for axis in (linear_axis(3, 3), linear_axis(0, 0), log_axis(3, 3)):
        assert axis.share(3 if axis.high > 1 else 0) == pytest.approx(0.5)


def test_no_axis_of_nothing_and_none_by_logarithm_from_zero() -> None:
    with pytest.raises(StatisticsError, match="nan"):
        linear_axis(math.nan, 1)
    with pytest.raises(StatisticsError, match="cannot begin at 0"):
        log_axis(0, 1)


def test_widening_leaves_room_at_both_ends() -> None:
    assert (linear_axis(0, 10).widened(0.1).low, linear_axis(0, 10).widened(0.1).high) == (-1, 11)
    wide = log_axis(1, 100).widened(0.5)
    assert (wide.low, wide.high) == pytest.approx((0.1, 1000))


def drawn(svg: str) -> ET.Element:
    """The chart, read as XML: it fails where it is not well-formed."""
    return ET.fromstring(svg)


def chart(bars: Sequence[Bar], marks: Sequence[Mark] = (), rows: int = 1) -> str:
    axis = linear_axis(0, 10)
    says = Text("In words.", "用文字说。")
    return histogram(bars, axis, Text("x<y", "甲"), marks=marks, mark_rows=rows, says=says)


def test_bars_stand_at_their_values_as_high_as_their_counts() -> None:
    svg = drawn(chart([Bar(0, 5, 4, "0–5"), Bar(5, 10, 2, "5 & more", "past"), Bar(9, 10, 0, "")]))
    first, second = svg.findall("rect")
    assert float(first.get("height")) == pytest.approx(2 * float(second.get("height")), abs=0.11)
    assert float(second.get("x")) - float(first.get("x")) == pytest.approx((720 - 78) / 2, abs=0.11)
    assert [rect.get("class") for rect in (first, second)] == ["bin", "past"]
    assert second.find("title").text == "5 & more: 2"


def test_a_chart_says_what_it_shows() -> None:
    svg = drawn(chart([Bar(0, 5, 4, "0–5")]))
    assert (svg.get("role"), svg.get("aria-label")) == ("img", "x<y / 甲")
    assert svg.find("desc").text == "In words. 用文字说。"


def test_marks_near_one_another_take_another_row_or_give_way() -> None:
    marks = [Mark(5, "first"), Mark(5.2, "second", "fixed"), Mark(9, "third")]
    bars = [Bar(0, 10, 1, "all")]
    one, two = (
        [text.text for text in drawn(chart(bars, marks, rows)).findall("text") if text.get("class")]
        for rows in (1, 2)
    )
    assert one == ["first", "third"]
    assert two == ["first", "second", "third"]


def test_one_among_a_million_is_still_seen() -> None:
    rects = drawn(chart([Bar(0, 5, 1_000_000, "a"), Bar(5, 10, 1, "b")])).findall("rect")
    assert float(rects[1].get("height")) == 1.5


def points(svg: str) -> list[tuple[int, int]]:
    path = re.search(r'class="points" d="([^"]*)"', svg)
    return [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h0", path[1])] if path else []


def test_each_pair_is_a_point_and_equal_pairs_lie_on_the_line() -> None:
    axis = linear_axis(0, 1)
    svg = scatter([(0, 0), (1, 1), (0, 1)], axis, axis, ("a<", "b"), "pairs")
    root = drawn(svg)
    line = root.find('line[@class="same"]')
    ends = [(round(float(line.get(f"x{n}"))), round(float(line.get(f"y{n}")))) for n in (1, 2)]
    found = points(svg)
    assert found[:2] == ends
    assert found[2] == (ends[0][0], ends[1][1])


def test_too_many_points_become_cells_that_count_every_pair() -> None:
    axis = linear_axis(0, 1)
    pairs = [((n % 97) / 97, (n % 89) / 89) for n in range(MOST_POINTS + 1)]
    svg = scatter(pairs, axis, axis, ("a", "b"), "many")
    cells = drawn(svg).findall('path[@class="cell"]')
    assert points(svg) == []
    assert sum(int(cell.find("title").text.replace(",", "")) for cell in cells) == len(pairs)
    assert len(svg) < 200_000


def test_a_crowd_on_one_spot_is_told_from_a_single_pair() -> None:
    axis = linear_axis(0, 1)
    svg = scatter([(0.2, 0.2)] * 50 + [(0.9, 0.9)], axis, axis, ("a", "b"), "crowd")
    widths = [float(width) for width in re.findall(r'class="cell" d="M[\d. ]+h([\d.]+)', svg)]
    assert widths[0] > 3 * widths[1]
    corner = re.search(r'class="cell" d="M([\d.]+) ([\d.]+)', svg)
    line = drawn(svg).find('line[@class="same"]')
    left, right = float(line.get("x1")), float(line.get("x2"))
    middle = float(corner[1]) + widths[0] / 2
    assert middle == pytest.approx(left + 0.2 * (right - left), abs=0.1), "not the grid's place"


def test_a_strip_shows_its_quantiles_in_order() -> None:
    root = drawn(strip(Quantiles(1, 2, 5, 8, 9), linear_axis(0, 10), "s", fixed=6))
    reach = root.find('path[@class="reach"]').get("d")
    low, high = (float(text) for text in re.match(r"M([\d.]+) 9H([\d.]+)", reach).groups())
    box = root.find("rect")
    left = float(box.get("x"))
    median = float(re.match(r"M([\d.]+)", root.find('path[@class="median"]').get("d"))[1])
    right = left + float(box.get("width"))
    assert low < left < median < right < high
    assert median == 120, "half of the axis is half of the strip"
    assert root.find('path[@class="fixed"]') is not None
    assert "fixed" not in strip(Quantiles(1, 2, 5, 8, 9), Axis(0, 10), "s", fixed=11)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.2345, "1.23"),
        (0.012345, "0.0123"),
        (9.999, "10.0"),
        (185.4, "185"),
        (12345, "12,300"),
        (1.5e7, "1.50e7"),
        (-2.5, "−2.50"),
    ],
)
def test_significant_digits(value: float, text: str) -> None:
    assert significant(value) == text


def test_counts_shares_and_times_are_short() -> None:
    counts = [short_count(n) for n in (950, 9500, 12_000, 1_500_000)]
    assert counts == ["950", "9,500", "12k", "1.5M"]
    assert (share_text(1, 3), share_text(1, 0)) == ("33.3%", "–")
    assert [duration_text(s) for s in (8.24, 200, 7500)] == ["8.2 s", "3 min 20 s", "2 h 05 min"]
