"""What a reader must be told of a comparison before believing a difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuneval.evaluation.comparing.comparison import UNTIL_DECIDED, ComparisonRow, Evaluation
from tuneval.evaluation.items import Item
from tuneval.evaluation.metrics import load_metric


def warnings_of(a: Evaluation, b: Evaluation, pairs: Sequence[tuple[Item, Item]]) -> Iterator[str]:
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


def not_counted(rows: Sequence[ComparisonRow], n_items: int) -> Iterator[str]:
    """How many items are compared where not all count on both sides."""
    metrics: dict[int, list[str]] = {}
    for row in rows:
        if row.difference.n < n_items and load_metric(row.metric).about.family != "robustness":
            metrics.setdefault(row.difference.n, []).append(row.metric)
    for n_counted, names in metrics.items():
        yield f"{n_counted} of {n_items} paired items count on both sides for {', '.join(names)}"
