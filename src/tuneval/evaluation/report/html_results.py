"""The page's results: tiles, the table of metrics with its bars, and the items that flipped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from tuneval.evaluation.catalogs.metric_names import metric_meaning, metric_name, reading_order
from tuneval.evaluation.comparing.compare import Comparison, ComparisonRow, Flip
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report.facts import ReportFacts
from tuneval.evaluation.report.markup import difference_bar, interval_bars, marked_answer
from tuneval.evaluation.report.numbers import (
    change_text,
    estimate_text,
    interval_text,
    p_text,
    value_text,
)
from tuneval.evaluation.report.verdict import Conclusion, figure_name, tests_of
from tuneval.pages import markup as m
from tuneval.pages.markup import Html
from tuneval.pages.text import Text
from tuneval.statistics.estimate import Estimate

MOST_FLIPS = 30
FLIPS_IN_SIGHT = 6


def tiles(comparison: Comparison, conclusion: Conclusion) -> Html:
    """The four metrics that say most."""
    names = [conclusion.headline.metric, "json_field:", "response_perplexity", "json_valid"]
    names += ["token_accuracy", "rouge-l", "bleu-4"]
    rows: list[ComparisonRow] = []
    for name in names:
        found = next((r for r in comparison.rows if r.metric.startswith(name)), None)
        if found is not None and found not in rows:
            rows.append(found)
    tiles = ""
    for row in rows[:4]:
        tiles += (
            f'<div class="tile"><h3>{m.both(metric_name(row.metric))}</h3>'
            f'<div class="pair">{value_text(row.a.value, row.unit)} →'
            f" <b>{value_text(row.b.value, row.unit)}</b></div>"
            f"{interval_bars([('base', row.a), ('tuned', row.b)])}"
            f'<div class="change {_verdict_css(row)}">{_change(row)}</div>'
            f"<small>{m.both(_sample(row.difference))}</small></div>"
        )
    return f'<div class="tiles">{tiles}</div>'


def metrics_section(facts: ReportFacts) -> Html:
    """Both sides and their difference on every metric; without a comparison, the values."""
    heading = Text("Every metric, with its interval", "全部指标及其区间")
    comparison = facts.comparison
    if comparison is None:
        return m.section("metrics", heading, _metrics_alone(facts.evaluations))
    return m.section("metrics", heading, comparison_table(comparison))


def comparison_table(comparison: Comparison) -> Html:
    """Every metric of one comparison: both sides, their bars, the difference, and what to read."""
    reach = {
        scale: max(
            (
                abs(end)
                for row in comparison.rows
                if _scale(row) == scale
                for end in (row.difference.low, row.difference.high, row.difference.value)
                if end is not None
            ),
            default=1.0,
        )
        for scale in {_scale(row) for row in comparison.rows}
    }
    a, b = escape(comparison.a), escape(comparison.b)
    ordered = sorted(comparison.rows, key=lambda row: reading_order(row.metric))
    rows = "".join(_metric_row(row, a, b, reach[_scale(row)]) for row in ordered)
    difference = Text("difference, paired", "差异（配对）")
    key = (
        f'<div class="key"><span><span class="dot base"></span>{a}: '
        f"<code>{escape(_short(comparison.a_model))}</code></span>"
        f'<span><span class="dot tuned"></span>{b}: '
        f"<code>{escape(_short(comparison.b_model))}</code></span></div>"
    )
    table = (
        '<div class="scroll"><table class="metrics"><thead><tr>'
        f"<th>{m.both(Text('metric', '指标'))}</th><th>{a}</th><th>{b}</th><th></th>"
        f"<th>{m.both(difference)}</th>"
        f"<th>{m.both(Text('p, Holm', 'p（Holm）'))}</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )
    note = Text(
        "Bars: value and 95% interval (0 to 100; perplexity by logarithm from 1). Differences are "
        f"{comparison.b} less {comparison.a}, item by item; green and red only where the interval "
        "leaves out zero.",
        f"横条：数值与 95% 区间（0 到 100；困惑度自 1 起按对数）。差异为 {comparison.b} 减 "
        f"{comparison.a}，逐条配对；仅当区间不含零时才显示绿色或红色。",
    )
    return key + table + m.note(note) + m.note(tests_of(comparison.rows))


def _metric_row(row: ComparisonRow, a: str, b: str, reach: float) -> Html:
    good = None if row.verdict == "unclear" else row.verdict == "better"
    return (
        f"<tr><td><b>{m.both(figure_name(row))}</b>"
        f"<small>{m.both(metric_meaning(row.metric))}</small></td>"
        f'<td data-name="{a}"><span class="value">{value_text(row.a.value, row.unit)}</span>'
        f'<small class="interval">{interval_text(row.a)}</small></td>'
        f'<td data-name="{b}"><span class="value">{value_text(row.b.value, row.unit)}</span>'
        f'<small class="interval">{interval_text(row.b)}</small></td>'
        f'<td class="wide">{interval_bars([("base", row.a), ("tuned", row.b)])}</td>'
        f'<td class="difference" data-name="Δ"><span class="value {_verdict_css(row)}">'
        f"{change_text(row.difference.value, row.unit)}</span> "
        f'<small class="interval">{interval_text(row.difference, signed=True)}</small>'
        f"{difference_bar(row.difference, reach=reach, good=good)}</td>"
        f'<td data-name="p (Holm)"><span class="nowrap">{p_text(row.p_holm)}</span>'
        f'<small class="interval">{m.both(_sample(row.difference))}</small></td></tr>'
    )


def _metrics_alone(evaluations: Mapping[str, EvaluationResult]) -> Html:
    names = {name for result in evaluations.values() for name in result.metrics}
    rows = []
    for name in sorted(names, key=lambda name: (reading_order(name), name)):
        cells = [f"<b>{m.both(metric_name(name))}</b>"]
        for result in evaluations.values():
            found = result.metrics.get(name)
            estimate = found.estimate if found else None
            cells.append(
                "–"
                if estimate is None
                else f"{estimate_text(estimate)} <small>{m.both(_sample(estimate))}</small>"
            )
        rows.append(cells)
    return m.table([Text("metric", "指标"), *evaluations], rows) if rows else ""


def flips_section(comparison: Comparison) -> Html:
    """The items that flipped, both ways, with both answers."""
    return m.section("flips", Text("Items that flipped", "结果翻转的样本"), flips(comparison))


def flips(comparison: Comparison) -> Html:
    """The same without a heading; empty where no metric is simply right or wrong."""
    if comparison.flips_metric is None:
        return ""
    name = metric_name(comparison.flips_metric)
    sides = [
        (comparison.improved, True, Text("Wrong before, right now", "由错变对")),
        (comparison.worsened, False, Text("Right before, wrong now", "由对变错")),
    ]
    content = ""
    for found, improved, heading in sides:
        content += f"<h3>{m.both(heading)} · {len(found)}</h3>"
        if not found:
            content += f'<p class="soft">{m.both(Text("None.", "无。"))}</p>'
            continue
        shown = [_flip(flip, comparison, improved=improved) for flip in found[:MOST_FLIPS]]
        content += f'<div class="flips">{"".join(shown[:FLIPS_IN_SIGHT])}</div>'
        if rest := shown[FLIPS_IN_SIGHT:]:
            more = Text(
                f"{len(rest)} more of {len(found)}", f"另外 {len(rest)} 条（共 {len(found)} 条）"
            )
            content += (
                f"<details><summary>{m.both(more)}</summary>"
                f'<div class="flips">{"".join(rest)}</div></details>'
            )
    lead = Text(
        f"Judged by {name.en.lower()}; what differs from the expected answer is marked. "
        f"At most {MOST_FLIPS} a side are shown.",
        f"以{name.zh}判定；与标准答案不同之处已标出。每侧至多 {MOST_FLIPS} 条。",
    )
    return f'<p class="soft">{m.both(lead)}</p>{content}'


def _flip(flip: Flip, comparison: Comparison, *, improved: bool) -> Html:
    asked = flip.prompt if len(flip.prompt) <= 700 else flip.prompt[:700] + "…"
    before, after = ("wrong", "right") if improved else ("right", "wrong")
    rows: list[tuple[Text | str, str, Html]] = [
        (Text("expected", "标准答案"), "answer", escape(flip.label)),
        (comparison.a, f"answer {before}", marked_answer(flip.a, flip.label)),
        (comparison.b, f"answer {after}", marked_answer(flip.b, flip.label)),
    ]
    answers = "".join(
        f'<span>{m.both(name)}</span><div class="{css}">{content}</div>'
        for name, css, content in rows
    )
    where = escape(Path(flip.source).name)
    return (
        f'<div class="flip"><small class="where">{where}</small>'
        f'<p class="asked">{escape(asked)}</p><div class="answers">{answers}</div></div>'
    )


def _change(row: ComparisonRow) -> Html:
    change = change_text(row.difference.value, row.unit)
    return f"<b>{change}</b> <span>{interval_text(row.difference, signed=True)}</span>"


def _verdict_css(row: ComparisonRow) -> str:
    return {"better": "better", "worse": "worse-text", "unclear": "unclear-text"}[row.verdict]


def _scale(row: ComparisonRow) -> str:
    """Shares and points share a scale of 100; every plain number has its own."""
    return row.unit if row.unit in ("share", "points") else row.metric


def _short(model: str) -> str:
    """A run's model without the way to its folder."""
    kind, colon, rest = model.partition(":")
    return f"{kind}:{Path(rest).name}" if colon and kind == "run" else model


def _sample(estimate: Estimate) -> Text:
    if estimate.n_clusters is None:
        return Text(f"n={estimate.n}", f"n={estimate.n}")
    groups = estimate.n_clusters
    return Text(f"n={estimate.n}, {groups} groups", f"n={estimate.n}，{groups} 组")
