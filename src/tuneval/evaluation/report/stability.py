"""How far repeated runs move, as tables for a terminal, plain text, and sections of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from tuneval.evaluation.catalogs.metric_names import metric_name, reading_order
from tuneval.evaluation.report.numbers import p_text, value_text
from tuneval.evaluation.report.tasks.dots import dots
from tuneval.pages import markup as m
from tuneval.pages.markdown import table
from tuneval.pages.markup import Html
from tuneval.pages.text import Text, english
from tuneval.statistics.estimate import Estimate

if TYPE_CHECKING:
    from tuneval.evaluation.stability.stability import Detectable, Stability, StabilityRow

TITLE = Text("Repeated runs: how far the score moves by itself", "重复运行：分数自身的波动")
HOW_TO_READ = Text(
    "Standard deviations in points, with 95% intervals. Item part: what other items alone would "
    "change; run part: what moves all items of a run alike. The reading is of the run part: below "
    "1 point noise, 1 to 3 watch, above 5 investigate.",
    "标准差以百分点计，附 95% 区间。样本部分：仅换一批样本会带来的变化；"
    "运行部分：使一次运行的全部样本一起变动的部分。判读针对运行部分："
    "低于 1 点为噪声，1 至 3 点留意，高于 5 点排查。",
)
REVEALED = Text(
    "Revealed: the least true difference of two models that so many runs and items of each show "
    "four times out of five; best case: items as hard for both; worst: other items.",
    "可检出：两个模型各用同样多的运行与样本时，五次中有四次能发现的最小真实差异；"
    "最好情形：样本对两者同样难；最坏情形：样本不同。",
)
BARS = Text(
    "Each run's score; the bar is what other items alone would change (95%). Where the dots lie "
    "closer together than a bar is long, the items are the larger doubt.",
    "各次运行的得分；横条为仅换样本带来的变化（95%）。圆点彼此靠近而横条更长时，主要的不确定来自样本。",
)
_READINGS = {
    "noise": Text("noise", "噪声"),
    "watch": Text("watch", "留意"),
    "investigate": Text("investigate", "排查"),
}
_PARTS = {
    "items": Text("items", "样本"),
    "run": Text("run", "运行"),
    "interaction": Text("draws of single answers", "单个回答的随机性"),
}
_NORMAL = 1.959964

Cells = list[Text | str]
Grid = tuple[Cells, list[Cells]]
NameOf = Callable[[str], Text | str]


def groups(found: Stability) -> list[tuple[str, str, list[StabilityRow]]]:
    """The rows by task and model."""
    keys = dict.fromkeys((row.name, row.model) for row in found.rows)
    return [(*key, [r for r in found.rows if (r.name, r.model) == key]) for key in keys]


def parts_table(rows: Sequence[StabilityRow], name_of: NameOf = metric_name) -> Grid:
    """Standard deviations of one run's score, by what they come from."""
    headings: Cells = [
        Text("metric", "指标"),
        Text("source", "来源"),
        Text("runs", "次数"),
        Text("scores", "得分"),
        Text("between runs", "运行之间"),
        Text("run part", "运行部分"),
        Text("item part", "样本部分"),
        Text("items that change", "有变化的样本"),
        Text("reading", "判读"),
    ]
    cells: list[Cells] = [
        [
            name_of(row.metric),
            row.source,
            str(len(row.scores)),
            _between([value_text(end(row.scores.values()), row.unit) for end in (min, max)]),
            _deviation(row.between_runs),
            "–" if row.parts is None else _deviation(row.parts.run),
            "–" if row.parts is None else _deviation(row.parts.items),
            "–"
            if row.n_changed is None
            else Text(f"{row.n_changed} of {row.n_items}", f"{row.n_changed} / {row.n_items}"),
            _reading(row),
        ]
        for row in sorted(rows, key=lambda row: reading_order(row.metric))
    ]
    return headings, cells


def power_table(rows: Sequence[StabilityRow], name_of: NameOf = metric_name) -> Grid | None:
    """What two models would have to differ by; None where nothing can be foretold."""
    told = [row for row in rows if row.detectable]
    asked = any(each.asked for row in told for each in row.detectable)
    headings: Cells = [
        Text("metric", "指标"),
        Text("source", "来源"),
        Text("two runs of one model differ by up to", "同一模型两次运行至多相差"),
        Text("revealed, same items", "可检出（相同样本）"),
        Text("revealed, other items", "可检出（不同样本）"),
    ]
    if asked:
        headings += [Text("asked", "询问"), Text("items for it", "所需样本"),
                     Text("runs for it", "所需运行")]  # fmt: skip
    cells: list[Cells] = [
        [
            name_of(row.metric),
            row.source,
            size_text(row.two_runs, row.unit),
            *(size_text(each.smallest, row.unit) for each in row.detectable),
            *(_needed(row) if asked else ()),
        ]
        for row in told
    ]
    return (headings, cells) if cells else None


def sources_table(found: Stability, name_of: NameOf = metric_name) -> Grid | None:
    """Which of two sources moves answers more; None where there is one source."""
    headings: Cells = [
        Text("metric", "指标"),
        Text("source", "来源"),
        Text("and", "与"),
        Text("moves answers more", "对回答影响更大"),
        Text("p", "p"),
    ]
    cells: list[Cells] = [
        [
            name_of(each.metric),
            each.first,
            each.second,
            each.moves_more or Text("cannot be told", "无法判定"),
            p_text(each.comparison.p_value),
        ]
        for each in found.sources
    ]
    return (headings, cells) if cells else None


def remarks(rows: Sequence[StabilityRow]) -> list[Text]:
    """What a reader must know of the rows, each once."""
    found: dict[str, Text] = {}
    for row in rows:
        if row.idle is not None:
            said = Text(
                f"Varying {row.source} could not change an answer ({row.idle}): that these runs "
                "are alike shows nothing.",
                f"改变 {row.source} 不可能影响回答（{row.idle}）：这些运行一致不说明任何问题。",
            )
            found[said.en] = said
            continue
        name = metric_name(row.metric)
        if row.why_no_parts is not None:
            said = Text(
                f"{name.en} by {row.source}: {row.why_no_parts}.",
                f"{name.zh}（{row.source}）：{row.why_no_parts}。",
            )
            found[said.en] = said
        if row.n_left_out:
            said = Text(
                f"{name.en} by {row.source}: {row.n_left_out} items do not count in every run.",
                f"{name.zh}（{row.source}）：{row.n_left_out} 条样本未在每次运行中计分。",
            )
            found[said.en] = said
    return list(found.values())


def stability_lines(found: Stability | None) -> Iterator[str]:
    """All of it as plain text; nothing where nothing was repeated."""
    if found is None:
        return
    yield f"\n## {TITLE.en}"
    for name, model, rows in groups(found):
        yield f"\n### {name}, {model}\n"
        yield from _lines(parts_table(rows))
        if grid := power_table(rows):
            yield ""
            yield from _lines(grid)
        yield from (f"\n{remark.en}" for remark in remarks(rows))
    if grid := sources_table(found):
        yield ""
        yield from _lines(grid)
    yield f"\n{HOW_TO_READ.en} {REVEALED.en}"


def stability_section(found: Stability | None) -> Html:
    """The same for a page, with every run's score beside what other items would change."""
    if found is None:
        return ""
    content = ""
    for name, model, rows in groups(found):
        content += f"<h3>{escape(name)}, {escape(model)}</h3>{_picture(rows)}"
        content += _html(parts_table(rows))
        if grid := power_table(rows):
            content += "<br>" + _html(grid)
        said = remarks(rows)
        content += m.bullets(said) if said else ""
    if grid := sources_table(found):
        content += "<br>" + _html(grid)
    notes = (m.note(text) for text in (BARS, HOW_TO_READ, REVEALED))
    return m.section("stability", TITLE, content, *notes)


def _picture(rows: Sequence[StabilityRow]) -> Html:
    """The runs of the first metric, source by source."""
    first = rows[0].metric
    drawn = {
        label: Estimate(score, *_ends(row, score), 0.95, "", row.n_items, unit=row.unit)
        for row in rows
        if row.metric == first
        for label, score in row.scores.items()
    }
    return m.panel(metric_name(first), dots(drawn, metric_name(first).en, scale="close"))


def _ends(row: StabilityRow, score: float) -> tuple[float | None, float | None]:
    if row.parts is None:
        return None, None
    reach = _NORMAL * row.parts.items.value
    if row.unit != "share":
        return score - reach, score + reach
    return max(0.0, score - reach), min(1.0, score + reach)


def _lines(grid: Grid) -> Iterator[str]:
    headings, rows = grid
    yield from table([english(h) for h in headings], [[english(c) for c in r] for r in rows])


def _html(grid: Grid) -> Html:
    headings, rows = grid
    return m.table(headings, [[m.both(cell) for cell in row] for row in rows], css="record")


def _reading(row: StabilityRow) -> Text:
    if row.idle is not None:
        return Text("none: could not act", "无：不可能有影响")
    if row.reading is None:
        return Text("–", "–")
    said = _READINGS[row.reading.kind]
    en, zh = said.en, said.zh
    if not row.reading.is_sure and row.reading.at_most is not None:
        most = _READINGS[row.reading.at_most]
        en, zh = f"{en}; {most.en} is not ruled out", f"{zh}；不排除“{most.zh}”"
    if row.dominant is not None:
        part = _PARTS[row.dominant]
        en, zh = f"{en}; most comes from the {part.en}", f"{zh}；主要来自{part.zh}"
    return Text(en, zh)


def _deviation(estimate: Estimate) -> str:
    between = ""
    if estimate.low is not None and estimate.high is not None:
        ends = (size_text(end, estimate.unit) for end in (estimate.low, estimate.high))
        between = f" [{', '.join(ends)}]"
    return size_text(estimate.value, estimate.unit) + between


def size_text(value: float, unit: str) -> str:
    """A size in points of a share, plain else."""
    return f"{value * 100:.2f}" if unit == "share" else f"{value:.3g}"


def _needed(row: StabilityRow) -> Cells:
    """What the best case takes, and the worst."""
    asked = row.detectable[0].asked
    if asked is None:
        return ["–", "–", "–"]
    return [
        size_text(asked, row.unit),
        _range(row.detectable, "items_for"),
        _range(row.detectable, "runs_for"),
    ]


def _between(ends: Sequence[str]) -> Text:
    return Text(" to ".join(ends), " 至 ".join(ends))


def _range(detectable: Sequence[Detectable], name: str) -> Text:
    ends = list(dict.fromkeys(getattr(each, name) for each in detectable))
    return Text(
        " to ".join("never" if end is None else f"{end:,}" for end in ends),
        " 至 ".join("永不" if end is None else f"{end:,}" for end in ends),
    )
