"""Who may stand where among several, as plain text and as a section of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tuneval.evaluation.catalogs.metric_names import reading_order
from tuneval.evaluation.comparing.comparison import Comparison, ComparisonRow
from tuneval.evaluation.report import verdict
from tuneval.evaluation.report.facts import ReportFacts
from tuneval.evaluation.report.numbers import value_text
from tuneval.pages import markup as m
from tuneval.pages.markdown import table
from tuneval.pages.markup import Html
from tuneval.pages.text import Text, english

if TYPE_CHECKING:
    from tuneval.statistics.ranking import Standing

TITLE = Text("Who may stand where", "可能的名次")
HEADINGS: list[Text | str] = [
    Text("metric", "指标"),
    Text("rank", "名次"),
    Text("evaluation", "评测"),
    Text("value", "数值"),
    Text("tied sets", "并列组"),
]


def letters(n_pairs: int) -> Text:
    """How to read the table."""
    return Text(
        "Evaluations that share a letter are not told apart; values are over the items that count "
        f"in all; p adjusted for all metrics of all {n_pairs} pairs (Holm).",
        "字母相同的评测无法区分；数值取自在所有评测中都计分的样本；"
        f"p 已按全部指标与全部 {n_pairs} 组两两比较校正（Holm）。",
    )


def standing_lines(facts: ReportFacts) -> Iterator[str]:
    """A row for each metric and evaluation; nothing where two were compared."""
    if not facts.standings:
        return
    yield f"\n## {TITLE.en}\n"
    rows = [
        [english(cell) for cell in row] for row in standing_rows(facts.standings, facts.comparisons)
    ]
    yield from table([english(heading) for heading in HEADINGS], rows)
    yield f"\n{letters(len(facts.comparisons)).en}"


def standings_section(facts: ReportFacts) -> Html:
    """The same for a page."""
    if not facts.standings:
        return ""
    rows = [
        [m.both(cell) for cell in row] for row in standing_rows(facts.standings, facts.comparisons)
    ]
    note = m.note(letters(len(facts.comparisons)))
    return m.section("standings", TITLE, m.table(HEADINGS, rows, css="record"), note)


def standing_rows(
    standings: Mapping[str, Sequence[Standing]],
    pairs: Mapping[str, Comparison],
    name_of: Callable[[ComparisonRow], Text | str] = verdict.figure_name,
) -> Iterator[list[Text | str]]:
    """Metric by metric the best first; units and ways of averaging are those of the pairs."""
    names = {row.metric: row for pair in pairs.values() for row in pair.rows}
    for metric in sorted(standings, key=reading_order):
        for each in standings[metric]:
            ranks = sorted({each.best_rank, each.worst_rank})
            yield [
                name_of(names[metric]),
                Text(" to ".join(map(str, ranks)), "–".join(map(str, ranks))),
                each.name,
                value_text(each.value, names[metric].unit),
                " ".join(each.sets),
            ]
