"""The plain text of an experiment with several trainings or comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tuneval.evaluation.catalogs.metric_names import reading_order
from tuneval.evaluation.comparing.compare import Comparison
from tuneval.evaluation.report import verdict
from tuneval.evaluation.report.facts import ScoringFacts, SelectionFacts, TrainingFacts
from tuneval.evaluation.report.numbers import difference_text, estimate_text, p_text, sample_text
from tuneval.pages.markdown import table
from tuneval.pages.numbers import duration_text


def differences(comparisons: Mapping[str, Comparison], *, n_together: int) -> Iterator[str]:
    """Every difference of every comparison, and a headline for each.

    `n_together`: how many p is adjusted for, which may be more.
    """
    if not comparisons:
        return
    rows = [
        [
            f"{comparison.a} → {comparison.b}",
            verdict.figure_name(row).en,
            estimate_text(row.a),
            estimate_text(row.b),
            difference_text(row.difference),
            p_text(row.p_holm),
            sample_text(row.difference),
            verdict.among_many(row).en,
        ]
        for comparison in comparisons.values()
        for row in sorted(comparison.rows, key=lambda row: reading_order(row.metric))
    ]
    yield "\n## What differs, and how sure that is\n"
    yield from table(
        ["", "metric", "first", "second", "difference", "p (Holm)", "sample", "second is"],
        rows,
    )
    told = [row for comparison in comparisons.values() for row in comparison.rows]
    yield f"\n{verdict.together(n_together).en} {verdict.tests_of(told).en}\n"
    for comparison in comparisons.values():
        conclusion = verdict.conclude(comparison)
        if conclusion is not None:
            said = verdict.headline(conclusion, comparison).en
            yield f"- {comparison.a} → {comparison.b}: {said}"


def trainings(facts: Mapping[str, TrainingFacts]) -> Iterator[str]:
    """What was trained on what, a row each."""
    if not facts:
        return
    yield "\n## Trainings\n"
    rows = []
    for name, training in facts.items():
        result, data = training.result, training.result["data"]
        rows.append(
            [
                name,
                training.examples,
                training.duration,
                f"{data['examples']:,}",
                f"{data['tokens']:,}",
                f"{data['trained_tokens']:,}",
                f"{result['steps']:,}",
                f"{result['train_loss']:.3f}",
                duration_text(result["seconds"]),
            ]
        )
    headings = ["training", "learnt from", "duration", "examples", "tokens", "trained tokens"]
    yield from table([*headings, "steps", "mean loss", "time"], rows)


def selections(
    scorings: Mapping[str, ScoringFacts], chosen: Mapping[str, SelectionFacts]
) -> Iterator[str]:
    """How many examples have which score, and what was chosen by it."""
    if not scorings and not chosen:
        return
    yield "\n## Scores and selections\n"
    if scorings:
        yield from table(
            ["step", "measure", "scored", "left out, with reason"],
            [
                [name, measure, f"{n:,}", _reasons(reasons)]
                for name, scoring in scorings.items()
                for measure, (n, reasons) in scoring.measures.items()
            ],
        )
        yield ""
    if chosen:
        yield from table(
            ["step", "asked", "chosen", "offered", "left out, with reason"],
            [
                [name, s.asked, f"{s.n_chosen:,}", f"{s.n_offered:,}", _reasons(s.rejected)]
                for name, s in chosen.items()
            ],
        )


def _reasons(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{why}: {count:,}" for why, count in counts.items()) or "0"
