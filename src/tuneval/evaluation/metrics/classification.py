"""Whether the answered class is the true one, over all items and class by class.

The classes are those that the references have: an invented one costs its item the recall and, in
a micro average, the precision, but is no class to average over. An answer in which no class can
be read is no prediction: it costs recall and accuracy, not precision. Items with the field
`reference_labels` may have several classes each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from tuneval.evaluation.kinds import OfSums, PerItem, Table
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.values.read import (
    LabelPair,
    LabelSets,
    label_sets_of,
    labels_of,
    list_of,
    plain_label,
)

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats

Figure = Literal["precision", "recall", "f1"]
OTHER, NOTHING_READ = "(another)", "(nothing read)"


def is_right(item: Item) -> float | Unscored:
    """1.0 when the answered class is the true one; a choice when it is one of the right ones."""
    if item.chosen is not None and item.chosen.gold:
        return float(item.chosen.best in item.chosen.gold)
    found = labels_of(item)
    return found if isinstance(found, Unscored) else float(found.said == found.true)


def _why_no_sets(item: Item) -> str | None:
    found = label_sets_of(item, split=False)
    return found.reason if isinstance(found, Unscored) else None


def _why_no_pair(item: Item) -> str | None:
    found = labels_of(item)
    return found.reason if isinstance(found, Unscored) else None


def _sets(items: Sequence[Item]) -> list[LabelSets]:
    found = [label_sets_of(item, split=False) for item in items]
    return [pair for pair in found if isinstance(pair, LabelSets)]


def _counts_by_class(items: Sequence[Item]) -> Floats:
    from tuneval.statistics.classes import label_counts

    pairs = _sets(items)
    return label_counts([pair.said for pair in pairs], [pair.true for pair in pairs])


def _counts(items: Sequence[Item]) -> Floats:
    """Hits, answered and true classes of each item, (n, 3)."""
    import numpy as np

    return np.array(
        [(len(pair.said & pair.true), len(pair.said), len(pair.true)) for pair in _sets(items)],
        dtype=np.float64,
    )


def _micro(figure: Figure) -> Callable[[Floats], Floats]:
    def statistic(sums: Floats) -> Floats:
        import numpy as np

        hits, said, true = np.moveaxis(sums, -1, 0)
        above, below = {
            "precision": (hits, said),
            "recall": (hits, true),
            "f1": (2 * hits, said + true),
        }[figure]
        return np.asarray(above / np.maximum(below, 1))

    return statistic


def _mean(figure: Figure, average: Literal["macro", "weighted"]) -> Callable[[Floats], Floats]:
    def statistic(sums: Floats) -> Floats:
        from tuneval.statistics.classes import macro_mean, per_class_of_sums, weighted_mean

        found = per_class_of_sums(sums)
        mean = macro_mean if average == "macro" else weighted_mean
        return mean(getattr(found, figure), found.support)

    return statistic


def per_class(items: Sequence[Item]) -> dict[str, Any]:
    """Precision, recall, F1 and number of every class, the commonest first."""
    from tuneval.statistics.classes import per_class_of_sums

    pairs = _sets(items)
    spelt = _spellings(items)
    classes = list(dict.fromkeys(label for pair in pairs for label in pair.true))
    if not classes:
        return {"classes": {}}
    found = per_class_of_sums(_counts_by_class(items).sum(axis=0))
    rows = {
        spelt.get(label, label): {
            "precision": float(found.precision[place]),
            "recall": float(found.recall[place]),
            "f1": float(found.f1[place]),
            "n": int(found.support[place]),
        }
        for place, label in enumerate(classes)
    }
    return {"classes": dict(sorted(rows.items(), key=lambda row: (-int(row[1]["n"]), row[0])))}


def confusion(items: Sequence[Item]) -> Mapping[str, Any]:
    """A row for each true class, a column for each answered one, and how often each came about."""
    pairs = [pair for item in items if isinstance(pair := labels_of(item), LabelPair)]
    spelt = _spellings(items)
    classes = sorted({pair.true for pair in pairs}, key=lambda label: spelt.get(label, label))
    counts = Counter((pair.true, _column(pair.said, classes)) for pair in pairs)
    said = {column for _, column in counts}
    columns = [*classes, *(extra for extra in (OTHER, NOTHING_READ) if extra in said)]
    return {
        "classes": [spelt.get(label, label) for label in classes],
        "columns": [spelt.get(label, label) for label in columns],
        "counts": [[counts[true, column] for column in columns] for true in classes],
    }


def _column(said: str | None, classes: Sequence[str]) -> str:
    if said is None:
        return NOTHING_READ
    return said if said in classes else OTHER


def _spellings(items: Sequence[Item]) -> dict[str, str]:
    """How each class is first written in the references, by its plain spelling."""
    written: dict[str, str] = {}
    for item in items:
        for label in (item.label, *list_of(item.fields.get("reference_labels"))):
            if label is not None:
                written.setdefault(plain_label(label), str(label).strip())
    return written


_ACCURACY = About(
    name="accuracy",
    family="classification",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("label",),
    source="share of items whose answered class is the true one, without regard to case, width "
    "and punctuation around it; of a multiple choice, whose likeliest choice is right",
    use="where classes are about equally common, or every item counts alike",
    avoid="with a rare class: the common one alone is right nearly always; see f1_macro",
)
ACCURACY = PerItem(about=_ACCURACY, score=is_right, is_binary=True)

_FORMULA: Mapping[Figure, str] = {
    "precision": "right answers of a class over all answers of it",
    "recall": "right answers of a class over all items of it",
    "f1": "harmonic mean of precision and recall of a class; van Rijsbergen (1979)",
}


def _row(figure: Figure, average: str, *, source: str, use: str, avoid: str) -> OfSums:
    is_micro = average == "micro"
    return OfSums(
        about=replace(
            _ACCURACY,
            name=f"{figure}_{average}",
            source=f"{_FORMULA[figure]}; {source}",
            use=use,
            avoid=avoid,
        ),
        reason=_why_no_sets,
        columns=_counts if is_micro else _counts_by_class,
        statistic=_micro(figure)
        if is_micro
        else _mean(figure, "macro" if average == "macro" else "weighted"),
        table=per_class,
    )


def _micro_row(figure: Figure, use: str) -> OfSums:
    return _row(
        figure,
        "micro",
        source="all classes counted together",
        use=use,
        avoid="where each item has one class and every answer can be read: it is the accuracy",
    )


def _macro_row(figure: Figure, use: str) -> OfSums:
    return _row(
        figure,
        "macro",
        source="the plain mean over the classes that the references have",
        use=use,
        avoid="with classes of a few items each: they move the mean as much as large ones",
    )


def _weighted_row(figure: Figure, use: str) -> OfSums:
    return _row(
        figure,
        "weighted",
        source="the mean over classes, each weighing as many items as it has",
        use=use,
        avoid="to see rare classes: they hardly count; see the macro mean",
    )


PRECISION_MICRO = _micro_row("precision", "where answers may be left open: the share of them right")
PRECISION_MACRO = _macro_row("precision", "where calling a rare class wrongly is what costs")
PRECISION_WEIGHTED = _weighted_row("precision", "for a class-wise precision as common as the data")
RECALL_MICRO = _micro_row("recall", "for items of several classes: the share of classes found")
RECALL_MACRO = _macro_row("recall", "as balanced accuracy: chance is 1 / classes however common")
RECALL_WEIGHTED = _weighted_row(
    "recall", "beside weighted precision; with one class it is accuracy"
)
F1_MICRO = _micro_row("f1", "for items of several classes, or answers that may be left open")
F1_MACRO = _macro_row("f1", "where rare classes matter as much as common ones")
F1_WEIGHTED = _weighted_row("f1", "where classes matter as much as they are common")
CONFUSION_MATRIX = Table(
    about=replace(
        _ACCURACY,
        name="confusion_matrix",
        unit="",
        higher_is_better=None,
        range=(0.0, float("inf")),
        source="how often each true class is answered by each class; Pearson (1904)",
        use="to see which classes are taken for which",
        avoid="as a result: it has no interval, and says nothing on two systems' difference",
    ),
    reason=_why_no_pair,
    table=confusion,
)
