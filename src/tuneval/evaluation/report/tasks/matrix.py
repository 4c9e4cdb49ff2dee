"""The scenario × aspect matrix as plain text and as a section of a page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tuneval.evaluation.catalogs.metric_names import metric_name
from tuneval.evaluation.report.numbers import estimate_text, interval_text, value_text
from tuneval.evaluation.suites.matrix import ASPECTS, Aspect, Cell, Matrix
from tuneval.pages import markup as m
from tuneval.pages.markdown import table
from tuneval.pages.markup import Html
from tuneval.pages.text import Text

_ASPECTS: dict[Aspect, Text] = {
    "accuracy": Text("accuracy", "准确性"),
    "calibration": Text("calibration", "校准"),
    "robustness": Text("robustness", "稳健性"),
    "fairness": Text("fairness", "公平性"),
    "bias": Text("bias", "偏见"),
    "toxicity": Text("toxicity", "毒性"),
    "efficiency": Text("efficiency", "效率"),
}
TITLE = Text("What was measured, and what was not", "测了什么，没测什么")


def matrix_lines(matrix: Matrix) -> Iterator[str]:
    """A table of models and scenarios by aspects; then the win rates with their warnings."""
    yield f"\n## {TITLE.en}\n"
    yield from table(
        ["model", "scenario", *(_ASPECTS[aspect].en for aspect in ASPECTS)],
        [
            [model, scenario, *(_cell_text(row[aspect]) for aspect in ASPECTS)]
            for model, scenarios in matrix.cells.items()
            for scenario, row in scenarios.items()
        ],
    )
    for rates in matrix.win_rates:
        yield (
            f"\nMean win rate by {_ASPECTS[rates.aspect].en}, over {', '.join(rates.scenarios)}: "
            + "; ".join(f"{model} {estimate_text(e)}" for model, e in rates.rates.items())
            + "."
        )
        for warning in rates.warnings:
            yield f"- {warning}"


def matrix_section(matrix: Matrix) -> Html:
    """The same for a page; a gap says its reason when it is pointed at."""
    rows = [
        [
            f"<b>{escape(model)}</b>",
            escape(scenario),
            *(_cell_html(row[aspect]) for aspect in ASPECTS),
        ]
        for model, scenarios in matrix.cells.items()
        for scenario, row in scenarios.items()
    ]
    headings = [
        Text("model", "模型"),
        Text("scenario", "场景"),
        *(_ASPECTS[aspect] for aspect in ASPECTS),
    ]
    return m.section("matrix", TITLE, m.table(headings, rows, css="record") + _rates(matrix))


def _rates(matrix: Matrix) -> Html:
    parts = []
    for rates in matrix.win_rates:
        aspect = _ASPECTS[rates.aspect]
        over = ", ".join(rates.scenarios)
        said = "; ".join(f"{model} {estimate_text(e)}" for model, e in rates.rates.items())
        text = Text(
            f"Mean win rate by {aspect.en}, over {over}: {said}.",
            f"按{aspect.zh}计的平均胜率（{over}）：{said}。",
        )
        warnings = "".join(f"<li>{escape(warning)}</li>" for warning in rates.warnings)
        parts.append(f"<p>{m.both(text)}</p><ul>{warnings}</ul>")
    return "".join(parts)


def _cell_text(cell: Cell) -> str:
    if cell.estimate is None:
        return "–"
    return f"{estimate_text(cell.estimate)} ({metric_name(cell.metric or '').en})"


def _cell_html(cell: Cell) -> Html:
    if cell.estimate is None:
        return f'<span title="{escape(cell.gap or "")}">–</span>'
    return (
        f"<b>{value_text(cell.estimate.value, cell.estimate.unit)}</b><br>"
        f'<small class="nowrap">{interval_text(cell.estimate)}</small><br>'
        f"<small>{m.both(metric_name(cell.metric or ''))}</small>"
    )
