"""What a series of returns comes to; an item is a period, in the order of the file.

The field `return` is that of the period as a share: 0.01 is one per cent. Items form one series,
and hang together by time; their groups play no part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tuneval.errors import UsageError
from tuneval.evaluation.kinds import OfArgument
from tuneval.evaluation.metric import About
from tuneval.evaluation.values.read import as_number

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters, Floats

LARGEST = 1e3
"""A thousand times the stake in one period: beyond it a series soon leaves what floats hold."""

Curve = Callable[["Floats"], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfReturns:
    """What metrics of a series of returns have alike."""

    about: About
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        return _why_no_return(item)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfPath(OfReturns):
    """`statistic` of the returns in order, (..., n) to (...); its interval by drawing blocks."""

    statistic: Callable[[Floats], Floats]
    curve: Curve

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`."""
        from tuneval.statistics.series import path_estimate

        return path_estimate(
            _returns(items), self.statistic, seed=seed, level=level, unit=self.about.unit
        )

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison | None:
        """As in `Metric`."""
        from tuneval.statistics.series import path_difference

        return path_difference(
            _returns(a),
            _returns(b),
            self.statistic,
            seed=seed,
            level=level,
            unit=self.about.unit,
        )

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any]:
        """As in `Metric`."""
        return self.curve(_returns(items))


@dataclass(frozen=True, slots=True, kw_only=True)
class SharpeRatio(OfReturns):
    """The Sharpe ratio for so many periods in a year; 1: of the single period."""

    periods: float

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`; None where the returns never vary."""
        from tuneval.statistics.series import sharpe_ratio

        returns = _returns(items)
        if not _varies(returns):
            return None
        return sharpe_ratio(returns, periods=self.periods, level=level)

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison | None:
        """As in `Metric`."""
        from tuneval.statistics.series import sharpe_difference

        first, second = _returns(a), _returns(b)
        if not (_varies(first) and _varies(second)):
            return None
        return sharpe_difference(first, second, periods=self.periods, level=level)

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any]:
        """Mean and standard deviation of the returns, as they are."""
        returns = _returns(items)
        spread = float(returns.std(ddof=1)) if len(returns) > 1 else None
        return {
            "mean": float(returns.mean()),
            "standard_deviation": spread,
            "periods_in_a_year": self.periods,
        }


def sharpe(periods: str) -> SharpeRatio:
    """The Sharpe ratio for so many periods in a year. Raises UsageError for no number."""
    number = as_number(periods)
    if number is None or number <= 0:
        raise UsageError(
            f"'{periods}' is no number of periods in a year.",
            where=f"sharpe_ratio:{periods}",
            mend="write sharpe_ratio:252 for days of trading, or sharpe_ratio:12 for months",
        )
    return SharpeRatio(about=replace(_SHARPE, name=f"sharpe_ratio:{periods}"), periods=number)


def cumulative_return(returns: Floats) -> Floats:
    """What one unit gains over all periods, (..., n) to (...)."""
    import numpy as np

    return np.asarray(np.prod(1 + returns, axis=-1) - 1)


def max_drawdown(returns: Floats) -> Floats:
    """The largest loss since a peak as a share of it, the start being a peak; (..., n) to (...)."""
    import numpy as np

    return np.asarray(1 - _shares_of_peak(returns).min(axis=-1))


def _shares_of_peak(returns: Floats) -> Floats:
    """What is left of the highest value so far, (..., n)."""
    import numpy as np

    wealth = np.cumprod(1 + returns, axis=-1)
    peaks = np.maximum.accumulate(wealth, axis=-1)
    np.maximum(peaks, 1.0, out=peaks)
    return np.asarray(np.divide(wealth, peaks, out=wealth))


def _wealth_curve(returns: Floats) -> Mapping[str, Any]:
    import numpy as np

    return {"cumulative": (np.cumprod(1 + returns) - 1).tolist()}


def _drawdown_curve(returns: Floats) -> Mapping[str, Any]:
    drawdowns = 1 - _shares_of_peak(returns)
    return {"drawdown": drawdowns.tolist(), "deepest_at": int(drawdowns.argmax())}


def _why_no_return(item: Item) -> str | None:
    number = as_number(item.fields.get("return"))
    if number is None:
        return "no return"
    if number < -1:
        return "a return below -100%"
    return None if number <= LARGEST else "a return above any that can be multiplied"


def _returns(items: Sequence[Item]) -> Floats:
    import numpy as np

    return np.array([as_number(item.fields["return"]) for item in items], dtype=np.float64)


def _varies(returns: Floats) -> bool:
    import numpy as np

    return len(returns) > 1 and bool(np.ptp(returns) > 1e-12 * np.abs(returns).max())


_CUMULATIVE = About(
    name="cumulative_return",
    family="finance",
    unit="share",
    higher_is_better=True,
    range=(-1.0, float("inf")),
    needs=("returns",),
    source="the product of 1 + return over all periods, less 1; interval by the stationary "
    "bootstrap of Politis and Romano (1994)",
    use="to see what following the answers would have come to",
    avoid="alone: luck and risk do not show; see sharpe_ratio and max_drawdown beside it",
)
_SHARPE = replace(
    _CUMULATIVE,
    name="sharpe_ratio",
    unit="",
    range=(float("-inf"), float("inf")),
    source="mean over standard deviation, times the root of the periods in a year; Sharpe (1966, "
    "1994), interval of Lo (2002)",
    use="for return by risk; give returns in excess of the safe rate",
    avoid="for returns that follow one another: the root of the periods then says too much",
)
CUMULATIVE_RETURN = OfPath(about=_CUMULATIVE, statistic=cumulative_return, curve=_wealth_curve)
SHARPE_RATIO = OfArgument(
    about=_SHARPE, argument="periods in a year", make=sharpe, default="1", example="252"
)
MAX_DRAWDOWN = OfPath(
    about=replace(
        _CUMULATIVE,
        name="max_drawdown",
        higher_is_better=False,
        range=(0.0, 1.0),
        source="the largest fall from a peak so far, as a share of it; Magdon-Ismail et al. (2004)",
        use="for the worst that a holder would have sat through",
        avoid="between series of different length: it can only grow with time",
    ),
    statistic=max_drawdown,
    curve=_drawdown_curve,
)
