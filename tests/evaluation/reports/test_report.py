"""The report stands alone, says in words what the intervals say, and hides nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tuneval.data.example import Example, Message, Source
from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.report import ReportFacts, data_card, write_report
from tuneval.evaluation.report.loss_chart import loss_chart
from tuneval.evaluation.report.markup import marked_answer
from tuneval.evaluation.report.numbers import change_text, difference_text, estimate_text
from tuneval.evaluation.report.verdict import conclude, headline
from tuneval.statistics.estimate import Estimate


class Tags(HTMLParser):
    """Collects tags left open and every address that the page would load."""

    VOID = ("meta", "input", "br", "line")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.addresses += [v for name, v in attrs if name in ("src", "href") and v]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def example(number: int, language: str, answer: str) -> Example:
    turns = (Message("user", f"q{number}"), Message("assistant", answer))
    return Example(turns, Source("d.jsonl", number), f"g{number // 2}", {"language": language})


@pytest.fixture
def facts(make_evaluation) -> ReportFacts:
    base = make_evaluation("base", ["wrong"] * 20)
    tuned = make_evaluation("tuned", ["right"] * 18 + ["<b>wrong</b>"] * 2)
    train = [example(n, "en", '{"intent":"return"}') for n in range(6)]
    held_out = [example(n, "zh", '{"intent":"billing"}') for n in range(6, 8)]
    return ReportFacts(
        title="small <run>",
        run_id="2026-01-02_0304_small_abc",
        created="2026-01-02T03:04:05+00:00",
        model="bundled:tiny",
        command="tuneval run small.yaml",
        method="lora",
        template_hash="0123456789abcdef",
        data=data_card(
            "d.jsonl",
            "f" * 64,
            {"train": train, "held_out": held_out},
            findings=[{"severity": "warning", "rule": "near_duplicate"}],
        ),
        tokens={
            "examples": 6,
            "tokens": 100,
            "trained_tokens": 25,
            "truncated": {"prompt": 1},
            "unusable": [{"example": "x", "where": "d.jsonl:9", "reason": "no response token"}],
        },
        training={
            "kind": "lora",
            "steps": 3,
            "train_loss": 1.25,
            "seconds": 75.0,
            "tokens_per_second": 50.0,
            "trainable_parameters": 10,
            "total_parameters": 1000,
        },
        loss_log=[{"current_steps": n, "loss": 2.0 / n, "lr": 0.1 / n} for n in (1, 2, 3)],
        evaluations={"base": base.result, "tuned": tuned.result},
        comparison=compare(base, tuned),
        environment={"python": "3.11", "packages": {"torch": "2.13", "nltk": None}, "gpus": []},
    )


def pages(tmp_path, facts) -> tuple[str, str]:
    written = write_report(tmp_path, facts)
    return written.markdown.read_text(encoding="utf-8"), written.html.read_text(encoding="utf-8")


def test_page_is_whole_and_loads_nothing_from_elsewhere(tmp_path, facts):
    _, page = pages(tmp_path, facts)
    tags = Tags()
    tags.feed(page)
    assert tags.faults == []
    assert tags.open == []
    assert tags.addresses == []
    assert not re.search(r"@import|url\(|<script", page)


def test_both_forms_say_that_it_worked_with_interval_and_sample(tmp_path, facts):
    text, page = pages(tmp_path, facts)
    row = facts.comparison.row("exact_match")
    low, high = (change_text(end, "share") for end in (row.difference.low, row.difference.high))
    for form in (text, page):
        assert "It worked." in form
        assert f"95% interval {low} to {high}" in form
        assert "on 20 items" in form
        assert "18 items went from wrong to right and 0 items from right to wrong" in form
        assert "four times out of five" in form
    assert "微调有效" in page


def test_text_of_answers_cannot_become_markup(tmp_path, facts):
    _, page = pages(tmp_path, facts)
    assert "<b>wrong</b>" not in page
    assert "small &lt;run&gt;" in page


def test_page_tells_what_was_cut_left_out_and_found(tmp_path, facts):
    text, page = pages(tmp_path, facts)
    for expected in ("prompt: 1", "1: no response token", "1 warning", "near_duplicate (1)"):
        assert expected in page
    for expected in ("nltk",):
        assert expected not in page, "packages that are not there are not shown"
    assert "tuneval run small.yaml" in text
    assert "held out" in text


def test_each_language_says_as_much_as_the_other(tmp_path, facts):
    _, page = pages(tmp_path, facts)
    assert page.count('<span class="en"') == page.count('<span class="zh"') > 40


def test_report_without_training_or_comparison_shows_the_values(tmp_path, make_evaluation):
    result = make_evaluation("base", ["right", "wrong"]).result
    facts = ReportFacts(
        title="only", run_id="r", created="2026-01-02T03:04:05", model="m",
        evaluations={"base": result},
    )  # fmt: skip
    text, page = pages(tmp_path, facts)
    assert "50.0%" in text
    assert "50.0%" in page
    assert "It worked" not in page


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (["wrong"] * 12, ["right"] * 12, "worked"),
        (["right"] * 12, ["wrong"] * 12, "worse"),
        (["right", "wrong"] * 6, ["right", "wrong"] * 6, "unclear"),
        (["xyz"] * 12, ["righ"] * 11 + ["rig"], "partly"),
    ],
)
def test_verdict_follows_the_paired_intervals(make_evaluation, before, after, kind):
    found = compare(make_evaluation("a", before), make_evaluation("b", after))
    assert conclude(found).kind == kind


def test_headline_of_a_fall_says_fell(make_evaluation):
    found = compare(make_evaluation("a", ["right"] * 9), make_evaluation("b", ["no"] * 9))
    assert "Exact match fell from 100.0% to 0.0%" in headline(conclude(found), found).en


def test_numbers_carry_their_interval_and_sign():
    share = Estimate(0.5, 0.25, 0.75, 0.95, "Wilson", 8)
    assert estimate_text(share) == "50.0% [25.0, 75.0]"
    fall = Estimate(-0.125, -0.2, 0.0, 0.95, "Tango", 8)
    assert difference_text(fall) == "−12.5 [−20.0, 0.0]"
    assert estimate_text(Estimate(1.5, None, None, 0.95, "none", 1, unit="")) == "1.500"


def test_answer_marks_only_what_differs_from_the_label():
    label = '{"intent":"cancel","urgency":"low"}'
    shown = marked_answer('{"intent":"return","urgency":"low"}', label)
    assert re.findall(r"<mark>(.*?)</mark>", shown) == ["return"]
    assert marked_answer("", "label") == '<em class="empty">∅</em>'
    assert "<mark>" not in marked_answer("nothing alike at all", "1 2 3")


def test_loss_chart_needs_two_steps_and_draws_every_one():
    assert loss_chart([{"current_steps": 1, "loss": 2.0}]) == ""
    chart = loss_chart([{"current_steps": n, "loss": 2.0 + n, "lr": 0.1} for n in range(5)])
    raw = re.search(r'class="raw" points="([^"]*)"', chart)
    assert len(raw[1].split()) == 5
    assert loss_chart([{"current_steps": n, "loss": 1.0} for n in range(3)])


def test_data_card_counts_tags_and_json_fields_by_side(facts):
    assert facts.data.tags["language"] == {"en": {"train": 6}, "zh": {"held_out": 2}}
    assert facts.data.fields["intent"] == {"return": {"train": 6}, "billing": {"held_out": 2}}
    assert facts.data.n_groups == 4
