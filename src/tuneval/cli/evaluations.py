"""How finished evaluations look in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.console import table
from tuneval.cli.stability import show_stability

if TYPE_CHECKING:
    from tuneval.evaluation.record import EvaluationResult
    from tuneval.evaluation.suites.run_suite import SuiteOutcome


def show_one(content: dict[str, Any]) -> None:
    """Every metric of one evaluation, and how its tokens were counted."""
    from tuneval.evaluation.catalogs.metric_names import reading_order
    from tuneval.evaluation.metrics.likelihood import WHOLE_SEQUENCE
    from tuneval.evaluation.report.numbers import estimate_text, sample_text
    from tuneval.evaluation.result import MetricResult

    rows = []
    for name in sorted(content["metrics"], key=reading_order):
        found = MetricResult.from_dict(content["metrics"][name])
        remarks = [f"{count} not scored: {why}" for why, count in found.unscored.items()]
        if name == WHOLE_SEQUENCE:
            remarks.append("counts the prompt too: a common mistake, shown to be known")
        value, sample = ("–", "")
        if found.estimate is not None:
            value, sample = estimate_text(found.estimate), sample_text(found.estimate)
        rows.append([name, value, sample, "; ".join(remarks)])
    table(["metric", "value, 95% interval", "sample", ""], rows)
    counts = content["counts"]
    if "teacher_forced" in counts:
        click.echo(
            f"response tokens counted two ways: equal on {counts['alignment_agrees']} "
            f"of {counts['teacher_forced']} items"
        )
    click.echo(f"folder: {content['folder']}")


def show_suite(outcome: SuiteOutcome) -> None:
    """Every model's score on every task, the differences to the first, and what to know."""
    from tuneval.evaluation.report import verdict
    from tuneval.evaluation.report.numbers import (
        difference_text,
        estimate_text,
        p_text,
        sample_text,
    )
    from tuneval.evaluation.report.tasks.facts import averaged, headline, main_metric

    facts = outcome.facts
    rows = []
    for title in facts.titles:
        for label, result in facts.of(title).items():
            found, over = headline(result), averaged(result)
            shown = ["–", ""] if found is None else [estimate_text(found), sample_text(found)]
            rows.append([title, label, averaged_text(main_metric(result), over), *shown])
    table(["task", "model", "metric", "value, 95% interval", "sample"], rows)
    differences = [
        [title, label, averaged_text(row.metric, row.over), difference_text(row.difference),
         p_text(row.p_holm), verdict.among_many(row).en]
        for title, label, row in facts.differences()
    ]  # fmt: skip
    if differences:
        click.echo(f"\nagainst {facts.models[0]}, item by item")
        table(["task", "model", "metric", "difference", "p (Holm)", "it is"], differences)
    if outcome.stability is not None:
        click.echo("")
        show_stability(outcome.stability)
    for title in facts.told:
        for line in _notes(facts.of(title)):
            click.echo(f"{title}: {line}")
    click.echo(f"report: {outcome.folder / 'report.html'}")


def averaged_text(metric: str, over: str) -> str:
    """The metric's name, and over what it is averaged where items do not count alike."""
    return metric if over == "items" else f"{metric}, macro average by {over}"


def _notes(results: Mapping[str, EvaluationResult]) -> Iterator[str]:
    """What to know of a task, and of the models that it is not true of all; what does not count."""
    from tuneval.evaluation.report.tasks.facts import main_metric

    models_of: dict[str, list[str]] = {}
    for label, result in results.items():
        unscored = result.metrics[main_metric(result)].unscored
        found = list(result.notes)
        if unscored:
            count, why = sum(unscored.values()), next(iter(unscored))
            found.append(f"{count} of {result.n_items} questions do not count; the first: {why}")
        for note in found:
            models_of.setdefault(note, []).append(label)
    for note, labels in models_of.items():
        yield note if len(labels) == len(results) else f"{', '.join(labels)}: {note}"
