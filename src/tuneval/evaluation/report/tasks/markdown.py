"""Models on tasks as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tuneval.evaluation.catalogs.metric_names import reading_order
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.report import verdict
from tuneval.evaluation.report.numbers import (
    difference_text,
    estimate_text,
    p_text,
    sample_text,
    value_text,
)
from tuneval.evaluation.report.tasks.facts import TasksFacts, averaged, headline, main_metric
from tuneval.evaluation.report.tasks.how import how_asked
from tuneval.evaluation.report.tasks.matrix import matrix_lines
from tuneval.pages.markdown import table
from tuneval.statistics.estimate import Estimate

FEWEST_STRATA = 2


def task_lines(facts: TasksFacts) -> Iterator[str]:
    """All of it: scores, differences, each task, hashes."""
    yield "\n## What each model scores\n"
    yield from table(["task", "metric", *facts.models], [_scores(facts, t) for t in facts.titles])
    yield from _differences(facts)
    for title in facts.told:
        yield from _task(facts, title)
    if facts.matrix is not None:
        yield from matrix_lines(facts.matrix)
    yield from _hashes(facts)


def _scores(facts: TasksFacts, title: str) -> list[str]:
    results = facts.of(title)
    first = next(iter(results.values()))
    name = verdict.averaged_name(main_metric(first), averaged(first)).en
    cells = [
        _figure(headline(results[label])) if label in results else "–" for label in facts.models
    ]
    return [title, name, *cells]


def _figure(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{estimate_text(estimate)}, {sample_text(estimate)}"


def _differences(facts: TasksFacts) -> Iterator[str]:
    found = facts.differences()
    if not found:
        return
    yield f"\n## Against {facts.models[0]}, item by item\n"
    yield from table(
        ["task", "metric", "model", "difference", "p (Holm)", "sample", "it is"],
        [
            [
                title,
                verdict.figure_name(row).en,
                label,
                difference_text(row.difference),
                p_text(row.p_holm),
                sample_text(row.difference),
                verdict.among_many(row).en,
            ]
            for title, label, row in found
        ],
    )
    tests = verdict.tests_of([row for *_, row in found]).en
    yield f"\n{verdict.together(len(found)).en} {tests}"


def _task(facts: TasksFacts, title: str) -> Iterator[str]:
    results = facts.of(title)
    yield f"\n## {title}\n"
    for line in how_asked(results):
        yield f"- {line.en}"
    names = dict.fromkeys(name for result in results.values() for name in result.metrics)
    first = next(iter(results.values()))
    yield ""
    yield from table(
        ["metric", *results],
        [
            [
                verdict.averaged_name(name, averaged(first, name)).en,
                *(_of_metric(result, name) for result in results.values()),
            ]
            for name in sorted(names, key=lambda name: (reading_order(name), name))
        ],
    )
    yield from _ranges(results)
    yield from _strata(results)


def _of_metric(result: EvaluationResult, name: str) -> str:
    return _figure(result.figure(name))


def _ranges(results: Mapping[str, EvaluationResult]) -> Iterator[str]:
    """The score as a range: what the readings of an answer make of it."""
    for label, result in results.items():
        for readings in ranges_of(result):
            shown = ", ".join(
                f"{name} {value_text(found['right'], 'share')} "
                f"(nothing read in {value_text(found['unparsed'], 'share')})"
                for name, found in readings.items()
            )
            yield f"\n{label}, by how answers are read: {shown}."


def ranges_of(result: EvaluationResult) -> list[Mapping[str, Any]]:
    """The readings of every metric whose detail has them."""
    details = [found.detail for found in result.metrics.values() if found.detail]
    return [detail["readings"] for detail in details if "readings" in detail]


def _strata(results: Mapping[str, EvaluationResult]) -> Iterator[str]:
    """The main metric by stratum, a row each."""
    by_model = {label: strata_of(result) for label, result in results.items()}
    names = list(dict.fromkeys(name for strata in by_model.values() for name in strata))
    if len(names) < FEWEST_STRATA:
        return
    yield ""
    yield from table(
        ["", *results],
        [[name, *(_figure(strata.get(name)) for strata in by_model.values())] for name in names],
    )


def strata_of(result: EvaluationResult) -> Mapping[str, Estimate]:
    """The main metric of each stratum; empty where there are none."""
    return {} if result.task is None else result.task.by_stratum.get(result.task.main, {})


def _hashes(facts: TasksFacts) -> Iterator[str]:
    yield "\n## What was asked of whom, exactly\n"
    yield from table(["task", "model", *HASHES], list(hash_rows(facts)))


HASHES = ("protocol", "questions", "prompts", "template", "tokenizer", "weights", "precision")


def hash_rows(facts: TasksFacts) -> Iterator[list[str]]:
    """Of each evaluation its protocol and the hashes of all that it depends on."""
    for title in facts.titles:
        for label, result in facts.of(title).items():
            record = result.task
            if record is not None:
                yield [
                    title,
                    label,
                    record.protocol,
                    record.questions_hash,
                    record.prompt_hash,
                    f"{result.template} {result.template_hash or '–'}",
                    (record.tokenizer_hash or "–")[:16],
                    (result.model_hash or "–")[:16],
                    record.precision,
                ]
