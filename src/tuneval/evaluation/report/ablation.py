"""The one table of an ablation, as plain text and as a section of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tuneval.evaluation.comparing.ablation import AblationRow
from tuneval.evaluation.comparing.comparison import ComparisonRow
from tuneval.evaluation.report import verdict
from tuneval.evaluation.report.numbers import difference_text, estimate_text, p_text
from tuneval.evaluation.report.tasks.dots import dots
from tuneval.pages import markup as m
from tuneval.pages.markdown import table
from tuneval.pages.markup import Html
from tuneval.pages.text import Text, english

TITLE = Text("Every cell of the matrix beside the baseline", "各组合与基线的比较")

Cells = list[Text | str]


def ablation_table(
    rows: Sequence[AblationRow],
    name_of: Callable[[ComparisonRow], Text | str] = verdict.figure_name,
) -> tuple[Cells, list[Cells]]:
    """Headings and cells: what was varied, the value, the difference to the baseline."""
    axes = list(dict.fromkeys(axis for row in rows for axis in row.levels))
    on_tasks = any(row.task is not None for row in rows)
    headings: Cells = [
        *([Text("task", "任务")] if on_tasks else []),
        Text("metric", "指标"),
        *axes,
        Text("value", "数值"),
        Text("less the baseline", "与基线之差"),
        Text("p (Holm)", "p（Holm）"),
        Text("verdict", "结论"),
    ]
    cells: list[Cells] = [
        [
            *([row.task or "–"] if on_tasks else []),
            name_of(row.difference),
            *(row.levels.get(axis, "–") for axis in axes),
            estimate_text(row.difference.b),
            difference_text(row.difference.difference),
            p_text(row.difference.p_holm),
            verdict.among_many(row.difference),
        ]
        for row in rows
    ]
    return headings, cells


def baseline_said(rows: Sequence[AblationRow]) -> Text:
    """What the cells are compared with."""
    names = ", ".join(dict.fromkeys(row.baseline for row in rows))
    return Text(
        f"Baseline: {names}. Differences are less the baseline's, item by item; p is adjusted for "
        "all comparisons of the experiment (Holm).",
        f"基线：{names}。差异为减去基线，逐条配对；p 已按实验的全部比较校正（Holm）。",
    )


def ablation_lines(rows: Sequence[AblationRow]) -> Iterator[str]:
    """The table as plain text; nothing without a matrix."""
    if not rows:
        return
    headings, cells = ablation_table(rows)
    yield f"\n## {TITLE.en}\n"
    yield from table([english(h) for h in headings], [[english(c) for c in r] for r in cells])
    yield f"\n{baseline_said(rows).en}"


def ablation_section(rows: Sequence[AblationRow]) -> Html:
    """The same for a page, with a picture of the differences in the first metric of each task."""
    if not rows:
        return ""
    headings, cells = ablation_table(rows)
    pictures = ""
    for task in dict.fromkeys(row.task for row in rows):
        of_task = [row for row in rows if row.task == task]
        first = of_task[0].difference
        drawn = {
            " · ".join(row.levels.values()): row.difference.difference
            for row in of_task
            if row.difference.metric == first.metric
        }
        said = verdict.figure_name(first)
        heading = Text(
            f"{said.en}, less the baseline's" + (f": {task}" if task else ""),
            f"{said.zh}，与基线之差" + (f"：{task}" if task else ""),
        )
        pictures += m.panel(heading, dots(drawn, heading.en, scale="difference"))
    return m.section(
        "ablation",
        TITLE,
        pictures,
        m.table(headings, [[m.both(cell) for cell in row] for row in cells], css="record"),
        m.note(baseline_said(rows)),
    )
