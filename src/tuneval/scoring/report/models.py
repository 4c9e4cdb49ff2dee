"""Two scorings of one set: where they agree, and by how much they differ, example by example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuneval.pages.text import Text, clipped
from tuneval.scoring.report.agreement import Agreement, agreement_of, top_overlap
from tuneval.scoring.report.correlations import Correlation, correlation
from tuneval.scoring.report.measures import (
    Floats,
    MeasureFacts,
    Spread,
    is_logarithmic,
    spread_of,
)
from tuneval.scoring.scorer import Reading
from tuneval.scoring.scores import Scores
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.mean import t_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedMeasure:
    """A measure in both, over the examples that both scored; `a` and `b` are its values there.

    `difference` is second less first: of log-perplexity where `is_log`. `top` is the share of
    the first's highest 20% that are among the second's; 20% of them would be there by chance.
    """

    name: str
    reading: Reading
    a: Floats
    b: Floats
    correlation: Correlation
    is_log: bool
    difference: Estimate
    top: Estimate | None
    agreement: Agreement | None
    spread_a: Spread
    spread_b: Spread

    @property
    def n(self) -> int:
        """Examples that both scored."""
        return len(self.a)

    @property
    def is_same(self) -> bool:
        """Whether every value is the same in both, as of a measure that asks no model."""
        return bool(np.array_equal(self.a, self.b))

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the values."""
        return {
            "n": self.n,
            "spearman": self.correlation.as_dict()["spearman"],
            "difference": self.difference.as_dict(),
            "difference_is_of_logarithms": self.is_log,
            "top_20_overlap": self.top.as_dict() if self.top else None,
            "neutral": self.agreement.as_dict() if self.agreement else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelComparison:
    """The first scores and others. `remarks` say what makes the two hard to compare."""

    a: str
    b: str
    n_common: int
    n_only_a: int
    n_only_b: int
    remarks: tuple[Text, ...]
    measures: tuple[PairedMeasure, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "a": self.a,
            "b": self.b,
            "n_common": self.n_common,
            "n_only_a": self.n_only_a,
            "n_only_b": self.n_only_b,
            "remarks": [remark.en for remark in self.remarks],
            "measures": {measure.name: measure.as_dict() for measure in self.measures},
        }


def labels(all_scores: Sequence[Scores]) -> list[str]:
    """A name for each: its model, with the folder where models are named alike."""
    names = [_model(scores) for scores in all_scores]
    folders = [scores.folder.name for scores in all_scores]
    return [
        name if names.count(name) == 1 else f"{name} ({folder}{_number(folders, place)})"
        for place, (name, folder) in enumerate(zip(names, folders, strict=True))
    ]


def compare_models(
    a: Scores,
    b: Scores,
    names: tuple[str, str],
    facts: tuple[Sequence[MeasureFacts], Sequence[MeasureFacts]],
) -> ModelComparison:
    """Compare measures that both have, over the examples that both scored."""
    places_b = {row.id: place for place, row in enumerate(b.rows)}
    pairs = [(at, places_b[row.id]) for at, row in enumerate(a.rows) if row.id in places_b]
    first, second = [at for at, _ in pairs], [at for _, at in pairs]
    others = {measure.name: measure for measure in facts[1]}
    measures, remarks = [], list(_remarks(a, b, len(pairs)))
    for measure in facts[0]:
        other = others.get(measure.name)
        if other is None:
            continue
        if (other.reading.unit, other.reading.source) != (
            measure.reading.unit,
            measure.reading.source,
        ):
            remarks.append(_of_two_kinds(measure, other))
            continue
        paired = _paired(measure, measure.values[first], other.values[second])
        if paired is not None:
            measures.append(paired)
    return ModelComparison(
        a=names[0],
        b=names[1],
        n_common=len(pairs),
        n_only_a=len(a.rows) - len(pairs),
        n_only_b=len(b.rows) - len(pairs),
        remarks=tuple(remarks),
        measures=tuple(measures),
    )


def _paired(measure: MeasureFacts, a: Floats, b: Floats) -> PairedMeasure | None:
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    unit = measure.reading.unit
    spread_a, spread_b = spread_of(a, unit), spread_of(b, unit)
    if spread_a is None or spread_b is None:
        return None
    is_log = is_logarithmic(np.concatenate([a, b]), unit)
    change = np.log(b) - np.log(a) if is_log else b - a
    neutral = measure.reading.neutral
    return PairedMeasure(
        name=measure.name,
        reading=measure.reading,
        a=a,
        b=b,
        correlation=correlation(measure.name, measure.name, a, b),
        is_log=is_log,
        difference=t_mean(change, unit="share" if unit == "share" else ""),
        top=top_overlap(a, b),
        agreement=None if neutral is None else agreement_of(a, b, neutral, unit),
        spread_a=spread_a,
        spread_b=spread_b,
    )


def _remarks(a: Scores, b: Scores, n_common: int) -> list[Text]:
    remarks = []
    if not n_common:
        remarks.append(Text("The two have no example in common.", "两次评分没有共同的样本。"))
    if a.card.get("data_hash") != b.card.get("data_hash"):
        remarks.append(
            Text(
                "They scored different data; only examples with the same content are compared.",
                "两次评分的数据不同，仅比较内容相同的样本。",
            )
        )
    if a.card.get("prompts_hash") != b.card.get("prompts_hash"):
        remarks.append(
            Text(
                "Their prompts differ: a difference may be the prompts' and not the models'.",
                "两次评分使用的提示模板不同：差异可能来自模板而非模型。",
            )
        )
    if a.card.get("tokenizer_hash") != b.card.get("tokenizer_hash"):
        remarks.append(
            Text(
                "Their tokenizers differ: a perplexity is per token, and their tokens are not the "
                "same. Orders can be compared, levels hardly.",
                "两个模型的分词器不同：困惑度按词元计算，而词元并不相同；可以比较排序，难以比较数值大小。",
            )
        )
    return remarks


def _of_two_kinds(measure: MeasureFacts, other: MeasureFacts) -> Text:
    first, second = (m.reading.source or m.reading.unit for m in (measure, other))
    return Text(
        f"{measure.name} was computed in two ways ({first}; {second}) and is not compared.",
        f"{measure.name} 的计算方式不同（{first}；{second}），不作比较。",
    )


def _model(scores: Scores) -> str:
    model, adapter = scores.card.get("model"), scores.card.get("adapter")
    name = str(model) if model else scores.folder.name
    return clipped(f"{name} + {adapter}" if adapter else name, 200)


def _number(folders: list[str], place: int) -> str:
    """Nothing, or which of several folders of that name it is."""
    if folders.count(folders[place]) == 1:
        return ""
    return f", {folders[: place + 1].count(folders[place])}"
