"""Gates, standings, an ablation and repeated runs stand in both forms of a report."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tuneval.evaluation.comparing.ablation import AblationRow
from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.comparing.compare_several import compare_several
from tuneval.evaluation.comparing.family import holm_over
from tuneval.evaluation.comparing.gate import GateResult
from tuneval.evaluation.report import ReportFacts, write_report
from tuneval.evaluation.report.stability import parts_table, remarks
from tuneval.evaluation.report.tasks.dots import dots
from tuneval.evaluation.stability.acting import idle_note
from tuneval.evaluation.stability.found import RepeatedRuns
from tuneval.evaluation.stability.stability import stability
from tuneval.statistics.estimate import Estimate

NOTHING = ReportFacts(title="t", run_id="r", created="2026-01-02T03:04", model="m", evaluations={})


class Nesting(HTMLParser):
    """Tags that close what is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "input", "br", "line", "circle"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


def written(folder, **facts) -> dict[str, str]:
    paths = write_report(folder, replace(NOTHING, **facts))
    page = paths.html.read_text(encoding="utf-8")
    nesting = Nesting()
    nesting.feed(page)
    assert (nesting.faults, nesting.open) == ([], [])
    return {"md": paths.markdown.read_text(encoding="utf-8"), "html": page}


def answers(n_right: int, n: int = 60) -> list[str]:
    return ["right"] * n_right + ["wrong"] * (n - n_right)


def test_what_gates_said_stands_with_its_reasons(tmp_path):
    gates = [
        GateResult("f1 < base - 1pt @95%", "if", True, ("new: f1 <b> is −3.0",)),
        GateResult("f1 > 60%", "unless", False, ("new: f1 is 70.0%: > 60.0%",)),
    ]
    said = written(tmp_path, gates=gates)
    assert "- **fails**: --fail-if `f1 < base - 1pt @95%`" in said["md"]
    assert "  - new: f1 is 70.0%: > 60.0%" in said["md"]
    assert "--fail-if &quot;" not in said["html"]
    assert "f1 &lt; base - 1pt @95%" in said["html"]
    assert "new: f1 &lt;b&gt; is" in said["html"]
    assert said["html"].index("不通过") < said["html"].index("new: f1 is 70.0%")
    assert "Gates" not in written(tmp_path)["md"]


def test_of_several_it_says_who_may_stand_where(make_evaluation, tmp_path):
    made = [
        make_evaluation(name, answers(n), metrics=["exact_match"])
        for name, n in (("low", 20), ("near", 22), ("high", 58))
    ]
    found = compare_several(made, metrics=["exact_match"])
    facts = {"comparisons": found.pairs, "standings": found.standings}
    said = written(tmp_path, **facts)
    assert "2 to 3" in said["md"]
    assert "all 3 pairs (Holm)" in said["md"]
    assert "可能的名次" in said["html"]
    assert "low → near" in said["md"]
    assert "training run with one seed" not in said["md"], "nobody said how the models came about"


@pytest.fixture
def ablation(make_evaluation):
    base, small, large = (
        make_evaluation(name, answers(n), metrics=["exact_match"])
        for name, n in (("base", 20), ("small", 24), ("large", 50))
    )
    comparisons = holm_over(
        {
            name: compare(base, each, metrics=["exact_match"])
            for name, each in (("c-small", small), ("c-large", large))
        }
    )
    rows = [
        AblationRow({"rank": level}, "base", level, comparisons[f"c-{level}"].rows[0])
        for level in ("small", "large")
    ]
    return comparisons, rows


def test_an_ablation_is_one_table_with_a_picture_and_is_not_told_twice(ablation, tmp_path):
    comparisons, rows = ablation
    said = written(tmp_path, comparisons=comparisons, ablation=rows)
    assert "Every cell of the matrix beside the baseline" in said["md"]
    assert "Baseline: base." in said["md"]
    assert "What differs, and how sure that is" not in said["md"]
    assert said["html"].count("<circle") == 2
    assert 'class="zero"' in said["html"]
    assert "各组合与基线的比较" in said["html"]
    beside = written(tmp_path, comparisons=comparisons, ablation=rows[:1])
    assert "base → large" in beside["md"].split("## What differs")[1].split("##")[0]
    assert "base → small" not in beside["md"].split("## What differs")[1].split("##")[0]
    assert "all 2 differences looked at together" in beside["md"]


@pytest.fixture
def repeated(make_evaluation):
    random = np.random.default_rng(1)
    chance = random.random(80)
    runs = {
        f"seed-{n}": make_evaluation(
            f"seed-{n}",
            ["right" if each else "wrong" for each in random.random(80) < chance],
            metrics=["exact_match"],
        )
        for n in range(4)
    }
    note = idle_note("shots", "the task shows <no> demonstrations")
    idle = {
        f"shots-{n}": replace(run, result=replace(run.result, notes=(note,)))
        for n, run in enumerate([runs["seed-0"]] * 3)
    }
    groups = [RepeatedRuns("quiz", "m", "seed", runs), RepeatedRuns("quiz", "m", "shots", idle)]
    return stability(groups, metrics=["exact_match"], points=5)


def test_repeated_runs_have_their_table_their_picture_and_their_remarks(repeated, tmp_path):
    said = written(tmp_path, stability=repeated)
    for form in said.values():
        assert "Repeated runs: how far the score moves by itself" in form
        assert "two runs of one model differ by up to" in form
        assert "runs for it" in form
        assert "Varying shots could not change an answer" in form
        assert "none: could not act" in form
    assert said["html"].count("<circle") == 7, "every run is drawn"
    assert "运行部分" in said["html"]
    assert "&lt;no&gt; demonstrations" in said["html"]
    (seed,) = [row for row in repeated.rows if row.source == "seed"]
    ends = [f"{end * 100:.1f}%" for end in (min(seed.scores.values()), max(seed.scores.values()))]
    assert " to ".join(ends) in said["md"]


def test_the_terminal_names_metrics_as_one_types_them(repeated):
    headings, cells = parts_table(repeated.rows, str)
    assert {row[0] for row in cells} == {"exact_match"}
    assert len(headings) == len(cells[0])
    assert len(remarks(repeated.rows)) == 1


def test_differences_are_drawn_about_zero():
    found = {
        "a": Estimate(0.1, 0.05, 0.15, 0.95, "made", 9),
        "b": Estimate(0.3, 0.2, 0.4, 0.95, "made", 9),
    }
    picture = dots(found, "gain", scale="difference")
    assert "a +10.0 [+5.0, +15.0]" in picture
    assert 'class="zero"' in picture
    close = dots(found, "score", scale="close")
    assert ">100.0%<" in dots(found, "score")
    assert ">100.0%<" not in close
