"""The report of models on tasks says every figure, how it came about, and what one cannot hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tuneval.evaluation.answering.respondent import Invariance
from tuneval.evaluation.asking.overall import Overall
from tuneval.evaluation.asking.task_record import TaskRecord
from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.report import ReportFacts, write_report
from tuneval.evaluation.report.tasks.details import detail_html
from tuneval.evaluation.report.tasks.dots import dots
from tuneval.evaluation.report.tasks.facts import TasksFacts, averaged, headline
from tuneval.evaluation.report.tasks.how import how_asked
from tuneval.evaluation.suites.against_first import against_first
from tuneval.statistics.estimate import Estimate

SHARE = Estimate(0.75, 0.5, 0.9, 0.95, "made", 40)
MACRO = Estimate(0.6, 0.4, 0.8, 0.95, "made", 40)
WHOLE = Estimate(0.6, 0.55, 0.65, 0.95, "made", 40)

RECORD = TaskRecord(
    kind="quiz",
    title="quiz",
    protocol="quiz/official/5-shot/plain",
    options={},
    main="exact_match",
    questions_hash="q" * 16,
    prompt_hash="r" * 16,
    tokenizer_hash="k" * 16,
    precision="float32",
    shots_dropped=3,
    strata="subject",
    sizes={"law": 60, "art": 60},
    taken={"law": 20, "art": 20},
    perturbations=(),
    invariance=Invariance(n_items=16, n_changed=1, largest=0.002),
    overall=(Overall("exact_match", "subject", MACRO, WHOLE),),
    by_stratum={"exact_match": {"law": SHARE, "art": MACRO}},
)


@pytest.fixture
def evaluations(make_evaluation):
    found = {}
    for label, answers in {
        "base": ["wrong"] * 12 + ["right"] * 8,
        "tuned": ["right"] * 20,
        "other": ["wrong"] * 12 + ["right"] * 8,
    }.items():
        made = make_evaluation(label, answers)
        result = replace(made.result, task=RECORD, notes=("two <b>notes</b>",))
        found[label] = {"quiz": replace(made, result=result)}
    return found


@pytest.fixture
def facts(evaluations) -> TasksFacts:
    results = {
        label: {title: one.result for title, one in tasks.items()}
        for label, tasks in evaluations.items()
    }
    return TasksFacts(results=results, comparisons=against_first(evaluations))


@pytest.fixture
def written(facts, tmp_path) -> dict[str, str]:
    about = ReportFacts(
        title="three",
        run_id="r",
        created="2026-01-02T03:04",
        model="m",
        evaluations={},
        tasks=facts,
    )
    paths = write_report(tmp_path, about)
    return {p.suffix: p.read_text(encoding="utf-8") for p in (paths.markdown, paths.html)}


def test_the_headline_is_the_figure_as_the_protocol_averages_it(facts):
    result = facts.results["base"]["quiz"]
    assert headline(result) == MACRO
    assert averaged(result) == "subject"
    plain = replace(result, task=replace(RECORD, overall=()))
    assert headline(plain) == result.metrics["exact_match"].estimate


def test_main_metrics_are_one_family_and_the_others_their_own(evaluations, facts):
    alone = compare(evaluations["base"]["quiz"], evaluations["tuned"]["quiz"])
    main, other = (alone.row(metric) for metric in ("exact_match", "bleu-4"))
    found = facts.comparisons["quiz"]["tuned"]
    assert found.row("exact_match").p_holm == pytest.approx(2 * main.p_value), "two comparisons"
    assert found.row("bleu-4").p_holm == other.p_holm
    assert (found.a, found.b) == ("base", "tuned")


@pytest.mark.parametrize("form", [".md", ".html"])
def test_both_forms_say_scores_differences_protocol_and_hashes(written, form):
    said = written[form]
    for part in (
        "60.0%", "[40.0, 80.0]", "macro average by subject", "Against base, item by item",
        "+60.0", "quiz/official/5-shot/plain", "had every question of the task been asked",
        "[55.0, 65.0]", "3 prompts lost demonstrations", "1 of 16 answers differ", "law",
        "q" * 16, "r" * 16, "k" * 16, "not clearly different",
    ):  # fmt: skip
        assert part in said, part


def test_nothing_of_the_data_is_markup(written):
    assert "two <b>notes</b>" not in written[".html"].lower()
    assert "wo &lt;b&gt;notes" in written[".html"]


def test_how_it_was_asked_names_what_was_left_out(facts):
    result = replace(
        facts.results["base"]["quiz"], skipped={"generated": {"too long by 3": 1, "by 4": 2}}
    )
    said = [text.en for text in how_asked({"base": result})]
    assert "base: 3 questions left out; the first: too long by 3." in said


def test_dots_lie_where_the_values_are():
    picture = dots({"a": SHARE, "b": replace(SHARE, value=0.25, low=None, high=None)}, "quiz")
    places = [float(x) for x in re.findall(r'circle cx="([\d.]+)"', picture)]
    left, right = 170, 720 - 24
    assert places == pytest.approx([left + 0.75 * (right - left), left + 0.25 * (right - left)])
    assert picture.count('class="reach"') == 1, "a value without an interval has no line"
    assert dots({}, "quiz") == ""


def test_dots_of_other_units_span_their_own_values():
    values = [Estimate(v, v - 1, v + 1, 0.95, "made", 9, unit="") for v in (-3.0, 8.0)]
    picture = dots(dict(zip("ab", values, strict=True)), "drop")
    first, second = (float(x) for x in re.findall(r'circle cx="([\d.]+)"', picture))
    assert 170 < first < second < 696


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({"classes": ["a<"], "columns": ["a<", "b"], "counts": [[3, 1]]}, ["a&lt;", "0.75", ">3<"]),
        (
            {
                "n": 10,
                "readings": {
                    "strict": {"right": 0.4, "unparsed": 0.5},
                    "lenient": {"right": 0.6, "unparsed": 0.1},
                },
                "range": [0.4, 0.6],
                "n_disagree": 2,
                "disagree": [],
            },
            ["between 40.0% and 60.0%", "2 of 10", "strict", "50.0%"],
        ),
        (
            {
                "bins": [
                    {
                        "from": 0.5,
                        "to": 1,
                        "n": 4,
                        "confidence": 0.75,
                        "right": 0.5,
                        "right_low": 0.2,
                        "right_high": 0.8,
                    }
                ]
            },
            ["<svg", "Reliability"],
        ),
        ({"points": [[1, 0.0, 0.5], [0, 1.0, 1.0]], "n_positive": 2}, ["polyline", "ROC"]),
        ({"cumulative": [0.1, -0.2, 0.3]}, ["polyline", "Cumulative return"]),
        ({"parts": {"f1": 0.5}, "weights": {"f1": 2.0}}, ["f1", "0.5", ">2<"]),
        ({"by_perturbation": {"typos": {"n": 7, "drop": SHARE.as_dict()}}}, ["typos", "+75.0"]),
        (
            {"classes": {"yes": {"precision": 0.5, "recall": 1, "f1": 0.6, "n": 3}}},
            ["yes", "60.0%"],
        ),
        ({"something": ["<else>"]}, ["<pre>", "&lt;else&gt;"]),
    ],
)
def test_what_one_number_cannot_hold_is_drawn_or_stands_as_it_is(detail, said):
    picture = detail_html(detail)
    for part in said:
        assert part in picture, part
