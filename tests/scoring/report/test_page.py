"""The page stands alone, hides nothing, and holds whatever the scores and the data are."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from tuneval.runs.events import Event, Saved, Warned
from tuneval.scoring.report import report_scores

HOSTILE = "<script>alert(1)</script> | `x` </div> \x00\u202e"


class Tags(HTMLParser):
    """Collects what is open, sections, and every address."""

    VOID = ("meta", "input", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sections: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.addresses += [v for k in ("href", "src") if (v := values.get(k))]
        if tag == "section":
            self.sections.append(values["id"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def parsed(html: str) -> Tags:
    """The page, read; it fails where an element is not closed."""
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags


def pages(scores, *others) -> tuple[str, str]:
    """report.md and report.html."""
    written = report_scores(scores, others)
    return written.markdown.read_text("utf-8"), written.html.read_text("utf-8")


def columns(n: int, seed: int = 0) -> dict[str, list[float]]:
    """A value of each measure for n examples."""
    random = np.random.default_rng(seed)
    return {
        "response_ppl": random.lognormal(1.5, 0.8, size=n).tolist(),
        "ifd": random.lognormal(-0.3, 0.3, size=n).tolist(),
        "one_shot": random.integers(-3, 4, size=n).tolist(),
        "prompt_tokens": random.integers(3, 90, size=n).tolist(),
        "repetition": random.beta(1, 9, size=n).tolist(),
    }


def test_the_page_shows_every_matter_in_both_forms(make_scores) -> None:
    a = make_scores(columns(40), name="a", tasks=["math", "code"] * 20)
    text, html = pages(a, make_scores(columns(40, 1), name="b"))
    found = parsed(html)
    assert found.addresses == []
    assert not re.search(r"@import|url\(|<script|https?://", html)
    assert found.sections == [
        "measures", "account", "correlation", "tasks", "models", "ends", "reading", "record",
    ]  # fmt: skip
    for said in ("folder/a", "folder/b", "question", "math", "p" * 16, "40 examples in common"):
        assert said in text
        assert said in html
    for said in ("The papers (Cherry LLM", "some in practice keep the lowest", "shots"):
        assert said in text
        assert said in html
    assert html.count('<svg class="chart"') == 5 + 5, "a histogram and a scatter of each measure"


def test_each_language_says_as_much_as_the_other(make_scores) -> None:
    column = [0.5, "empty_response", "no_peer", 1.2]
    _, html = pages(make_scores({"ifd": column}), make_scores({"ifd": column}, name="b"))
    spans = [html.count(f'<span class="{language}"') for language in ("en", "zh")]
    assert spans[0] == spans[1] > 60
    assert html.count('<tspan class="en"') == html.count('<tspan class="zh"') > 0
    for heading in re.findall(r"<h2>(.*?)</h2>", html):
        assert 'lang="zh-Hans"' in heading


def test_texts_of_the_data_cannot_become_markup(make_scores) -> None:
    tasks = [HOSTILE, HOSTILE, "b"]
    scores = make_scores(
        {"ifd": [0.5, 0.7, 1.2]}, tasks=tasks, questions=[HOSTILE, "```\n# x", "c"],
        model=HOSTILE, prompts=HOSTILE,
    )  # fmt: skip
    text, html = pages(scores, scores)
    parsed(html)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert "\x00" not in html + text
    assert "\u202e" not in html + text
    for line in text.splitlines():
        outside = re.sub(r"(`+) ?.*? ?\1(?!`)", "", line)
        assert "<script>" not in outside, "only as code"


def test_a_reason_is_told_with_its_number_and_what_to_do(make_scores) -> None:
    text, html = pages(make_scores({"ifd": [0.5, "empty_response", "empty_response"]}))
    assert "- `ifd`: 2 because the response is empty; fill it, or leave the record out." in text
    assert "<b>2</b> (66.7%)" in html
    assert "回答为空" in html


@pytest.mark.parametrize(
    "content",
    [
        {"ifd": ["no_response"] * 3, "response_ppl": ["no_response"] * 3},
        {"ifd": [0.7], "response_ppl": [3.0]},
        {"ifd": [0.7], "response_ppl": ["no_response"]},
        {"ifd": [1.0] * 6, "response_ppl": [1.0] * 6},
        {"ifd": [0.5, 1e12, 0.7], "response_ppl": [1.0, 1e300, 2.0]},
        {"repetition": [0.0, 0.0], "one_shot": [0, 0]},
        {"one_shot": [-1e-9, 1e-9]},
        {"response_ppl": [0.0, 2.0, 3.0]},
        {"prompt_tokens": [5, 6, 6, 7]},
        {"ifd": [None, 0.3]},
    ],
    ids=[
        "nothing scored", "one row", "one value", "constant", "huge", "zeros", "tiny",
        "a perplexity of zero", "few values", "no reason",
    ],
)  # fmt: skip
def test_odd_scores_make_a_whole_page(make_scores, content) -> None:
    text, html = pages(make_scores(content, name="a"), make_scores(content, name="b"))
    parsed(html)
    for form in (text, html):
        assert not re.search(r"\b(nan|inf)\b", form, re.IGNORECASE)


def test_no_row_makes_a_whole_page(make_scores) -> None:
    scores = make_scores({"ifd": [0.5]})
    scores.rows.clear()
    text, html = pages(scores, scores)
    parsed(html)
    assert "0 examples of" in text
    assert "No example has a value." in html
    assert "no example in common" in html


def test_the_page_of_thousands_stays_small(make_scores) -> None:
    tasks = [f"task {n % 500}" for n in range(3000)]
    long = [f"question {n} " + "<long> " * 200 for n in range(3000)]
    a, b, c = (
        make_scores(columns(3000, seed), name=name, tasks=tasks, questions=long)
        for seed, name in enumerate("abc")
    )
    _, html = pages(a, b, c)
    assert len(html.encode()) < 1_000_000
    assert "470 smaller tasks with" in html


def test_a_histogram_counts_every_value(make_scores) -> None:
    values = columns(300)
    values["response_ppl"][0] = 1e9
    values["repetition"][0] = 1.0
    _, html = pages(make_scores(values))
    charts = re.findall(r'<svg class="chart".*?</svg>', html, re.DOTALL)
    for chart in charts:
        counts = [int(c.replace(",", "")) for c in re.findall(r": ([\d,]+)</title>", chart)]
        assert sum(counts) == 300


def test_a_pale_bar_stands_only_where_something_lies_beyond(make_scores) -> None:
    near = np.random.default_rng(3).uniform(0.003, 0.9, size=200).tolist()
    _, html = pages(make_scores({"ifd": near}))
    assert '<rect class="beyond"' not in html
    assert '<line class="fixed"' in html, "the neutral value is in sight"
    _, html = pages(make_scores({"ifd": [*near, 50.0]}))
    assert re.search(r'<rect class="beyond".*?<title>≥ [\d.]+: 1</title>', html)


def test_bars_beyond_the_neutral_value_differ_without_colour(make_scores) -> None:
    values = [0.5 + 0.01 * n for n in range(100)]
    _, html = pages(make_scores({"ifd": values}))
    past = re.findall(r'<rect class="past".*?<title>.*?: (\d+)</title>', html)
    assert sum(map(int, past)) == sum(value >= 1 for value in values) == 50
    assert re.search(r"\.chart \.past \{ fill: var\(--card\); stroke:", html)


def test_the_report_lies_where_it_is_asked_for_and_tells_its_story(make_scores, tmp_path) -> None:
    events: list[Event] = []
    scores = make_scores({"ifd": [0.5, 0.6]})
    (tmp_path / "set.jsonl").unlink()
    written = report_scores(scores, folder=tmp_path / "out", report=events.append)
    assert written.html == tmp_path / "out" / "report.html"
    assert written.markdown.exists()
    assert not (scores.folder / "report.html").exists()
    assert any(isinstance(event, Warned) and "cannot be read" in event.message for event in events)
    assert any(isinstance(event, Saved) and event.path == str(written.html) for event in events)
