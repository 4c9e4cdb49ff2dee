"""How far answered numbers are from the true ones. An answer without a number is unscored.

So is one further off than any float squared can hold, which a model that runs wild does write: it
would leave no figure of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfSums, PerItem
from tuneval.evaluation.metric import About, Unscored
from tuneval.evaluation.values.read import NumberPair, numbers_of

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats


FURTHEST = 1e100
"""An error, or a number, beyond which squares and their sums are no numbers any more."""
TOO_FAR = "the number is too large to be squared"


def _pair(item: Item) -> NumberPair | Unscored:
    found = numbers_of(item)
    if isinstance(found, NumberPair) and max(map(abs, found)) > FURTHEST:
        return Unscored(TOO_FAR)
    return found


def _reason(item: Item) -> str | None:
    found = _pair(item)
    return found.reason if isinstance(found, Unscored) else None


def _graded(loss: Callable[[float], float]) -> Callable[[Item], float | Unscored]:
    def score(item: Item) -> float | Unscored:
        found = _pair(item)
        return found if isinstance(found, Unscored) else loss(found.said - found.true)

    return score


def _pairs(items: Sequence[Item]) -> Floats:
    """The answered and the true numbers, (n, 2)."""
    import numpy as np

    found = [_pair(item) for item in items]
    return np.array([pair for pair in found if isinstance(pair, NumberPair)], dtype=np.float64)


def _squares(items: Sequence[Item]) -> Floats:
    import numpy as np

    said, true = _pairs(items).T
    return np.column_stack([(said - true) ** 2, np.ones_like(true)])


def _root_mean(sums: Floats) -> Floats:
    import numpy as np

    return np.asarray(np.sqrt(sums[..., 0] / sums[..., 1]))


def _spreads(items: Sequence[Item]) -> Floats:
    """Squared error, and the sums of which the references' spread is made; nothing without any."""
    import numpy as np

    said, true = _pairs(items).T
    scale = float(np.abs(true).max())
    if np.ptp(true) <= 1e-12 * scale:
        return np.empty((len(items), 0))
    # Around the mean, so that the difference of two large sums is not taken.
    centred = true - true.mean()
    return np.column_stack([(said - true) ** 2, centred**2, centred, np.ones_like(true)])


def _determination(sums: Floats) -> Floats:
    """1 - residual / total; nan for a resample in which the references do not vary."""
    import numpy as np

    errors, squares, total, n = np.moveaxis(sums, -1, 0)
    spread = squares - total**2 / n
    varies = spread > 1e-9 * np.maximum(squares, 1e-300)
    return np.asarray(1 - errors / np.where(varies, spread, np.nan))


_MSE = About(
    name="mse",
    family="regression",
    unit="",
    higher_is_better=False,
    range=(0.0, float("inf")),
    needs=("number",),
    source="mean squared error; Gauss (1809)",
    use="where a large error is far worse than several small ones",
    avoid="to tell a reader how wrong answers are: it is in squared units; use rmse or mae",
)
MSE = PerItem(about=_MSE, score=_graded(lambda error: error * error))
RMSE = OfSums(
    about=replace(
        _MSE,
        name="rmse",
        source="square root of the mean squared error",
        use="as the size of a typical error in the numbers' own unit, large ones weighing more",
        avoid="where a few wild answers decide it: see mae beside it",
    ),
    reason=_reason,
    columns=_squares,
    statistic=_root_mean,
)
MAE = PerItem(
    about=replace(
        _MSE,
        name="mae",
        source="mean absolute error; Laplace (1774)",
        use="as the mean size of an error in the numbers' own unit",
        avoid="where large errors must weigh more",
    ),
    score=_graded(abs),
)
R2 = OfSums(
    about=replace(
        _MSE,
        name="r2",
        higher_is_better=True,
        range=(float("-inf"), 1.0),
        source="1 - squared error / squared distance from the references' mean; Wright (1921)",
        use="to compare tasks whose numbers differ in size: 0 is the mean of all as the answer",
        avoid="between sets: it rises with the references' spread, and is not defined without any",
    ),
    reason=_reason,
    columns=_spreads,
    statistic=_determination,
)
