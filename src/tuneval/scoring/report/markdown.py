"""report.md: the same report as plain text, for terminals, diffs and code hosts."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.pages.markdown import code, one_line, table
from tuneval.pages.numbers import duration_text
from tuneval.pages.text import clipped
from tuneval.scoring.report import words
from tuneval.scoring.report.ends import Sight
from tuneval.scoring.report.facts import ScoreFacts
from tuneval.scoring.report.measures import MeasureFacts
from tuneval.scoring.report.models import ModelComparison, PairedMeasure
from tuneval.scoring.report.numbers import difference_text, estimate_text, value_text
from tuneval.scoring.report.tasks import MOST_TASKS
from tuneval.statistics.estimate import Estimate

DASH = "–"


def markdown_page(facts: ScoreFacts) -> str:
    """The whole text."""
    return "\n".join(_lines(facts)).rstrip() + "\n"


def _lines(facts: ScoreFacts) -> Iterator[str]:
    card = facts.card
    yield f"# Scores of {_code(facts.title)}"
    yield ""
    model = _code(card["model"]) if card.get("model") else "no model"
    yield (
        f"{facts.n:,} examples of {card.get('n_records', facts.n):,} records "
        f"({card.get('duplicates', 0):,} copies), scored by {model}; "
        f"{facts.n_incomplete:,} lack at least one measure."
    )
    yield from _measures(facts)
    yield from _account(facts)
    yield from _correlations(facts)
    yield from _tasks(facts)
    for comparison in facts.comparisons:
        yield from _comparison(comparison)
    yield from _ends(facts)
    yield "\n## How to read this\n"
    yield from (f"- {text.en}" for text in words.HOW_TO_READ)
    yield from _record(facts)


def _measures(facts: ScoreFacts) -> Iterator[str]:
    yield "\n## The measures\n"
    headings = ["measure", "n", "mean", "median", "middle 90%", "below neutral", "above neutral"]
    yield from table(headings, [_row(measure) for measure in facts.measures])
    for measure in facts.measures:
        reading = measure.reading
        source = f" ({reading.source})" if reading.source else ""
        yield f"\n**{reading.title}** `{measure.name}`. {reading.text}{source}"
        if measure.name in words.WHAT_TO_KEEP:
            yield f"\n{words.WHAT_TO_KEEP[measure.name].en}"


def _row(measure: MeasureFacts) -> list[str]:
    spread, unit = measure.spread, measure.reading.unit
    name = f"{measure.reading.title} `{measure.name}`"
    if spread is None:
        return [name, "0", *[DASH] * 5]
    middle = (value_text(spread.quantiles[place], unit) for place in (1, 5))
    return [
        name,
        f"{measure.account.scored:,}",
        estimate_text(spread.mean, unit) + (" (geometric)" if unit == "perplexity" else ""),
        value_text(spread.median, unit),
        " – ".join(middle),
        _share(measure.below),
        _share(measure.above),
    ]


def _share(share: Estimate | None) -> str:
    return estimate_text(share, "share") if share else DASH


def _account(facts: ScoreFacts) -> Iterator[str]:
    yield "\n## What has a score, and what has none\n"
    rows = [
        [
            f"`{measure.name}`",
            f"{measure.account.scored:,}",
            f"{measure.n_unscored:,}",
            f"{measure.account.truncated:,}",
        ]
        for measure in facts.measures
    ]
    yield from table(["measure", "scored", "not scored", "truncated"], rows)
    if any(measure.n_unscored for measure in facts.measures):
        yield ""
    for measure in facts.measures:
        for name, count in measure.account.unscored.items():
            what, mend = measure.reasons[name]
            doing = f"; {mend}" if mend else ""
            yield f"- `{measure.name}`: {count:,} because {what}{doing}."


def _correlations(facts: ScoreFacts) -> Iterator[str]:
    if not facts.correlations:
        return
    yield "\n## How the measures go together (Spearman)\n"
    rows = [
        [
            f"`{pair.a}`",
            f"`{pair.b}`",
            estimate_text(pair.estimate, "") if pair.estimate else f"{DASH} {pair.why}",
            f"{pair.n:,}",
        ]
        for pair in facts.correlations
    ]
    yield from table(["", "", "correlation", "n"], rows)


def _tasks(facts: ScoreFacts) -> Iterator[str]:
    if not facts.tasks:
        return
    yield "\n## By task (means)\n"
    units = {measure.name: measure.reading.unit for measure in facts.measures}
    rows = []
    for task in facts.tasks[:MOST_TASKS]:
        name = words.NO_TASK.en if task.task is None else _code(task.task, 80)
        means = (
            estimate_text(spread.mean, units[measure]) if spread else DASH
            for measure, spread in task.spreads.items()
        )
        rows.append([name, f"{task.n:,}", *means])
    yield from table(["task", "n", *(f"`{name}`" for name in units)], rows)
    if len(facts.tasks) > MOST_TASKS:
        yield f"\n{len(facts.tasks) - MOST_TASKS:,} smaller tasks are not shown."


def _comparison(found: ModelComparison) -> Iterator[str]:
    yield f"\n## {code(found.b)} against {code(found.a)}\n"
    yield (
        f"{found.n_common:,} examples in common; {found.n_only_a:,} only in the first, "
        f"{found.n_only_b:,} only in the second. Differences are the second less the first, of "
        "perplexities those of their logarithms."
    )
    for remark in found.remarks:
        yield f"\n{remark.en}"
    if not found.measures:
        return
    yield ""
    headings = ["measure", "n", "first", "second", "mean difference", "rank correlation"]
    rows = [_paired_row(paired) for paired in found.measures]
    yield from table([*headings, "top 20% in common", "neutral value"], rows)


def _paired_row(paired: PairedMeasure) -> list[str]:
    unit, counts = paired.reading.unit, paired.agreement
    sides = DASH
    if counts is not None:
        shared = ""
        if counts.shared:
            shared = f"; of the first's there in the second too {_share(counts.shared)}"
        sides = (
            f"{counts.side} {paired.reading.neutral:g}: both {counts.n_both:,}, "
            f"first only {counts.n_only_a:,}, second only {counts.n_only_b:,}, "
            f"neither {counts.n_neither:,}{shared}"
        )
    found = paired.correlation
    return [
        f"`{paired.name}`",
        f"{paired.n:,}",
        estimate_text(paired.spread_a.mean, unit),
        estimate_text(paired.spread_b.mean, unit),
        difference_text(paired.difference, unit, is_log=paired.is_log),
        estimate_text(found.estimate, "") if found.estimate else f"{DASH} {found.why}",
        _share(paired.top),
        sides,
    ]


def _ends(facts: ScoreFacts) -> Iterator[str]:
    if not facts.ends:
        return
    yield "\n## Examples at each end"
    if facts.remark:
        yield f"\n{facts.remark.en}"
    for measure in facts.measures:
        found = facts.ends.get(measure.name)
        if found is None:
            continue
        for word, side in (("lowest", found.lowest), ("highest", found.highest)):
            if side:
                yield f"\n### {measure.reading.title}: {word}\n"
            for sight in side:
                yield from _sight(sight, measure.reading.unit)


def _sight(sight: Sight, unit: str) -> Iterator[str]:
    yield f"- {value_text(sight.value, unit)}, {_code(sight.where)}, `{sight.id}`"
    for role, text in sight.turns:
        yield f"  - {role}: {_code(text, 400)}"


def _record(facts: ScoreFacts) -> Iterator[str]:
    card = facts.card
    yield "\n## What was measured, and how\n"
    names = ("data", "format", "data_hash", "model", "adapter", "model_hash", "tokenizer_hash")
    for name in (*names, "prompts", "prompts_hash", "boundary_moved"):
        if card.get(name) not in (None, ""):
            yield f"- {name.replace('_', ' ')}: {_code(card[name])}"
    for name, value in (card.get("config") or {}).items():
        yield f"- config, {name}: {_code(value)}"
    for name, value in (card.get("work") or {}).items():
        shown = duration_text(value) if name == "seconds" else f"{value:,}"
        yield f"- work, {name.replace('_', ' ')}: {shown}"


def _code(value: object, most: int = 300) -> str:
    """A value of the card or of the data as code on one line."""
    return code(one_line(clipped(str(value), most), most + 1))
