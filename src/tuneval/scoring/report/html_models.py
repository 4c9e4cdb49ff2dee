"""The page's section on two scorings of one set."""

from __future__ import annotations

from html import escape

from tuneval.pages import markup as m
from tuneval.pages.markup import Html
from tuneval.pages.text import Text
from tuneval.scoring.report import words
from tuneval.scoring.report.charts import model_scatter, shared_axis, spread_strip
from tuneval.scoring.report.models import ModelComparison, PairedMeasure
from tuneval.scoring.report.numbers import difference_text, estimate_text

DASH = "–"


def models(comparisons: tuple[ModelComparison, ...]) -> Html:
    """A part for each of the others."""
    parts = "".join(_comparison(comparison) for comparison in comparisons)
    return m.section("models", Text("Two models on this set", "两个模型在此数据上的比较"), parts)


def _comparison(found: ModelComparison) -> Html:
    heading = Text(f"{found.b} against {found.a}", f"{found.b} 与 {found.a}")
    lead = Text(
        f"{found.n_common:,} examples in common; {found.n_only_a:,} only in the first "
        f"({found.a}), {found.n_only_b:,} only in the second ({found.b}). Differences are the "
        "second less the first.",
        f"共同样本 {found.n_common:,} 个；仅第一者（{found.a}）有 {found.n_only_a:,} 个，"
        f"仅第二者（{found.b}）有 {found.n_only_b:,} 个。差异为第二者减第一者。",
    )
    remarks = "".join(f'<div class="warning">{m.both(remark)}</div>' for remark in found.remarks)
    charts = [
        m.panel(_title(paired), model_scatter(paired, found.a, found.b))
        for paired in found.measures
        if not paired.is_same
    ]
    tables = _levels(found) + _choices(found) if found.measures else ""
    scatters = f'<div class="below">{m.panels(charts)}</div>' if charts else ""
    return (
        f'<h3>{m.both(heading)}</h3><p class="soft">{m.both(lead)}</p>{remarks}{tables}{scatters}'
    )


def _levels(found: ModelComparison) -> Html:
    """How high the values are with each, and whether the examples stand in one order."""
    headings: list[Text | str] = [
        Text("measure", "指标"),
        "n",
        found.a,
        found.b,
        Text("mean difference", "平均差异"),
        Text("rank correlation", "秩相关"),
    ]
    said = Text(
        "Means (of perplexities the geometric one) and strips: line from 5 to 95%, box from 25 to "
        "75%, stroke at the median. The difference of perplexities is that of their logarithms, "
        "paired; × is the factor that it makes.",
        "均值（困惑度为几何平均）与条带：线为 5%–95%，框为 25%–75%，竖线为中位数。"
        "困惑度的差异为配对的对数之差，× 为对应的倍数。",
    )
    rows = [_level(paired, found) for paired in found.measures]
    return m.table(headings, rows, css="pairs") + m.note(said)


def _level(paired: PairedMeasure, found: ModelComparison) -> list[Html]:
    unit, correlation = paired.reading.unit, paired.correlation
    axis = shared_axis([paired.spread_a, paired.spread_b], paired.reading)
    sides = [
        _lines(estimate_text(spread.mean, unit)) + spread_strip(spread, axis, paired.reading, of)
        for spread, of in ((paired.spread_a, found.a), (paired.spread_b, found.b))
    ]
    ranks = f'{DASH}<small class="line why-not">{escape(correlation.why)}</small>'
    if correlation.estimate is not None:
        ranks = _lines(estimate_text(correlation.estimate, ""))
    change = _lines(difference_text(paired.difference, unit, is_log=paired.is_log))
    return [m.both(_title(paired)), f"{paired.n:,}", *sides, change, ranks]


def _choices(found: ModelComparison) -> Html:
    """Whether both would choose the same examples."""
    headings = [
        Text("would they choose the same?", "两者会选出相同的样本吗？"),
        Text("top 20% in common", "前 20% 重合"),
        Text("side", "哪一侧"),
        Text("there in the first: in the second too", "第一者在此侧的，第二者也在"),
        Text("both", "两者"),
        Text("only first", "仅第一者"),
        Text("only second", "仅第二者"),
        Text("neither", "皆非"),
    ]
    said = Text(
        "Top 20%: the share of the first's highest fifth that is in the second's; 20% by chance. "
        "Of equal values at the border each counts in part. Side: of the neutral value; then how "
        "many examples lie there in both, in one, in neither.",
        "前 20%：第一者最高的五分之一中也在第二者最高五分之一里的比例；随机时为 20%。"
        "边界上的相同值按比例计入。哪一侧：中性值的某一侧；其后为两者、仅一者、皆不在该侧的样本数。",
    )
    rows = [[m.both(_title(paired)), *_choice(paired)] for paired in found.measures]
    return m.table(headings, rows, css="pairs") + m.note(said)


def _choice(paired: PairedMeasure) -> list[Html]:
    top = _lines(estimate_text(paired.top, "share")) if paired.top else DASH
    counts = paired.agreement
    if counts is None:
        return [top, *[""] * 6]
    neutral = f"{paired.reading.neutral:g}"
    side = Text(f"{counts.side} {neutral}", f"{words.SIDES_ZH[counts.side]} {neutral}")
    shared = _lines(estimate_text(counts.shared, "share")) if counts.shared else DASH
    numbers = (counts.n_both, counts.n_only_a, counts.n_only_b, counts.n_neither)
    return [top, m.both(side), shared, *(f"{number:,}" for number in numbers)]


def _title(paired: PairedMeasure) -> Text:
    return Text(paired.reading.title, paired.reading.title_zh)


def _lines(text: str) -> Html:
    """The value, and what follows it on a line of its own."""
    value, _, rest = text.partition(" ")
    return f'{escape(value)}<small class="line">{escape(rest)}</small>' if rest else escape(value)
