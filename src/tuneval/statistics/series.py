"""Figures of a series in time, whose values hang together with those just before them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from tuneval.errors import StatisticsError
from tuneval.statistics.estimate import Estimate
from tuneval.statistics.paired import PairedComparison
from tuneval.statistics.power import smallest_detectable_mean_difference
from tuneval.statistics.sample import Floats, finite_numbers, two_sided_z

N_RESAMPLES = 10_000
_CELLS_AT_ONCE = 2_000_000
_CELLS_IN_CACHE = 65_536
_LEAST = 8
"""Periods below which a series does not tell how it hangs together."""

PathStatistic = Callable[[Floats], Floats]
"""Series (..., n), in order, to the figure (...)."""


def newey_west(values: Floats, *, lags: int | None = None) -> float:
    """Long-run variance of a series of mean 0: that of its mean times n. Newey and West (1987).

    `lags` None takes floor(4 (n/100)^(2/9)), their own rule (1994).
    """
    n = len(values)
    depth = min(n - 1, math.floor(4 * (n / 100) ** (2 / 9)) if lags is None else lags)
    variance = float(values @ values) / n
    for lag in range(1, depth + 1):
        variance += 2 * (1 - lag / (depth + 1)) * float(values[lag:] @ values[:-lag]) / n
    return variance


def sharpe_ratio(returns: ArrayLike, *, periods: float = 1.0, level: float = 0.95) -> Estimate:
    """Mean over standard deviation of a series of excess returns, times sqrt(periods in a year).

    Interval: Lo (2002), the standard error by generalised moments with Newey and West's variance,
    so that it holds for returns that are skewed, fat-tailed or autocorrelated; for independent
    normal ones it comes to sqrt((1 + S²/2) / n). No interval below 8 periods. Raises
    StatisticsError when the returns never vary.
    """
    numbers = finite_numbers(returns, name="returns")
    value, terms = _sharpe_terms(numbers)
    scale = math.sqrt(periods)
    return _around(value * scale, terms * scale, level, "Lo, Newey-West")


def sharpe_difference(
    a: ArrayLike, b: ArrayLike, *, periods: float = 1.0, level: float = 0.95
) -> PairedComparison:
    """The Sharpe ratio of `b` less that of `a` over the same periods. Ledoit and Wolf (2008).

    Their interval and test with Newey and West's variance of the paired series.
    """
    first, second = _pair(a, b)
    scale = math.sqrt(periods)
    (value_a, terms_a), (value_b, terms_b) = _sharpe_terms(first), _sharpe_terms(second)
    terms = (terms_b - terms_a) * scale
    difference = _around((value_b - value_a) * scale, terms, level, "Ledoit-Wolf")
    error = _error_of_mean(terms)
    p_value = 1.0 if error is None else 2 * float(ndtr(-abs(difference.value) / error))
    return _compared(first, second, difference, "Ledoit-Wolf", p_value, error, level)


def path_estimate(
    series: ArrayLike,
    statistic: PathStatistic,
    *,
    seed: int,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
    unit: str = "",
) -> Estimate:
    """A figure of the whole path, with the percentiles of paths drawn anew in blocks.

    The stationary bootstrap of Politis and Romano (1994), blocks of n^(1/3) periods on average:
    what else such a series could have come to. No interval below 8 periods.
    """
    numbers = finite_numbers(series, name="returns")
    n = len(numbers)
    value = float(statistic(numbers))
    if n < _LEAST:
        return Estimate(value, None, None, level, f"none: {n} periods", n, unit=unit)
    paths = np.concatenate(
        [statistic(numbers.take(places)) for places in _block_places(n, n_resamples, seed)]
    )
    low, high = _percentiles(paths, level)
    return Estimate(value, low, high, level, "stationary bootstrap", n, unit=unit)


def path_difference(
    a: ArrayLike,
    b: ArrayLike,
    statistic: PathStatistic,
    *,
    seed: int,
    level: float = 0.95,
    n_resamples: int = N_RESAMPLES,
    unit: str = "",
) -> PairedComparison:
    """The figure of `b` less that of `a`, the same periods drawn for both.

    The p-value is twice the share of drawn paths on the far side of 0.
    """
    first, second = _pair(a, b)
    n, value = len(first), float(statistic(second) - statistic(first))
    if n < _LEAST:
        none = Estimate(value, None, None, level, f"none: {n} periods", n, unit=unit)
        return _compared(first, second, none, "stationary bootstrap", 1.0, None, level)
    gaps = np.concatenate(
        [
            statistic(second.take(places)) - statistic(first.take(places))
            for places in _block_places(n, n_resamples, seed)
        ]
    )
    beyond = min(int((gaps <= 0).sum()), int((gaps >= 0).sum()))
    p_value = min(1.0, 2 * (beyond + 1) / (len(gaps) + 1))
    error = float(gaps.std())
    if error <= 1e-12:
        none = Estimate(value, None, None, level, "none: no spread", n, unit=unit)
        return _compared(first, second, none, "stationary bootstrap", p_value, None, level)
    low, high = _percentiles(gaps, level)
    estimate = Estimate(value, low, high, level, "stationary bootstrap", n, unit=unit)
    return _compared(first, second, estimate, "stationary bootstrap", p_value, error, level)


def _sharpe_terms(numbers: Floats) -> tuple[float, Floats]:
    """The ratio, and each period's influence on it (n,), of mean 0."""
    spread = float(numbers.std(ddof=1)) if len(numbers) > 1 else 0.0
    if spread <= 1e-12 * max(1e-300, float(np.abs(numbers).max())):
        raise StatisticsError(
            "The returns never vary: they have no Sharpe ratio.", mend="give more periods"
        )
    value = float(numbers.mean()) / spread
    standard = (numbers - numbers.mean()) / numbers.std()
    return value, standard - value / 2 * (standard**2 - 1)


def _error_of_mean(terms: Floats) -> float | None:
    if len(terms) < _LEAST:
        return None
    variance = newey_west(terms)
    return math.sqrt(variance / len(terms)) if variance > 1e-24 else None


def _around(value: float, terms: Floats, level: float, method: str) -> Estimate:
    error, n = _error_of_mean(terms), len(terms)
    if error is None:
        why = f"none: {n} periods" if n < _LEAST else "none: no spread"
        return Estimate(value, None, None, level, why, n, unit="")
    reach = two_sided_z(level) * error
    return Estimate(value, value - reach, value + reach, level, method, n, unit="")


def _compared(
    first: Floats,
    second: Floats,
    difference: Estimate,
    test: str,
    p_value: float,
    error: float | None,
    level: float,
) -> PairedComparison:
    higher, lower = int((second > first).sum()), int((second < first).sum())
    return PairedComparison(
        difference=difference,
        test=test,
        p_value=p_value,
        n_higher=higher,
        n_lower=lower,
        n_equal=len(first) - higher - lower,
        detectable=None
        if error is None
        else smallest_detectable_mean_difference(error, level=level),
    )


def _block_places(n: int, n_resamples: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Which periods each drawn path is made of, (rows, n): runs that go round the end."""
    random = np.random.default_rng(seed)
    rows_at_once = max(1, _CELLS_AT_ONCE // n)
    rows_in_cache = max(1, _CELLS_IN_CACHE // n)
    for start in range(0, n_resamples, rows_at_once):
        rows = min(rows_at_once, n_resamples - start)
        begins = random.random((rows, n)) < n ** (-1 / 3)
        begins[:, 0] = True
        drawn = random.integers(0, n, size=(rows, n), dtype=np.int32)
        for part in range(0, rows, rows_in_cache):
            yield _runs(begins[part : part + rows_in_cache], drawn[part : part + rows_in_cache])


def _runs(begins: NDArray[np.bool_], drawn: NDArray[np.int32]) -> NDArray[np.intp]:
    """From where a run begins the places follow one another from the drawn one on."""
    rows, n = begins.shape
    starts = np.flatnonzero(begins)
    shifts = drawn.ravel()[starts] - starts % n
    lengths = np.diff(starts, append=rows * n)
    places = np.repeat(shifts, lengths).reshape(rows, n) + np.arange(n)
    places[places >= n] -= n
    return places


def _percentiles(values: Floats, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
    first, second = (
        finite_numbers(a, name="first returns"),
        finite_numbers(b, name="second returns"),
    )
    if len(first) != len(second):
        raise StatisticsError(
            f"{len(first)} periods cannot be paired with {len(second)}.",
            mend="keep the periods that both systems have a return for",
        )
    return first, second
