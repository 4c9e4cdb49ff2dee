"""The report of several trainings and comparisons: p over all of them, and a page that is whole."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.comparing.family import holm_over
from tuneval.evaluation.report import ReportFacts, write_report
from tuneval.evaluation.report.facts import ScoringFacts, SelectionFacts, TrainingFacts
from tuneval.evaluation.report.loss_chart import loss_chart, loss_curves
from tuneval.evaluation.report.verdict import among_many
from tuneval.statistics.multiple import holm


class Nesting(HTMLParser):
    """Notes ids that stand twice and tags that close what is not open."""

    VOID = ("meta", "input", "br", "line")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


@pytest.fixture
def evaluations(make_evaluation):
    """One all wrong, one half right, one a little more."""
    return {
        "base": make_evaluation("base", ["wrong"] * 24),
        "half": make_evaluation("half", ["right"] * 12 + ["wrong"] * 12),
        "more": make_evaluation("more", ["right"] * 18 + ["wrong"] * 6),
    }


@pytest.fixture
def comparisons(evaluations):
    base, half, more = evaluations.values()
    return {
        "half-for-base": compare(base, half, metrics=["exact_match"]),
        "more-for-base": compare(base, more, metrics=["exact_match"]),
        "more-for-half": compare(half, more, metrics=["exact_match"]),
    }


def training(examples: str, steps: int) -> TrainingFacts:
    return TrainingFacts(
        examples=examples,
        duration="2 epochs",
        result={
            "kind": "lora",
            "steps": steps,
            "train_loss": 1.25,
            "seconds": 75.0,
            "tokens_per_second": 50.0,
            "trainable_parameters": 10,
            "total_parameters": 1000,
            "data": {"examples": 6, "tokens": 1000 + steps, "trained_tokens": 25},
        },
        loss_log=[{"current_steps": n, "loss": 2.0 / n} for n in range(1, steps + 1)],
    )


@pytest.fixture
def facts(evaluations, comparisons) -> ReportFacts:
    return ReportFacts(
        title="three",
        run_id="r",
        created="2026-01-02T03:04:05+00:00",
        model="bundled:tiny",
        method="lora",
        evaluations={name: e.result for name, e in evaluations.items()},
        comparisons=holm_over(comparisons),
        trainings={"on <few>": training("few", 3), "on-all": training("all of it", 9)},
        scorings={"score": ScoringFacts(measures={"ifd": (5, {"truncated": 1})}, seconds=2.0)},
        selections={
            "few": SelectionFacts(
                asked="keep ifd < 1", n_offered=6, n_chosen=2, rejected={"keep:ifd < 1": 4}
            )
        },
    )


def test_p_is_adjusted_for_every_row_of_every_comparison(comparisons):
    alone = [row.p_value for comparison in comparisons.values() for row in comparison.rows]
    together = holm_over(comparisons)
    assert list(together) == list(comparisons)
    found = [row.p_holm for comparison in together.values() for row in comparison.rows]
    assert found == holm(alone)
    assert found != alone
    assert [c.rows[0].p_value for c in together.values()] == alone, "the raw p stays"


def test_one_comparison_alone_is_as_it_was(comparisons):
    one = {"more-for-half": comparisons["more-for-half"]}
    assert holm_over(one) == one
    assert holm_over({}) == {}


def test_a_difference_that_may_be_chance_among_many_is_called_so(comparisons):
    (row,) = comparisons["more-for-half"].rows
    assert row.verdict == "better"
    assert among_many(replace(row, p_holm=0.01)).en == "better"
    assert among_many(replace(row, p_holm=0.2)).en == "better, or chance among so many"
    assert among_many(replace(row, verdict="unclear")).en == "not clearly different"


def test_the_page_of_several_is_whole_and_in_both_languages(tmp_path, facts):
    page = write_report(tmp_path, facts).html.read_text(encoding="utf-8")
    nesting = Nesting()
    nesting.feed(page)
    assert (nesting.faults, nesting.open) == ([], [])
    assert len(nesting.ids) == len(set(nesting.ids))
    assert page.count('<span class="en"') == page.count('<span class="zh"') > 40
    assert "on &lt;few&gt;" in page
    assert "It worked." not in page, "no headline for one of several"


def test_both_forms_hold_every_training_comparison_score_and_selection(tmp_path, facts):
    written = write_report(tmp_path, facts)
    text, page = (p.read_text(encoding="utf-8") for p in (written.markdown, written.html))
    for form in (text, page):
        for said in ("base → half", "base → more", "half → more", "1,003", "1,009", "all of it"):
            assert said in form
        assert "adjusted for all 3 differences" in form
        assert "truncated" in form
        assert "2 epochs" in form
    assert "| few | keep ifd < 1 | 2 | 6 | keep:ifd < 1: 4 |" in text
    assert "“base” was not given examples" in text
    assert "“half” was not given examples" not in text


def test_curves_share_their_axes_and_keep_their_colours():
    logs = {
        "none": [{"current_steps": 1, "loss": 2.0}],
        "short": [{"current_steps": n, "loss": 1.0} for n in (1, 2, 3)],
        "long": [{"current_steps": n, "loss": 3.0} for n in range(1, 11)],
    }
    chart = loss_curves(logs)
    lines = dict(re.findall(r'class="curve (c\d)" points="([^"]*)"', chart))
    assert list(lines) == ["c1", "c2"]
    ends = {name: [float(v) for v in line.split()[-1].split(",")] for name, line in lines.items()}
    assert ends["c1"][0] < ends["c2"][0], "three steps end before ten"
    assert ends["c1"][1] > ends["c2"][1], "a lower loss lies lower"
    assert loss_curves({"none": logs["none"]}) == loss_curves({}) == loss_chart([]) == ""
