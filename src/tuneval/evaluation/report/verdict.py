"""Whether it worked, in plain words, from the paired intervals and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tuneval.evaluation.asking.overall import ITEMS
from tuneval.evaluation.catalogs.metric_names import metric_name
from tuneval.evaluation.comparing.compare import Comparison, ComparisonRow
from tuneval.evaluation.metrics.likelihood import TEACHER_FORCED
from tuneval.evaluation.report.numbers import change_text, value_text
from tuneval.pages.text import Text

Kind = Literal["worked", "partly", "mixed", "unclear", "worse"]
PREFERRED = "exact_match"
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The kind of outcome, the metric in the headline, and the metrics by verdict."""

    kind: Kind
    headline: ComparisonRow
    better: tuple[ComparisonRow, ...]
    worse: tuple[ComparisonRow, ...]
    unclear: tuple[ComparisonRow, ...]


def conclude(comparison: Comparison) -> Conclusion | None:
    """What the comparison amounts to; None when no metric could be compared.

    The headline is exact match, else the first metric of right and wrong, else the first.
    """
    if not comparison.rows:
        return None
    rows = comparison.rows
    first_binary = next((row for row in rows if row.is_binary), rows[0])
    headline = comparison.row(PREFERRED) or first_binary
    better = tuple(row for row in rows if row.verdict == "better")
    worse = tuple(row for row in rows if row.verdict == "worse")
    unclear = tuple(row for row in rows if row.verdict == "unclear")
    kind: Kind = "unclear"
    if better and worse:
        kind = "mixed"
    elif worse:
        kind = "worse"
    elif headline.verdict == "better":
        kind = "worked"
    elif better:
        kind = "partly"
    return Conclusion(kind, headline, better, worse, unclear)


_TITLES = {
    "worked": Text("It worked.", "微调有效。"),
    "partly": Text("It helped in part.", "微调部分有效。"),
    "mixed": Text("Some things got better and some worse.", "有得有失。"),
    "unclear": Text("No clear change.", "没有明确的变化。"),
    "worse": Text("It got worse.", "结果变差了。"),
}


def title(conclusion: Conclusion) -> Text:
    """The outcome in a few words."""
    return _TITLES[conclusion.kind]


def headline(conclusion: Conclusion, comparison: Comparison) -> Text:
    """The main number on both sides and its change, with interval and sample."""
    row = conclusion.headline
    name = figure_name(row)
    before, after = value_text(row.a.value, row.unit), value_text(row.b.value, row.unit)
    difference = row.difference
    points = Text(" points", " 个百分点") if row.unit == "share" else Text("", "")
    change = change_text(difference.value, row.unit)
    if difference.low is None or difference.high is None:
        between = Text("no interval can be given", "无法给出区间")
    else:
        low, high = (change_text(end, row.unit) for end in (difference.low, difference.high))
        between = Text(f"95% interval {low} to {high}", f"95% 区间 {low} 至 {high}")
    groups = Text("", "")
    if comparison.n_groups is not None:
        groups = Text(
            f" in {comparison.n_groups} independent groups", f"（{comparison.n_groups} 个独立分组）"
        )
    how = Text("that both models answered", "两个模型都回答过")
    if row.metric in TEACHER_FORCED:
        how = Text("measured with both models", "两个模型都测量过")
    went = "rose" if difference.value > 0 else "fell" if difference.value < 0 else "stayed"
    went_zh = "升至" if difference.value > 0 else "降至" if difference.value < 0 else "保持在"
    return Text(
        f"{name.en} {went} from {before} to {after}: {change}{points.en} ({between.en}), "
        f"on {difference.n} items{groups.en} {how.en}.",
        f"{name.zh}从 {before} {went_zh} {after}：{change}{points.zh}（{between.zh}），"
        f"基于{how.zh}的 {difference.n} 条样本{groups.zh}。",
    )


def findings(conclusion: Conclusion, comparison: Comparison) -> Iterator[Text]:
    """The sentences under the headline: all metrics, the flips, the power, the caveats."""
    total = len(comparison.rows)
    n_better, n_worse = len(conclusion.better), len(conclusion.worse)
    if n_better == total:
        yield Text(
            f"All {total} metrics are better, and none of the intervals reaches zero.",
            f"{total} 项指标全部变好，且没有一个区间触及零。",
        )
    else:
        yield Text(
            f"Of {total} metrics, {n_better} {_are(n_better)} better and {n_worse} worse; for "
            f"{len(conclusion.unclear)} the interval includes zero: no clear difference.",
            f"{total} 项指标中，{n_better} 项变好，{n_worse} 项变差；"
            f"{len(conclusion.unclear)} 项的区间包含零，没有明确差异。",
        )
    for row in conclusion.worse:
        name = metric_name(row.metric)
        change = change_text(row.difference.value, row.unit)
        yield Text(f"Worse: {name.en}, by {change}.", f"变差：{name.zh}，{change}。")
    doubtful = [row for row in (*conclusion.better, *conclusion.worse) if row.p_holm >= SIGNIFICANT]
    if doubtful:
        names = [metric_name(row.metric) for row in doubtful]
        yield Text(
            f"Looked at together with all other metrics (Holm's correction), the change in "
            f"{_list(n.en for n in names)} could still be chance.",
            f"与其他指标一并考虑（Holm 校正）后，{'、'.join(n.zh for n in names)}"
            "的变化仍可能是偶然。",
        )
    row = conclusion.headline
    if row.is_binary:
        yield Text(
            f"{_items(row.n_improved)} went from wrong to right and "
            f"{_items(row.n_worsened)} from right to wrong; {row.n_equal} stayed as they were.",
            f"{row.n_improved} 条由错变对，{row.n_worsened} 条由对变错，{row.n_equal} 条不变。",
        )
    yield power(row)


def power(row: ComparisonRow) -> Text:
    """What this number of items could have shown at all."""
    name = metric_name(row.metric)
    n = row.difference.n
    if row.detectable is None:
        return Text(
            f"With {n} items and answers that differ this little, no size of change in "
            f"{name.en.lower()} would have been found reliably: use more items.",
            f"仅有 {n} 条样本且答案差异很小，{name.zh}的任何变化都难以可靠检出：请增加样本。",
        )
    size = change_text(row.detectable, row.unit).lstrip("+")
    points = Text(" points", " 个百分点") if row.unit == "share" else Text("", "")
    return Text(
        f"{n} items as varied as these reveal a true change of about {size}{points.en} in "
        f"{name.en.lower()} four times out of five; a smaller one is easily missed.",
        f"以这 {n} 条样本，{name.zh}约 {size}{points.zh}的真实变化有五分之四的机会被检出；"
        "更小的变化容易被漏掉。",
    )


def among_many(row: ComparisonRow) -> Text:
    """A verdict in a table of many differences; `p_holm` is over all of them."""
    if row.verdict == "unclear":
        return Text("not clearly different", "无明确差异")
    word = Text("better", "更好") if row.verdict == "better" else Text("worse", "更差")
    if row.p_holm < SIGNIFICANT:
        return word
    return Text(f"{word.en}, or chance among so many", f"{word.zh}，或为多重比较中的偶然")


def figure_name(row: ComparisonRow) -> Text:
    """The metric, and over what it is averaged where items do not count alike."""
    return averaged_name(row.metric, row.over)


def averaged_name(metric: str, over: str) -> Text:
    """The same of any figure."""
    name = metric_name(metric)
    if over == ITEMS:
        return name
    return Text(f"{name.en}, macro average by {over}", f"{name.zh}，按 {over} 宏平均")


def tests_of(rows: Sequence[ComparisonRow]) -> Text:
    """Which tests the p-values come from."""
    tests = "; ".join(dict.fromkeys(row.test for row in rows))
    return Text(f"Tests: {tests}.", f"检验方法：{tests}。")


def together(n_differences: int) -> Text:
    """How to read a table of several comparisons."""
    return Text(
        "Differences are the second less the first, item by item, with 95% intervals. p is "
        f"adjusted for all {n_differences} differences looked at together (Holm).",
        "差异为后者减前者，逐条配对，附 95% 区间；"
        f"p 已按一并考察的全部 {n_differences} 个差异校正（Holm）。",
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _items(count: int) -> str:
    return "1 item" if count == 1 else f"{count} items"


def _list(names: Iterator[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
