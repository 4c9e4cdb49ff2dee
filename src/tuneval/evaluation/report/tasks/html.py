"""Models on tasks as sections of a page."""

from __future__ import annotations

from html import escape

from tuneval.evaluation.catalogs.metric_names import metric_meaning, metric_name, reading_order
from tuneval.evaluation.comparing.compare import Comparison
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report import verdict
from tuneval.evaluation.report.html_results import flips
from tuneval.evaluation.report.numbers import (
    change_text,
    interval_text,
    p_text,
    sample_text,
    value_text,
)
from tuneval.evaluation.report.tasks.details import detail_html
from tuneval.evaluation.report.tasks.dots import dots
from tuneval.evaluation.report.tasks.facts import TasksFacts, averaged, headline, main_metric
from tuneval.evaluation.report.tasks.how import how_asked
from tuneval.evaluation.report.tasks.markdown import FEWEST_STRATA, HASHES, hash_rows, strata_of
from tuneval.evaluation.report.tasks.matrix import matrix_section
from tuneval.evaluation.result import MetricResult
from tuneval.pages import markup as m
from tuneval.pages.markup import Html
from tuneval.pages.text import Text
from tuneval.statistics.estimate import Estimate


def task_sections(facts: TasksFacts) -> Html:
    """All of it: scores, differences, each task, hashes."""
    if not facts.titles:
        return ""
    return "".join(
        [
            _scores(facts),
            _differences(facts),
            *(_task(facts, number, title) for number, title in enumerate(facts.told)),
            "" if facts.matrix is None else matrix_section(facts.matrix),
            _hashes(facts),
        ]
    )


def _scores(facts: TasksFacts) -> Html:
    rows = []
    for title in facts.titles:
        results = facts.of(title)
        first = next(iter(results.values()))
        figures = [headline(results[label]) if label in results else None for label in facts.models]
        name = verdict.averaged_name(main_metric(first), averaged(first))
        rows.append([f"<b>{escape(title)}</b>", m.both(name), *map(_figure, figures)])
    return m.section(
        "scores",
        Text("What each model scores", "各模型得分"),
        m.table([Text("task", "任务"), Text("metric", "指标"), *facts.models], rows, css="record"),
    )


def _figure(estimate: Estimate | None) -> Html:
    """A number, its interval below, and the sample."""
    if estimate is None:
        return "–"
    return (
        f'<span class="nowrap"><b>{value_text(estimate.value, estimate.unit)}</b></span><br>'
        f'<small class="nowrap">{interval_text(estimate)} {sample_text(estimate)}</small>'
    )


def _differences(facts: TasksFacts) -> Html:
    found = facts.differences()
    if not found:
        return ""
    rows = [
        [
            f"<b>{escape(title)}</b>",
            m.both(verdict.figure_name(row)),
            escape(label),
            f'<span class="nowrap">{change_text(row.difference.value, row.unit)}</span><br>'
            f'<small class="nowrap">{interval_text(row.difference, signed=True)}</small>',
            p_text(row.p_holm),
            f'<span class="{_CSS[row.verdict]}">{m.both(verdict.among_many(row))}</span>',
        ]
        for title, label, row in found
    ]
    headings = [
        Text("task", "任务"),
        Text("metric", "指标"),
        Text("model", "模型"),
        Text("difference, paired", "差异（配对）"),
        Text("p, Holm", "p（Holm）"),
        Text("it is", "结论"),
    ]
    first = facts.models[0]
    return m.section(
        "differences",
        Text(f"Against {first}, item by item", f"与 {first} 逐条比较"),
        m.table(headings, rows, css="record"),
        m.note(verdict.together(len(found))),
        m.note(verdict.tests_of([row for *_, row in found])),
    )


_CSS = {"better": "better", "worse": "worse-text", "unclear": "unclear-text"}


def _task(facts: TasksFacts, number: int, title: str) -> Html:
    results = facts.of(title)
    main = main_metric(next(iter(results.values())))
    figures = {label: found for label, r in results.items() if (found := headline(r)) is not None}
    picture = dots(figures, metric_name(main).en)
    return m.section(
        f"task-{number}",
        Text(title, title),
        f'<div class="panel">{picture}</div>' if picture else "",
        m.bullets(how_asked(results)),
        _metrics(results),
        _strata(results),
        _details(results),
        *(_flips(label, pair) for label, pair in facts.comparisons.get(title, {}).items()),
    )


def _metrics(results: dict[str, EvaluationResult]) -> Html:
    names = dict.fromkeys(name for result in results.values() for name in result.metrics)
    first = next(iter(results.values()))
    rows = []
    for name in sorted(names, key=lambda name: (reading_order(name), name)):
        said = verdict.averaged_name(name, averaged(first, name))
        meaning = metric_meaning(name)
        cells = [f"<b>{m.both(said)}</b><br><small>{m.both(meaning)}</small>"]
        for result in results.values():
            found = result.metrics.get(name)
            cells.append("–" if found is None else _figure(result.figure(name)) + _unscored(found))
        rows.append(cells)
    return m.table([Text("metric", "指标"), *results], rows, css="record")


def _unscored(found: MetricResult) -> Html:
    """How many items do not count, and why the first of them."""
    if not found.unscored:
        return ""
    count, reason = sum(found.unscored.values()), next(iter(found.unscored))
    said = Text(f"{count} not scored: {reason}", f"{count} 条未评分：{reason}")
    return f"<br><small>{m.both(said)}</small>"


def _strata(results: dict[str, EvaluationResult]) -> Html:
    """The main metric by stratum, folded away where there are many."""
    by_model = {label: strata_of(result) for label, result in results.items()}
    names = list(dict.fromkeys(name for strata in by_model.values() for name in strata))
    if len(names) < FEWEST_STRATA:
        return ""
    rows = [
        [escape(name), *(_figure(strata.get(name)) for strata in by_model.values())]
        for name in names
    ]
    said = Text(f"{len(names)} parts, one by one", f"{len(names)} 个部分，逐一列出")
    return _folded(said, m.table(["", *results], rows, css="record"))


def _details(results: dict[str, EvaluationResult]) -> Html:
    drawn = ""
    for label, result in results.items():
        for name, found in result.metrics.items():
            if found.detail and (picture := detail_html(found.detail)):
                said = metric_name(name)
                heading = Text(f"{said.en}: {label}", f"{said.zh}：{label}")
                drawn += _folded(heading, picture)
    return drawn


def _flips(label: str, pair: Comparison) -> Html:
    content = flips(pair)
    said = Text(f"Items that flipped: {label}", f"结果翻转的样本：{label}")
    return _folded(said, content) if content else ""


def _folded(heading: Text, content: Html) -> Html:
    return f"<details><summary>{m.both(heading)}</summary>{content}</details>"


def _hashes(facts: TasksFacts) -> Html:
    rows = [[f"<code>{escape(cell)}</code>" for cell in row] for row in hash_rows(facts)]
    names: list[Text | str] = [Text("task", "任务"), Text("model", "模型"), *HASHES]
    heading = Text("What was asked of whom, exactly", "确切的提问与作答记录")
    return m.section("hashes", heading, m.table(names, rows, css="record") if rows else "")
