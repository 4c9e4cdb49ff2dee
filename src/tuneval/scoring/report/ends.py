"""The examples at the ends of each measure, with their texts where the set still has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tuneval.data.example import Example
from tuneval.errors import TunevalError
from tuneval.pages.text import Text, clipped
from tuneval.scoring.report.measures import MeasureFacts
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scores import Scores

SHOWN = 3
_MOST_CHARACTERS = 320


@dataclass(frozen=True, slots=True)
class Sight:
    """An example with its value; `turns` are roles and clipped texts, empty when it is gone."""

    id: str
    where: str
    value: float
    turns: tuple[tuple[str, str], ...] = ()
    n_earlier: int = 0


@dataclass(frozen=True, slots=True)
class Ends:
    """The examples with a measure's lowest and highest values, the outermost first."""

    lowest: tuple[Sight, ...]
    highest: tuple[Sight, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def find_ends(
    scores: Scores, measures: Sequence[MeasureFacts]
) -> tuple[dict[str, Ends], Text | None]:
    """The ends of each measure that has values, and what is to be said of missing texts."""
    places = {m.name: _outermost(m) for m in measures if m.account.scored}
    shown = {scores.rows[p].id for pair in places.values() for side in pair for p in side}
    examples, remark = _examples(scores, shown)
    values = {m.name: m.values for m in measures}
    found = {}
    for name, pair in places.items():
        lowest, highest = (
            tuple(_sight(scores.rows[p], float(values[name][p]), examples) for p in side)
            for side in pair
        )
        found[name] = Ends(lowest, highest)
    return found, remark


def _outermost(measure: MeasureFacts) -> tuple[list[int], list[int]]:
    """Rows with the lowest and with the highest values, no row in both."""
    known = np.flatnonzero(np.isfinite(measure.values))
    order = known[np.argsort(measure.values[known], kind="stable")].tolist()
    n_low = min(SHOWN, (len(order) + 1) // 2)
    rest = order[n_low:]
    return order[:n_low], rest[-SHOWN:][::-1]


def _examples(scores: Scores, wanted: set[str]) -> tuple[Mapping[str, Example], Text | None]:
    if not wanted:
        return {}, None
    try:
        examples = scores.examples()
    except (TunevalError, KeyError) as error:
        said = error.what if isinstance(error, TunevalError) else "the card does not say where"
        return {}, Text(
            f"The data set cannot be read now, so that examples stand without their texts: {said}",
            f"数据集目前无法读取，因此示例不含文本：{said}",
        )
    n_gone = len(wanted - examples.keys())
    if not n_gone:
        return examples, None
    return examples, Text(
        f"The data set has changed since it was scored: {n_gone} of the {len(wanted)} examples "
        "shown are no longer in it and stand without their texts.",
        f"数据集在评分之后有改动：所列 {len(wanted)} 个示例中有 {n_gone} 个已不在其中，"
        "故不含文本。",
    )


def _sight(row: ScoreRow, value: float, examples: Mapping[str, Example]) -> Sight:
    example = examples.get(row.id)
    if example is None:
        return Sight(row.id, row.where, value)
    last = example.messages[-2:]
    turns = tuple((turn.role, clipped(turn.content, _MOST_CHARACTERS)) for turn in last)
    return Sight(row.id, row.where, value, turns, len(example.messages) - len(last))
