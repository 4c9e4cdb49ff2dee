"""report.md: the same report as plain text, for terminals, diffs and code hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tuneval.evaluation.catalogs.metric_names import metric_name, reading_order
from tuneval.evaluation.comparing.compare import Comparison, Flip
from tuneval.evaluation.metrics.likelihood import TOKEN_ACCURACY, WHOLE_SEQUENCE
from tuneval.evaluation.report import verdict
from tuneval.evaluation.report.ablation import ablation_lines
from tuneval.evaluation.report.explanations import HOW_TO_READ
from tuneval.evaluation.report.facts import DataCard, ReportFacts
from tuneval.evaluation.report.gates import gate_lines
from tuneval.evaluation.report.limits import limits
from tuneval.evaluation.report.markdown_several import differences, selections, trainings
from tuneval.evaluation.report.numbers import (
    difference_text,
    estimate_text,
    p_text,
    sample_text,
)
from tuneval.evaluation.report.stability import stability_lines
from tuneval.evaluation.report.standings import standing_lines
from tuneval.evaluation.report.tasks.markdown import task_lines
from tuneval.pages.markdown import code, one_line, table

MOST_FLIPS = 30


def markdown_page(facts: ReportFacts) -> str:
    """The whole text."""
    return "\n".join(_lines(facts)).rstrip() + "\n"


def _lines(facts: ReportFacts) -> Iterator[str]:
    yield f"# {facts.title}"
    yield ""
    if facts.description:
        yield f"{facts.description}\n"
    yield f"Run `{facts.run_id}`, {facts.created[:16]}, model `{facts.model}`."
    yield from gate_lines(facts.gates)
    yield from standing_lines(facts)
    if facts.comparison is not None:
        yield from _comparison(facts.comparison)
    yield from ablation_lines(facts.ablation)
    yield from differences(facts.beside_ablation, n_together=facts.n_differences)
    if facts.tasks is not None:
        yield from task_lines(facts.tasks)
    yield from stability_lines(facts.stability)
    yield from _evaluations(facts)
    if facts.comparison is not None:
        yield from _flips(facts.comparison)
    yield from selections(facts.scorings, facts.selections)
    yield from _training(facts)
    yield from trainings(facts.trainings)
    if facts.data is not None:
        yield from _data(facts.data)
    if compared := facts.compared:
        yield "\n## What these numbers do not say\n"
        yield from (f"- {text.en}" for text in limits(*compared, trained=facts.has_training))
    yield "\n## How to read this\n"
    yield from (f"- {text.en}" for text in HOW_TO_READ)
    yield from _reproduce(facts)


def _comparison(comparison: Comparison) -> Iterator[str]:
    conclusion = verdict.conclude(comparison)
    if conclusion is not None:
        yield f"\n## {verdict.title(conclusion).en}\n"
        yield f"**{verdict.headline(conclusion, comparison).en}**\n"
        yield from (f"- {text.en}" for text in verdict.findings(conclusion, comparison))
    yield f"\n## {comparison.a} and {comparison.b}, item by item\n"
    yield from table(
        ["metric", comparison.a, comparison.b, "difference", "p (Holm)", "sample", "verdict"],
        [
            [
                verdict.figure_name(row).en,
                estimate_text(row.a),
                estimate_text(row.b),
                difference_text(row.difference),
                p_text(row.p_holm),
                sample_text(row.difference),
                row.verdict,
            ]
            for row in sorted(comparison.rows, key=lambda row: reading_order(row.metric))
        ],
    )
    tests = verdict.tests_of(comparison.rows).en
    yield f"\n95% intervals; differences are {comparison.b} less {comparison.a}. {tests}"


def _evaluations(facts: ReportFacts) -> Iterator[str]:
    if not facts.evaluations:
        return
    yield "\n## The evaluations\n"
    results = list(facts.evaluations.values())
    found_names = dict.fromkeys(name for result in results for name in result.metrics)
    told = {row.metric for row in facts.comparison.rows} if facts.comparison else set[str]()
    told.discard(TOKEN_ACCURACY)  # stands beside the mistaken count, so that the gap is seen
    names = sorted(found_names.keys() - told, key=lambda name: (reading_order(name), name))
    rows = []
    for name in names:
        cells = [metric_name(name).en + (" (a mistake, to know)" * (name == WHOLE_SEQUENCE))]
        for result in results:
            found = result.metrics.get(name)
            estimate = found.estimate if found else None
            cells.append(f"{estimate_text(estimate)}, {sample_text(estimate)}" if estimate else "–")
        rows.append(cells)
    answered = any(result.counts.get("generated") for result in results)
    for key in ("teacher_forced", "alignment_agrees", "generated", "cut_by_length", "truncated"):
        if key in ("generated", "cut_by_length") and not answered:
            continue
        rows.append([key.replace("_", " "), *(str(r.counts.get(key, 0)) for r in results)])
    yield from table(["", *facts.evaluations], rows)
    for result in results:
        for way, reasons in result.skipped.items():
            for reason, count in reasons.items():
                yield f"\n{result.name}: {count} items left out ({way}): {reason}."


def _flips(comparison: Comparison) -> Iterator[str]:
    if comparison.flips_metric is None:
        return
    yield f"\n## Items that flipped ({metric_name(comparison.flips_metric).en})"
    for heading, flips in (
        ("Wrong before, right now", comparison.improved),
        ("Right before, wrong now", comparison.worsened),
    ):
        yield f"\n### {heading}: {len(flips)}\n"
        for flip in flips[:MOST_FLIPS]:
            yield from _flip(flip, comparison)
        if len(flips) > MOST_FLIPS:
            yield f"\n… and {len(flips) - MOST_FLIPS} more."


def _flip(flip: Flip, comparison: Comparison) -> Iterator[str]:
    yield f"- {one_line(flip.prompt, 500)}"
    for name, text in (("expected", flip.label), (comparison.a, flip.a), (comparison.b, flip.b)):
        yield f"  - {name}: {code(one_line(text, 300))}"


def _training(facts: ReportFacts) -> Iterator[str]:
    if facts.training is None:
        return
    t = facts.training
    yield "\n## Training\n"
    nested = {"data", "held_out"}
    rows = [[name.replace("_", " "), _number(t[name])] for name in t if name not in nested]
    probe = t.get("held_out") or {}
    rows += [[f"probe: {name.replace('_', ' ')}", _number(probe[name])] for name in probe]
    if facts.tokens:
        tokens = facts.tokens
        rows += [[name.replace("_", " "), _number(tokens[name])] for name in tokens]
    yield from table(["", ""], rows)
    if len(facts.loss_log) > 1:
        first, last = facts.loss_log[0], facts.loss_log[-1]
        yield (
            f"\nLoss {first['loss']:.3f} at step {first['current_steps']}, "
            f"{last['loss']:.3f} at step {last['current_steps']}."
        )


def _data(card: DataCard) -> Iterator[str]:
    yield "\n## Data\n"
    splits = ", ".join(f"{side.replace('_', ' ')} {n}" for side, n in card.splits.items())
    yield f"`{card.file}`: {card.n_examples} examples ({splits}); hash `{card.data_hash[:16]}`."
    found = ", ".join(f"{n} {severity}" for severity, n in card.findings.items()) or "no findings"
    yield f"\nCheck: {found}."
    for name, values in {**card.tags, **card.fields}.items():
        yield f"\n{name}:\n"
        sides = list(card.splits)
        rows = [[v, *(str(counts.get(side, 0)) for side in sides)] for v, counts in values.items()]
        yield from table(["", *(side.replace("_", " ") for side in sides)], rows)


def _reproduce(facts: ReportFacts) -> Iterator[str]:
    yield "\n## Environment, and how to do this again\n"
    if facts.command:
        yield f"```\n{facts.command}\n```\n"
    if facts.template_hash:
        yield f"- template: {facts.template or ''} `{facts.template_hash}`"
    for name, value in facts.environment.items():
        if value not in (None, "", [], {}):
            shown = (
                ", ".join(f"{k} {v}" for k, v in value.items() if v is not None)
                if isinstance(value, dict)
                else str(value)
            )
            yield f"- {name.replace('_', ' ')}: {shown}"


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return str(len(value)) if isinstance(value, list) else str(value)
