"""The page of an experiment with several trainings or comparisons: one table of each, then each."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from tuneval.evaluation.catalogs.metric_names import reading_order
from tuneval.evaluation.comparing.compare import Comparison, ComparisonRow
from tuneval.evaluation.report import verdict
from tuneval.evaluation.report.facts import ScoringFacts, SelectionFacts, TrainingFacts
from tuneval.evaluation.report.html_record import training_rows
from tuneval.evaluation.report.html_results import comparison_table, flips
from tuneval.evaluation.report.loss_chart import COLOURS, loss_curves
from tuneval.evaluation.report.numbers import change_text, interval_text, p_text, value_text
from tuneval.pages import markup as m
from tuneval.pages.markup import Html
from tuneval.pages.numbers import duration_text
from tuneval.pages.text import Text


def differences_section(comparisons: Mapping[str, Comparison], *, n_together: int) -> Html:
    """Every difference of every comparison: what the experiment came to.

    `n_together`: how many p is adjusted for, which may be more.
    """
    if not comparisons:
        return ""
    rows = [
        [
            f"<b>{_nowrap(f'{escape(comparison.a)} → {escape(comparison.b)}')}</b>",
            m.both(verdict.figure_name(row)),
            _over(value_text(row.a.value, row.unit), interval_text(row.a)),
            _over(value_text(row.b.value, row.unit), interval_text(row.b)),
            _over(
                change_text(row.difference.value, row.unit),
                interval_text(row.difference, signed=True),
            ),
            _nowrap(p_text(row.p_holm)),
            _verdict(row),
        ]
        for comparison in comparisons.values()
        for row in sorted(comparison.rows, key=lambda row: reading_order(row.metric))
    ]
    headings = [
        Text("comparison", "比较"),
        Text("metric", "指标"),
        Text("first", "前者"),
        Text("second", "后者"),
        Text("difference, paired", "差异（配对）"),
        Text("p, Holm", "p（Holm）"),
        Text("the second is", "后者"),
    ]
    return m.section(
        "differences",
        Text("What differs, and how sure that is", "有何差异，把握多大"),
        m.table(headings, rows, css="record"),
        m.note(verdict.together(n_together)),
        m.note(verdict.tests_of([row for c in comparisons.values() for row in c.rows])),
    )


def comparison_sections(comparisons: Mapping[str, Comparison]) -> Html:
    """Each comparison by itself: its headline, every metric, the items that flipped."""
    return "".join(
        m.section(
            f"comparison-{name}",
            Text(f"{c.a} and {c.b}, item by item", f"{c.a} 与 {c.b}，逐条比较"),
            _headline(c),
            comparison_table(c),
            flips(c),
        )
        for name, c in comparisons.items()
    )


def trainings_section(trainings: Mapping[str, TrainingFacts]) -> Html:
    """The loss curves together, and what was trained on what, a column each."""
    if not trainings:
        return ""
    columns = [
        [
            (Text("learnt from", "训练数据"), escape(training.examples)),
            (Text("duration", "时长"), escape(training.duration)),
            *training_rows(training.result, training.result.get("data")),
        ]
        for training in trainings.values()
    ]
    rows = [
        [m.both(cells[0][0]), *(value or "–" for _, value in cells)]
        for cells in zip(*columns, strict=True)
        if any(value for _, value in cells)
    ]
    chart = loss_curves({name: training.loss_log for name, training in trainings.items()})
    key = "".join(
        f'<span><span class="dot c{number % COLOURS}"></span>{escape(name)}</span>'
        for number, name in enumerate(trainings)
    )
    note = Text(
        "Running means. Each curve is of its own examples: a lower one need not be a better model.",
        "滑动平均。每条曲线对应各自的训练数据：曲线更低不代表模型更好。",
    )
    panel = f'<div class="panel"><div class="key">{key}</div>{chart}</div>{m.note(note)}'
    return m.section(
        "training",
        Text("Trainings", "各次训练"),
        panel if chart else "",
        m.table(["", *trainings], rows, css="record"),
    )


def selection_section(
    scorings: Mapping[str, ScoringFacts], selections: Mapping[str, SelectionFacts]
) -> Html:
    """How many examples have which score, and what was chosen by it."""
    scored = [
        [
            f"<b>{escape(name)}</b>",
            f"<code>{escape(measure)}</code>",
            f"{n:,}",
            _reasons(reasons),
            duration_text(scoring.seconds) if number == 0 else "",
        ]
        for name, scoring in scorings.items()
        for number, (measure, (n, reasons)) in enumerate(scoring.measures.items())
    ]
    chosen = [
        [
            f"<b>{escape(name)}</b>",
            f"<code>{escape(selection.asked)}</code>",
            f"{selection.n_chosen:,} / {selection.n_offered:,}",
            _reasons(selection.rejected),
        ]
        for name, selection in selections.items()
    ]
    name, left_out = Text("step", "步骤"), Text("left out, with reason", "未计入（及原因）")
    scores = m.table(
        [name, Text("measure", "分数"), Text("scored", "已评分"), left_out, Text("time", "用时")],
        scored,
        css="record",
    )
    selected = m.table(
        [name, Text("asked", "要求"), Text("chosen", "选中"), left_out], chosen, css="record"
    )
    return m.section(
        "selection",
        Text("Scores and selections", "评分与筛选"),
        scores if scored else "",
        "<br>" if scored and chosen else "",
        selected if chosen else "",
    )


def _headline(comparison: Comparison) -> Html:
    conclusion = verdict.conclude(comparison)
    if conclusion is None:
        return ""
    said = [verdict.headline(conclusion, comparison), verdict.power(conclusion.headline)]
    return "".join(m.element("p", m.both(text)) for text in said)


def _verdict(row: ComparisonRow) -> Html:
    css = {"better": "better", "worse": "worse-text", "unclear": "unclear-text"}[row.verdict]
    return f'<span class="{css}">{m.both(verdict.among_many(row))}</span>'


def _reasons(counts: Mapping[str, int]) -> Html:
    return "<br>".join(f"{count:,} · {escape(why)}" for why, count in counts.items()) or "0"


def _over(value: str, interval: str) -> Html:
    """A number with its interval on the line below."""
    return f"{_nowrap(value)}<br><small>{_nowrap(interval)}</small>"


def _nowrap(text: str) -> Html:
    return f'<span class="nowrap">{text}</span>'
