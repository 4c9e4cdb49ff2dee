"""The page's sections on the measures: spread, account, correlation, tasks."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tuneval.pages import markup as m
from tuneval.pages.markup import Html
from tuneval.pages.numbers import share_text
from tuneval.pages.text import Text, clipped
from tuneval.scoring.report import words
from tuneval.scoring.report.charts import measure_histogram, shared_axis, spread_strip
from tuneval.scoring.report.correlations import Correlation
from tuneval.scoring.report.facts import ScoreFacts
from tuneval.scoring.report.measures import MeasureFacts
from tuneval.scoring.report.numbers import interval_text, value_text
from tuneval.scoring.report.tasks import MOST_TASKS, TaskFacts
from tuneval.statistics.estimate import Estimate

DASH = "–"


def title(measure: MeasureFacts) -> Text:
    """The measure's name for a reader."""
    return Text(measure.reading.title, measure.reading.title_zh)


def account(facts: ScoreFacts) -> Html:
    """How many examples have each measure, and why the others have none."""
    rows = [
        [
            f"{m.both(title(measure))} <small><code>{escape(measure.name)}</code></small>",
            f"{measure.account.scored:,}",
            f"{measure.n_unscored:,}",
            f"{measure.account.truncated:,}",
            "".join(_reasons(measure, facts.n)) or DASH,
        ]
        for measure in facts.measures
    ]
    headings = [
        Text("measure", "指标"),
        Text("scored", "已评分"),
        Text("not scored", "未评分"),
        Text("truncated", "被截断"),
        Text("why not, and what to do", "未评分的原因与处理"),
    ]
    said = Text(
        "Truncated: some tokens of what is measured did not fit; the value is of those that did.",
        "被截断：被测内容有部分词元放不下；数值只针对放得下的部分。",
    )
    return m.section(
        "account",
        Text("What has a score, and what has none", "哪些有分数，哪些没有"),
        m.table(headings, rows, css="account"),
        m.note(said),
    )


def _reasons(measure: MeasureFacts, n: int) -> Iterator[Html]:
    for code, count in measure.account.unscored.items():
        what, mend = words.reason(code, measure.reasons[code])
        doing = f"<small>{m.both(mend)}</small>" if mend.en else ""
        share = share_text(count, n)
        yield f'<div class="why"><b>{count:,}</b> ({share}) {m.both(what)}{doing}</div>'


def measures(facts: ScoreFacts) -> Html:
    """A panel for each measure: chart, numbers, how to read it."""
    panels = "".join(_measure(measure) for measure in facts.measures)
    return m.section("measures", Text("The measures", "各项指标"), panels)


def _measure(measure: MeasureFacts) -> Html:
    reading = measure.reading
    source = f"<small>{escape(reading.source)}</small>" if reading.source else ""
    said = f"<p>{m.both(Text(reading.text, reading.text_zh))} {source}</p>"
    keep = words.WHAT_TO_KEEP.get(measure.name)
    advice = f'<p class="keep">{m.both(keep)}</p>' if keep else ""
    if measure.spread is None:
        none = Text("No example has a value.", "没有样本有值。")
        body = f'<p class="soft">{m.both(none)}</p>'
    else:
        body = (
            f'<div class="measure"><div>{measure_histogram(measure)}</div>'
            f"<dl>{''.join(_numbers(measure))}</dl></div>"
        )
    return m.panel(title(measure), body, said, advice)


def _numbers(measure: MeasureFacts) -> Iterator[Html]:
    spread, unit = measure.spread, measure.reading.unit
    assert spread is not None
    mean = Text("mean", "平均值")
    if unit == "perplexity":
        mean = Text("geometric mean", "几何平均")
    yield _number(mean, value_text(spread.mean.value, unit), interval_text(spread.mean, unit))
    yield _number(Text("median", "中位数"), value_text(spread.median, unit))
    for name, low, high in ((Text("middle 90%", "中间 90%"), 1, 5), (Text("all", "全部"), 0, 6)):
        ends = (value_text(spread.quantiles[place], unit) for place in (low, high))
        yield _number(name, " – ".join(ends))
    neutral = measure.reading.neutral
    for share, side in ((measure.below, "below"), (measure.above, "above")):
        if share is not None:
            name = Text(f"{side} {neutral:g}", f"{words.SIDES_ZH[side]} {neutral:g}")
            yield _number(name, value_text(share.value, "share"), interval_text(share, "share"))
    yield _number("n", f"{measure.account.scored:,}")


def _number(name: Text | str, value: str, interval: str = "") -> Html:
    small = f" <small>{interval}</small>" if interval else ""
    return f"<div><dt>{m.both(name)}</dt><dd>{value}{small}</dd></div>"


def correlation_matrix(facts: ScoreFacts) -> Html:
    """The lower half of a matrix: Spearman's correlation, its interval and n."""
    if len(facts.measures) < 2:
        return ""
    pairs = {(pair.a, pair.b): pair for pair in facts.correlations}
    names = [measure.name for measure in facts.measures]
    rows = []
    for place, measure in enumerate(facts.measures[1:], start=1):
        cells = [_correlation(pairs[name, measure.name]) for name in names[:place]]
        rows.append(
            [f"<code>{escape(measure.name)}</code>", *cells, *[""] * (len(names) - 1 - place)]
        )
    headings: list[Text | str] = ["", *names[:-1]]
    return m.section(
        "correlation",
        Text("How the measures go together", "指标之间的相关"),
        m.table(headings, rows, css="matrix"),
        "".join(_undefined(facts)),
    )


def _correlation(pair: Correlation) -> Html:
    if pair.estimate is None:
        return f'{DASH}<small class="line">n={pair.n:,}</small>'
    value = pair.estimate.value
    return (
        f'<b style="--strength:{100 * abs(value):.0f}%">{value_text(value, "")}</b>'
        f'<small class="line">{interval_text(pair.estimate, "")}</small>'
        f'<small class="line">n={pair.n:,}</small>'
    )


def _undefined(facts: ScoreFacts) -> Iterator[Html]:
    """Why there is no correlation: of measures that never vary, and of other pairs."""
    constant = [each.name for each in facts.measures if each.is_constant]
    if constant:
        names = ", ".join(constant)
        yield m.note(
            Text(
                f"Nothing goes together with what never varies: {names}.",
                f"以下指标的值全部相同，无相关可言：{names}。",
            )
        )
    missing = [
        f"{pair.a}, {pair.b}: {pair.why}"
        for pair in facts.correlations
        if pair.estimate is None and not {pair.a, pair.b} & set(constant)
    ]
    if missing:
        more = f" … (+{len(missing) - 12})" if len(missing) > 12 else ""
        said = "; ".join(missing[:12]) + more
        yield m.note(Text(f"Not defined: {said}", f"无法定义：{said}"))


def tasks(facts: ScoreFacts) -> Html:
    """The mean of each measure in each task, with a strip of how it spreads there."""
    if not facts.tasks:
        return ""
    shown = facts.tasks[:MOST_TASKS]
    measures = [measure for measure in facts.measures if measure.spread is not None]
    axes = {}
    for measure in measures:
        spreads = [spread for task in shown if (spread := task.spreads[measure.name])]
        axes[measure.name] = shared_axis(spreads, measure.reading) if spreads else None
    rows = []
    for task in shown:
        cells = [_task_name(task), f"{task.n:,}"]
        for measure in measures:
            spread, axis = task.spreads[measure.name], axes[measure.name]
            if spread is None or axis is None:
                cells.append(DASH)
                continue
            drawn = spread_strip(spread, axis, measure.reading, task.task or words.NO_TASK.en)
            cells.append(_mean(spread.mean, measure.reading.unit, task.n) + drawn)
        rows.append(cells)
    headings: list[Text | str] = [
        Text("task", "任务"),
        "n",
        *(measure.name for measure in measures),
    ]
    said = Text(
        "Means (of perplexities the geometric one) with their intervals. Strips: line from 5 to "
        "95%, box from 25 to 75%, stroke at the median, all tasks on one axis.",
        "均值（困惑度为几何平均）及其区间。条带：线为 5%–95%，框为 25%–75%，竖线为中位数；"
        "各任务共用坐标轴。",
    )
    rest = len(facts.tasks) - len(shown)
    more = ""
    if rest:
        count = sum(task.n for task in facts.tasks[MOST_TASKS:])
        more = m.note(
            Text(
                f"{rest:,} smaller tasks with {count:,} examples are not shown.",
                f"另有 {rest:,} 个较小任务（{count:,} 个样本）未列出。",
            )
        )
    heading = Text("By task", "按任务")
    return m.section("tasks", heading, m.table(headings, rows, css="tasks"), m.note(said), more)


def _task_name(task: TaskFacts) -> Html:
    return m.both(words.NO_TASK) if task.task is None else escape(clipped(task.task, 80))


def _mean(mean: Estimate, unit: str, n: int) -> Html:
    fewer = f" n={mean.n:,}" if mean.n != n else ""
    return (
        f"{value_text(mean.value, unit)}"
        f'<small class="line">{interval_text(mean, unit)}{fewer}</small>'
    )
