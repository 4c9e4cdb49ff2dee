from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.describe import describe
from tuneval.data.description.histogram import histogram
from tuneval.data.description.lengths import Lengths
from tuneval.data.description.page import page

TICKETS = Path(__file__).parents[2] / "examples" / "support-tickets" / "tickets.jsonl"
VOID = {"meta", "input"}


class Tags(HTMLParser):
    """Collects what is open, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.sections: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.addresses += [v for k in ("href", "src") if (v := values.get(k))]
        if tag == "section":
            self.sections.append(values.get("id") or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(html: str) -> Tags:
    """The page, read; it fails where an element is not closed."""
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags


@pytest.fixture(scope="module")
def html() -> str:
    """The shipped set's page."""
    return page(describe(TICKETS, by="language"))


def test_the_page_needs_no_other_file(html: str) -> None:
    assert parsed(html).addresses == []
    assert "url(" not in html
    assert "<script" not in html


def test_the_page_shows_every_matter(html: str) -> None:
    sections = ["lengths", "languages", "values", "parts", "ends", "more", "reading"]
    assert parsed(html).sections == sections
    for text in ("484", "label.intent", "technical", "tag language", "退订会员，谢谢"):
        assert text in html


def test_all_headings_are_in_both_languages(html: str) -> None:
    for heading in re.findall(r"<h2>(.*?)</h2>", html):
        assert 'lang="en"' in heading
        assert 'lang="zh-Hans"' in heading


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": "<script>alert(1)</script>", "tags": {"<b>": "<i>"}, "group": "&"}],
        [{"prompt": "q", "chosen": "a", "rejected": "b"}],
        [{"text": ""}, {"text": "\U0001f600" * 5000}],
    ],
    ids=["markup", "preference", "empty and long"],
)
def test_any_set_makes_a_page_without_markup_of_its_own(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    html = page(describe(path))
    parsed(html)
    assert "<script>" not in html
    assert "<b>&lt;" not in html


def test_the_chart_has_a_bar_for_every_bin_that_holds_something() -> None:
    lengths = Lengths()
    for value in [*range(100, 200), 5000]:
        lengths.add(value)
    spread = lengths.spread()
    assert spread is not None
    drawn = histogram(spread, "lengths")
    titles = re.findall(r"<title>(.*?): (\d+)</title>", drawn)
    assert len(titles) == sum(each.count > 0 for each in spread.histogram)
    assert sum(int(count) for _, count in titles) == 101
    assert titles[-1] == ("≥ 200", "1")
    assert "50% ≤ 150" in drawn


@pytest.mark.parametrize("values", [[0], [7] * 5, [1, 10**9]])
def test_odd_lengths_can_be_drawn(values: list[int]) -> None:
    lengths = Lengths()
    for value in values:
        lengths.add(value)
    spread = lengths.spread()
    assert spread is not None
    assert "nan" not in histogram(spread, "lengths")
