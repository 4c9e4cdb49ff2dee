"""A grade for every item, and the mean of the grades."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.metric import About, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters, Floats

BOOTSTRAP_UP_TO = 2_000
"""Items above which Student's interval of a mean is as good as a bootstrap, and instant."""
NOT_ANSWERED, NO_REFERENCE = "not answered", "no reference answer"

Score = Callable[["Item"], float | Unscored]
Batch = Callable[[Sequence["Item"]], Sequence[Mapping[str, float | Unscored]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerItem:
    """`score(item)` grades one item; the figure is the mean. Binary grades are 0.0 or 1.0.

    Where grading all items together is faster, `batch` gives the grades of each item by metric,
    those of other metrics that share the same function included; `score` stays true for one.
    `parts` names the metrics whose grades `score` asks an item for.
    """

    about: About
    score: Score
    is_binary: bool = False
    batch: Batch | None = None
    parts: tuple[str, ...] = ()

    def value(self, item: Item) -> float | Unscored:
        """The item's grade: as it was graded, else graded now."""
        name = self.about.name
        if name in item.grades:
            return item.grades[name]
        return Unscored(item.unscored[name]) if name in item.unscored else self.score(item)

    def known(self, item: Item) -> float:
        """The grade of an item that has one: ask `missing` first."""
        value = self.value(item)
        if isinstance(value, Unscored):
            raise ValueError(f"item {item.id} has no {self.about.name}: {value.reason}")
        return value

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        value = self.value(item)
        return value.reason if isinstance(value, Unscored) else None

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate:
        """As in `Metric`: Wilson for right or wrong, bootstrap or Student's t for others."""
        from tuneval.statistics.mean import bootstrap_mean, t_mean
        from tuneval.statistics.proportion import clustered_wilson, wilson

        values = self.values(items)
        if self.is_binary:
            if clusters is None:
                return wilson(round(values.sum()), len(values), level=level)
            return clustered_wilson(values, clusters=clusters, level=level)
        if len(values) > BOOTSTRAP_UP_TO:
            mean = t_mean(values, clusters=clusters, level=level, unit=self.about.unit)
            return mean.within(*self.about.range)
        return bootstrap_mean(
            values, seed=seed, clusters=clusters, level=level, unit=self.about.unit
        )

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison:
        """As in `Metric`."""
        from tuneval.statistics.paired import paired_comparison

        return paired_comparison(
            self.values(a),
            self.values(b),
            binary=self.is_binary,
            seed=seed,
            clusters=clusters,
            level=level,
            unit=self.about.unit,
        )

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any] | None:
        """As in `Metric`: nothing."""
        return None

    def values(self, items: Sequence[Item]) -> Floats:
        """The grades of items that count, (n,)."""
        import numpy as np

        values = [self.value(item) for item in items]
        return np.array([v for v in values if not isinstance(v, Unscored)], dtype=np.float64)


def of_texts(
    about: About,
    score: Callable[[str, str], float | Unscored],
    *,
    is_binary: bool = False,
    batch: Batch | None = None,
) -> PerItem:
    """A metric of an answer's text and the reference's: `score(prediction, reference)`.

    Of several references the one counts that gives the best grade.
    """
    best = min if about.higher_is_better is False else max

    def score_item(item: Item) -> float | Unscored:
        reason = lacks_texts(item)
        if reason is not None:
            return Unscored(reason)
        prediction, references = texts_of(item)
        found = [score(prediction, reference) for reference in references]
        grades = [grade for grade in found if not isinstance(grade, Unscored)]
        return best(grades) if grades else found[0]

    return PerItem(about=about, score=score_item, is_binary=is_binary, batch=batch)


def lacks_answer(item: Item) -> str | None:
    """Why there is no answer's text; None where there is."""
    return item.skipped.get("generated", NOT_ANSWERED) if item.predict is None else None


def lacks_texts(item: Item) -> str | None:
    """Why the answer's text or the reference's is missing; None where both are there."""
    return lacks_answer(item) or (None if references_of(item) else NO_REFERENCE)


def references_of(item: Item) -> tuple[str, ...]:
    """The texts each of which would be right: the field `references`, else the one reference."""
    given = item.fields.get("references")
    texts = [text for text in given if isinstance(text, str)] if isinstance(given, list) else []
    return tuple(dict.fromkeys(texts)) or (() if item.label is None else (item.label,))


def texts_of(item: Item) -> tuple[str, tuple[str, ...]]:
    """The answer's text and those of the references, of an item that has them."""
    references = references_of(item)
    if item.predict is None or not references:
        raise ValueError(f"item {item.id} lacks a text; ask `missing` first")
    return item.predict, references
