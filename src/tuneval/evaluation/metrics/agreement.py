"""Agreement of verdicts beyond chance: what a judge says against what people said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfSums
from tuneval.evaluation.kinds.per_item import NO_REFERENCE, NOT_ANSWERED
from tuneval.evaluation.metric import About

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats

NO_VERDICT = ""


def _missing(item: Item) -> str | None:
    if item.label is None:
        return NO_REFERENCE
    if item.said is None and item.predict is None:
        return item.skipped.get("generated", NOT_ANSWERED)
    return None


def _pairs(items: Sequence[Item]) -> Floats:
    """Which pair of true and said verdict each item is, (n, k²) of 0 and 1.

    What could not be read is a verdict of its own, which no true one agrees with.
    """
    import numpy as np

    pairs = [(item.label or NO_VERDICT, item.said or NO_VERDICT) for item in items]
    verdicts = sorted({verdict for pair in pairs for verdict in pair})
    place = {verdict: number for number, verdict in enumerate(verdicts)}
    found = np.zeros((len(items), len(verdicts) ** 2))
    for row, (true, said) in enumerate(pairs):
        found[row, place[true] * len(verdicts) + place[said]] = 1.0
    return found


def _kappa(sums: Floats) -> Floats:
    """(seen - expected) / (1 - expected); 0 where only one verdict is ever given."""
    import numpy as np

    k = round(sums.shape[-1] ** 0.5)
    table = sums.reshape(*sums.shape[:-1], k, k)
    shares = table / table.sum(axis=(-2, -1), keepdims=True)
    seen = np.trace(shares, axis1=-2, axis2=-1)
    expected = (shares.sum(axis=-1) * shares.sum(axis=-2)).sum(axis=-1)
    room = 1 - expected
    varies = room > 1e-12
    return np.where(varies, (seen - expected) / np.where(varies, room, 1.0), 0.0)


COHEN_KAPPA = OfSums(
    about=About(
        name="cohen_kappa",
        family="classification",
        unit="",
        higher_is_better=True,
        range=(-1.0, 1.0),
        needs=("label",),
        source="Cohen (1960): agreement beyond what the two shares of each verdict give by chance",
        use="to say how far a judge agrees with people when one verdict is common",
        avoid="between sets with other shares of verdicts: kappa falls when one verdict is rare",
    ),
    reason=_missing,
    columns=_pairs,
    statistic=_kappa,
)
