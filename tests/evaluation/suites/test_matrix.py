"""What was measured of whom: cells, gaps, win rates; and which task tests what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import get_args

from tuneval.evaluation.account import account_for
from tuneval.evaluation.catalogs.coverage import CAPABILITIES, coverage
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.items import Item
from tuneval.evaluation.metric import Family
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report.tasks.matrix import matrix_lines, matrix_section
from tuneval.evaluation.suites.matrix import ASPECTS, NOT_ASKED, UNKNOWN, scenario_matrix
from tuneval.evaluation.suites.run_suite import run_suite
from tuneval.evaluation.suites.suite import suite_of
from tuneval.evaluation.task import TaskAbout
from tuneval.evaluation.tasks import catalog

METRICS = (
    "exact_match",
    "robustness_drop:exact_match",
    "worst_case:exact_match",
    "tokens_per_second",
)


def evaluation(
    right: Sequence[bool],
    worst: Sequence[bool] | None = None,
    *,
    metrics: Sequence[str] = METRICS,
) -> Evaluation:
    """Answers that are right or not, with the same under typos."""
    items = [_item(str(n), is_right) for n, is_right in enumerate(right)]
    for n, is_right in enumerate(worst or ()):
        items.append(_item(f"{n}~typos", is_right, perturbation="typos", original=str(n)))
    result = EvaluationResult(
        name="m",
        model="m",
        model_hash=None,
        adapter=None,
        template="plain",
        template_hash=None,
        data_hash="d",
        n_items=len(right),
        metrics={name: account_for(items, name, seed=17) for name in metrics},
        counts={},
        skipped={},
        seconds={},
        config={},
        key="k",
        created="2026-01-02T03:04:05+00:00",
        version="0",
    )
    return Evaluation(result, items)


def _item(item_id: str, is_right: bool, **fields: object) -> Item:
    return Item(item_id, "f:1", None, {}, "q", "a", "a" if is_right else "b", fields=fields)


def test_a_cell_holds_the_figure_or_the_reason_for_its_gap() -> None:
    made = scenario_matrix({"one": {"exam": evaluation([True] * 8 + [False] * 2, [True] * 5)}})
    row = made.cells["one"]["exam"]
    assert row["accuracy"].metric == "exact_match"
    assert row["robustness"].metric == "worst_case:exact_match"
    assert row["robustness"].estimate is not None
    assert row["calibration"].gap == NOT_ASKED
    assert row["efficiency"].gap == "seconds was not measured"
    assert {row[aspect].gap for aspect in ("fairness", "bias", "toxicity")} == {UNKNOWN}
    assert made.measured() == ["accuracy", "robustness"]
    assert made.win_rates == ()


def test_a_scenario_that_a_model_was_not_asked_is_a_gap() -> None:
    made = scenario_matrix(
        {
            "one": {"a": evaluation([True]), "b": evaluation([True])},
            "two": {"a": evaluation([True])},
        }
    )
    assert {made.cells["two"]["b"][aspect].gap for aspect in ASPECTS} == {"not asked"}
    assert made.win_rates[0].scenarios == ("a",)


def test_win_rates_of_models_with_their_warning() -> None:
    def model(n_right: int, n_worst: int) -> dict[str, Evaluation]:
        right = [n < n_right for n in range(40)]
        return {name: evaluation(right, [n < n_worst for n in range(40)]) for name in ("a", "b")}

    made = scenario_matrix({"best": model(38, 5), "middle": model(20, 15), "last": model(2, 1)})
    accuracy, robustness = made.win_rates
    assert [accuracy.rates[name].value for name in ("best", "middle", "last")] == [1.0, 0.5, 0.0]
    assert [robustness.rates[name].value for name in ("best", "middle", "last")] == [0.5, 1.0, 0.0]
    assert robustness.rates["best"].low is not None
    assert "list of 3 models" in accuracy.warnings[0]


def test_the_matrix_is_written_for_reports_and_survives_json() -> None:
    made = scenario_matrix(
        {
            "one": {"exam": evaluation([True] * 6 + [False] * 4)},
            "<two>": {"exam": evaluation([True] * 3 + [False] * 7)},
        }
    )
    text = "\n".join(matrix_lines(made))
    assert "| one | exam | 60.0% [31.3, 83.2] (Exact match) | – | – |" in text
    assert "Mean win rate by accuracy, over exam: one 100.0%" in text
    page = matrix_section(made)
    assert "&lt;two&gt;" in page
    assert "<two>" not in page
    assert UNKNOWN in page
    assert json.loads(json.dumps(made.as_dict()))["models"] == ["one", "<two>"]


def about(name: str, **changed: object) -> TaskAbout:
    values: dict[str, object] = {
        "name": name,
        "title": name,
        "summary": "",
        "kind": "generation",
        "languages": ("en",),
        "capabilities": ("reasoning",),
        "metrics": ("exact_match",),
        "protocols": {},
        "layout": "",
        "source": "",
        "licence": "",
        **changed,
    }
    return TaskAbout(**values)  # type: ignore[arg-type]


def test_coverage_is_a_cube_with_its_gaps() -> None:
    rows = {
        row.capability: row
        for row in coverage(
            [
                about("a", metrics=("exact_match", "json_valid")),
                about("b", languages=("zh", "en"), capabilities=("reasoning", "juggling")),
            ]
        )
    }
    assert rows["reasoning"].cells == {
        "generation": {"generation": ("a", "b"), "structured": ("a",)}
    }
    assert rows["reasoning"].languages == ("en", "zh")
    assert rows["juggling"].tasks == ("b",)
    assert rows["ethics"].tasks == ()


def test_every_capability_is_tested_by_a_task_that_comes_with_tuneval() -> None:
    rows = coverage(catalog())
    assert [row.capability for row in rows if not row.tasks] == []
    assert {row.capability for row in rows} == set(CAPABILITIES)
    for row in rows:
        assert set(row.families) <= set(get_args(Family))


def test_a_suite_with_perturbations_has_its_matrix_in_the_report(tmp_path, tiny_llama_folder):
    rows = [
        {"instruction": f"Describe the largest animal number {n}", "output": "a whale"}
        for n in range(4)
    ]
    path = tmp_path / "animals.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    suite = suite_of(
        {
            "name": "frail",
            "models": {"base": str(tiny_llama_folder)},
            "tasks": [{"kind": "generation", "path": str(path), "max_new_tokens": 3}],
            "settings": {"perturbations": ["typos", "homophones"]},
        }
    )
    outcome = run_suite(suite, folder=tmp_path / "here")
    result = outcome.results["base"]["generation"]
    assert result.counts["perturbed"] == 4
    assert "typos: 4 questions changed, 0 left as they were" in result.notes
    assert "homophones: 0 questions changed, 4 left as they were" in result.notes
    assert outcome.matrix.cells["base"]["generation"]["robustness"].estimate is not None
    for page in ("report.md", "report.html"):
        said = (outcome.folder / page).read_text(encoding="utf-8")
        assert "What was measured, and what was not" in said
