"""Two evaluations on the same items: what changed, how sure that is, and which items flipped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tuneval.catalog import did_you_mean
from tuneval.errors import DataError, UsageError
from tuneval.evaluation.account import clusters_of
from tuneval.evaluation.comparing.comparison import (
    UNTIL_DECIDED,
    Comparison,
    ComparisonRow,
    Evaluation,
    Flip,
    Verdict,
)
from tuneval.evaluation.items import Item
from tuneval.evaluation.metric import Metric
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.metrics.likelihood import WHOLE_SEQUENCE
from tuneval.evaluation.record import EvaluationResult
from tuneval.evaluation.robustness.families import is_copy, items_for
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.multiple import holm
from tuneval.statistics.paired import PairedComparison

__all__ = [
    "Comparison",
    "ComparisonRow",
    "Evaluation",
    "Flip",
    "Verdict",
    "compare",
    "compare_folders",
    "counted_pairs",
    "model_text",
    "paired_items",
]

SEED = 17
ALPHA = 0.05
"""The p-value below which a test agrees that there is a difference."""


def compare_folders(
    a: Path, b: Path, *, metrics: Sequence[str] | None = None, seed: int = SEED
) -> Comparison:
    """Compare the finished evaluations in two folders."""
    return compare(Evaluation.load(a), Evaluation.load(b), metrics=metrics, seed=seed)


def compare(
    a: Evaluation,
    b: Evaluation,
    *,
    metrics: Sequence[str] | None = None,
    flips_on: str | None = None,
    seed: int = SEED,
) -> Comparison:
    """Compare b with a, item by item, on the metrics that both have.

    Raises DataError when neither's items contain the other's: an unpaired comparison would look
    alike and mean something else.
    """
    first, second = paired_items(a, b)
    names = _metrics(a, b, metrics)
    found = [
        (name, compared)
        for name in names
        if (compared := _compare_metric(name, first, second, seed)) is not None
    ]
    adjusted = holm([paired.p_value for _, (_, _, paired) in found])
    rows = tuple(
        _row(name, left, right, paired, p_holm)
        for (name, (left, right, paired)), p_holm in zip(found, adjusted, strict=True)
    )
    on = flips_on or next((row.metric for row in rows if row.is_binary), None)
    pairs = [(x, y) for x, y in zip(first, second, strict=True) if not is_copy(x)]
    improved, worsened = _flips(on, pairs) if on else ((), ())
    clusters = clusters_of([x for x, _ in pairs])
    return Comparison(
        a=a.result.name,
        b=b.result.name,
        a_model=model_text(a.result),
        b_model=model_text(b.result),
        n_items=len(pairs),
        n_groups=None if clusters is None else len(set(clusters)),
        rows=rows,
        flips_metric=on,
        improved=improved,
        worsened=worsened,
        warnings=(*_warnings(a, b, pairs), *_not_counted(rows, len(pairs))),
        seed=seed,
    )


def paired_items(a: Evaluation, b: Evaluation) -> tuple[list[Item], list[Item]]:
    """The items that both have, in the order of a. Raises DataError where each has others too."""
    left = {item.id: item for item in a.items}
    right = {item.id: item for item in b.items}
    common = [item_id for item_id in left if item_id in right]
    if not common or len(common) < min(len(left), len(right)):
        raise DataError(
            f"These evaluations are not of the same items: {len(common)} are common, "
            f"{len(left) - len(common)} only in '{a.result.name}', "
            f"{len(right) - len(common)} only in '{b.result.name}'.",
            mend="evaluate both models on the same file with the same split",
        )
    return [left[i] for i in common], [right[i] for i in common]


def _not_counted(rows: Sequence[ComparisonRow], n_items: int) -> Iterator[str]:
    """How many items are compared where not all count on both sides."""
    metrics: dict[int, list[str]] = {}
    for row in rows:
        if row.difference.n < n_items and load_metric(row.metric).about.family != "robustness":
            metrics.setdefault(row.difference.n, []).append(row.metric)
    for n_counted, names in metrics.items():
        yield f"{n_counted} of {n_items} paired items count on both sides for {', '.join(names)}"


def _warnings(a: Evaluation, b: Evaluation, pairs: Sequence[tuple[Item, Item]]) -> Iterator[str]:
    """What a reader must be told before believing a difference."""
    n_common = len(pairs)
    if n_others := sum(x.prompt != y.prompt and x.label != y.label for x, y in pairs):
        yield (
            f"{n_others} of {n_common} items have another question and another true answer on the "
            "two sides, though their ids are alike: are these the same items?"
        )
    if len(a.items) != len(b.items):
        yield (
            f"'{a.result.name}' has {len(a.items)} items and '{b.result.name}' {len(b.items)}; "
            f"the {n_common} common ones are compared"
        )
    if a.result.template_hash != b.result.template_hash:
        yield "the two used different chat templates: their prompts differ"
    if a.result.config.get("max_new_tokens") != b.result.config.get("max_new_tokens"):
        yield "the two were allowed answers of different length (max_new_tokens)"
    first, second = a.result.task, b.result.task
    if first is not None and second is not None:
        if first.protocol != second.protocol:
            yield f"the two were asked differently: {first.protocol} and {second.protocol}"
        if first.precision != second.precision:
            yield f"the two worked in {first.precision} and in {second.precision}"
    for side in (a, b):
        for early in (note for note in side.result.notes if note.startswith(UNTIL_DECIDED)):
            yield (
                f"'{side.result.name}' was {early}; p and intervals are those of a number of items "
                "fixed beforehand, so trust what the decision says and not how clear it looks"
            )
        if temperature := side.result.config.get("temperature"):
            yield (
                f"'{side.result.name}' drew its answers at random (temperature {temperature:g}): "
                "the intervals do not cover what another draw would give"
            )


def _metrics(a: Evaluation, b: Evaluation, asked: Sequence[str] | None) -> list[str]:
    common = [name for name in a.result.metrics if name in b.result.metrics]
    for name in asked or ():
        if name not in common:
            raise UsageError(
                f"Not both evaluations have the metric '{name}'.", mend=did_you_mean(name, common)
            )
    return list(asked) if asked else [name for name in common if name != WHOLE_SEQUENCE]


def _compare_metric(
    name: str, a: Sequence[Item], b: Sequence[Item], seed: int
) -> tuple[Estimate, Estimate, PairedComparison] | None:
    """Both sides and their difference over the items that count on both.

    None where there is none, and for what is no single figure.
    """
    measure = load_metric(name)
    left, right = counted_pairs(measure, a, b)
    if not left:
        return None
    clusters = clusters_of(left)
    first = measure.estimate(left, clusters=clusters, seed=seed)
    second = measure.estimate(right, clusters=clusters, seed=seed)
    paired = measure.compare(left, right, clusters=clusters, seed=seed)
    return None if first is None or second is None or paired is None else (first, second, paired)


def counted_pairs(
    measure: Metric, a: Sequence[Item], b: Sequence[Item]
) -> tuple[list[Item], list[Item]]:
    """Of paired items those that the metric is about and that count on both sides."""
    pairs = zip(items_for(measure, a), items_for(measure, b), strict=True)
    both = [(x, y) for x, y in pairs if measure.missing(x) is None and measure.missing(y) is None]
    return [x for x, _ in both], [y for _, y in both]


def _row(
    name: str, a: Estimate, b: Estimate, paired: PairedComparison, p_holm: float
) -> ComparisonRow:
    measure = load_metric(name)
    up = measure.about.higher_is_better
    verdict: Verdict = "unclear"
    if up is not None and paired.difference.excludes(0.0) and paired.p_value < ALPHA:
        verdict = "better" if (paired.difference.value > 0) == up else "worse"
    return ComparisonRow(
        metric=name,
        unit=measure.about.unit,
        higher_is_better=up,
        is_binary=measure.is_binary,
        a=a,
        b=b,
        difference=paired.difference,
        test=paired.test,
        p_value=paired.p_value,
        p_holm=p_holm,
        n_improved=paired.n_lower if up is False else paired.n_higher,
        n_worsened=paired.n_higher if up is False else paired.n_lower,
        n_equal=paired.n_equal,
        detectable=paired.detectable,
        verdict=verdict,
    )


def _flips(
    metric: str, pairs: Sequence[tuple[Item, Item]]
) -> tuple[tuple[Flip, ...], tuple[Flip, ...]]:
    up = load_metric(metric).about.higher_is_better
    improved: list[Flip] = []
    worsened: list[Flip] = []
    if up is None:
        return (), ()
    for x, y in pairs:
        before, after = x.grades.get(metric), y.grades.get(metric)
        if before is None or after is None or before == after:
            continue
        flip = Flip(
            x.id, x.source, x.group, x.prompt, x.label or "", x.predict or "", y.predict or ""
        )
        (improved if (after > before) == up else worsened).append(flip)
    return tuple(improved), tuple(worsened)


def model_text(result: EvaluationResult) -> str:
    """The model as a person named it; a run's adapter is part of the run."""
    if result.adapter is None or result.model.startswith("run:"):
        return result.model
    return f"{result.model} + {result.adapter}"
