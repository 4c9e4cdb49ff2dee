"""The sections of a description's page, one function for each; empty where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tuneval.data.description.bars import bars
from tuneval.data.description.facts import Description, Sight
from tuneval.data.description.histogram import histogram
from tuneval.data.description.lengths import Spread
from tuneval.data.description.value_counts import ValueCounts
from tuneval.data.description.words import (
    LANGUAGE_NAMES,
    ROLE_NAMES,
    SIDE_NAMES,
    UNIT_NAMES,
)
from tuneval.pages import markup as m
from tuneval.pages.markup import Html
from tuneval.pages.numbers import share_text
from tuneval.pages.text import Text

_MOST_BARS = 12
_MOST_PARTS = 50
_DASH = "–"


def lengths(found: Description) -> Html:
    """Chart and table of lengths."""
    if found.lengths is None:
        return ""
    unit = UNIT_NAMES[found.unit]
    heading = Text(f"{unit.en.capitalize()} in a record", f"每条记录的{unit.zh}数")
    chart = m.panel(heading, histogram(found.lengths, f"{found.unit} in a record"))
    names = [Text("", ""), Text("n", "数量"), Text("mean", "平均"), Text("median", "中位数")]
    quantiles: list[Text | str] = ["p90", "p95", "p99", Text("max", "最大"), Text("total", "合计")]
    rows = [
        [m.both(name), *_numbers(spread)] for name, spread in _spreads(found) if spread is not None
    ]
    return m.section(
        "lengths",
        Text("Lengths", "长度"),
        chart,
        m.table([*names, *quantiles], rows),
        _longer_than(found),
    )


def _spreads(found: Description) -> Iterator[tuple[Text, Spread | None]]:
    if found.tokens:
        yield Text("record, tokens", "记录，词元"), found.lengths
    yield Text("record, characters", "记录，字符"), found.characters
    yield Text("record, words", "记录，词"), found.words
    yield Text("record, turns", "记录，轮次"), found.turns
    unit = UNIT_NAMES[found.unit]
    for role in found.roles:
        name = ROLE_NAMES[role.role]
        yield Text(f"{name.en}, {unit.en}", f"{name.zh}，{unit.zh}"), role.lengths


def _numbers(spread: Spread) -> list[Html]:
    quantiles = (spread.median, spread.p90, spread.p95, spread.p99)
    sampled = "" if spread.n_sampled is None else f"<small> n={spread.n_sampled:,}</small>"
    return [
        f"{spread.n:,}",
        f"{spread.mean:,.1f}",
        *(f"{value:,}{sampled}" for value in quantiles),
        f"{spread.max:,}",
        f"{spread.total:,}",
    ]


def _longer_than(found: Description) -> Html:
    tokens = found.tokens
    if tokens is None:
        return ""
    rows = [(f"> {limit:,}", count) for limit, count in tokens.longer_than.items()]
    said = Text(
        f"Records longer than so many tokens of {tokens.model}",
        f"超过若干词元的记录数（{tokens.model}）",
    )
    note = ""
    if tokens.n_uncounted:
        note = (
            f'<div class="warning">{tokens.n_uncounted:,}: {escape(tokens.first_uncounted)}</div>'
        )
    n = found.lengths.n if found.lengths else 0
    return f'<div class="panels below">{m.panel(said, bars(rows, n, full="total"), note)}</div>'


def languages(found: Description) -> Html:
    """A panel for each side."""
    panels = [
        m.panel(
            SIDE_NAMES[side],
            bars(
                sorted(
                    ((LANGUAGE_NAMES[name], count) for name, count in counts.items()),
                    key=lambda row: -row[1],
                ),
                sum(counts.values()),
                full="total",
            ),
        )
        for side, counts in found.languages.items()
    ]
    return m.section("languages", Text("Languages", "语言"), m.panels(panels))


def values(found: Description) -> Html:
    """A panel for each label and tag."""
    panels = [_counts(counts.name, counts) for counts in found.labels]
    panels += [_counts(Text(f"tag {c.name}", f"标签 {c.name}"), c) for c in found.tags]
    if len(found.files.counts) > 1:
        panels.append(_counts(Text("files", "文件"), found.files))
    return m.section("values", Text("Labels and tags", "标注与标签"), m.panels(panels))


def _counts(name: Text | str, counts: ValueCounts) -> Html:
    if counts.n_different is None:
        many = Text("too many different values to list", "取值过多，不逐一列出")
        return m.panel(name, f"<small>{m.both(many)}</small>")
    shown = counts.counts[:_MOST_BARS]
    rest = counts.n - sum(count for _, count in shown)
    n_more = counts.n_different - len(shown)
    more = Text(f"{n_more:,} other values", f"其余 {n_more:,} 种取值")
    rows: list[tuple[Text | str, int]] = [*shown]
    return m.panel(name, bars(rows + ([(more, rest)] if n_more else []), counts.n, full="largest"))


def parts(found: Description) -> Html:
    """The parts that the set was looked at by."""
    rows = []
    for part in found.parts[:_MOST_PARTS]:
        spread = part.lengths
        numbers = [f"{n:,}" for n in (spread.median, spread.p95, spread.max)] if spread else []
        spoken = max(part.languages, key=lambda name: part.languages[name])
        rows.append(
            [
                escape(part.value),
                f"{part.n_records:,}",
                f"{100 * part.share:.1f}%",
                *(numbers or [_DASH] * 3),
                f"{part.mean_turns:.1f}",
                f"{m.both(LANGUAGE_NAMES[spoken])} "
                f"<small>{share_text(part.languages[spoken], part.n_records)}</small>",
            ]
        )
    if not rows:
        return ""
    headings: list[Text | str] = [
        found.by or "",
        Text("records", "记录"),
        Text("share", "占比"),
        Text("median", "中位数"),
        "p95",
        Text("max", "最大"),
        Text("turns", "轮次"),
        Text("language of the response", "回答的主要语言"),
    ]
    by = Text(f"By {found.by}", f"按 {found.by} 分")
    return m.section("parts", by, m.table(headings, rows))


def ends(found: Description) -> Html:
    """The shortest and the longest records."""
    panels = [
        m.panel(name, "".join(_sight(sight, found) for sight in sights))
        for name, sights in (
            (Text("The shortest", "最短"), found.shortest),
            (Text("The longest", "最长"), found.longest),
        )
        if sights
    ]
    return m.section("ends", Text("At the ends", "两端的记录"), m.panels(panels))


def _sight(sight: Sight, found: Description) -> Html:
    unit = UNIT_NAMES[found.unit]
    length = Text(f"{sight.length:,} {unit.en}", f"{sight.length:,} {unit.zh}")
    return (
        f'<div class="sight"><small>{escape(sight.where)} · {m.both(length)}</small>'
        f"{escape(sight.says)}</div>"
    )


def more(found: Description) -> Html:
    """What else is known of the set."""
    groups = found.groups
    rows = [
        (Text("format", "格式"), escape(f"{found.format}: {found.format_reason}")),
        (Text("groups", "分组"), f"{groups.n:,}"),
        (Text("largest group", "最大分组"), f"{groups.largest:,}"),
        (Text("records without a group", "无分组的记录"), f"{groups.n_ungrouped:,}"),
        (Text("files", "文件"), f"{found.files.n_different or _DASH}"),
        (Text("records with tools", "带工具的记录"), f"{found.n_with_tools:,}"),
        (Text("tool calls", "工具调用"), f"{found.n_tool_calls:,}"),
    ]
    if found.tokens:
        rows.append((Text("model", "模型"), escape(found.tokens.model)))
        rows.append((Text("template", "模板"), escape(found.tokens.template)))
    return m.section("more", Text("The set", "数据集"), m.facts(rows))
