"""McNemar's test on the items that exactly one of two systems gets right, and its exact power."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, gammaln, ndtri, xlog1py, xlogy

from tuneval.errors import StatisticsError

EXACT_BELOW = 25
"""Flipped items below which the test is exact, and mid-p from there on."""
_FARTHEST = 7.0
"""Standard deviations beyond which an outcome counts for nothing."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """A p-value, two-sided, that two systems are equally good, and the test it comes from."""

    p_value: float
    method: str


def mcnemar(
    gained: int, lost: int, *, method: Literal["auto", "exact", "mid-p"] = "auto"
) -> PairedTest:
    """McNemar's test on the items that flipped; exact binomial, or mid-p when there are many.

    Mid-p: Fagerland, Lydersen and Laake (2013). The p-value is 1 when nothing flipped.
    """
    n, fewer = gained + lost, min(gained, lost)
    if fewer < 0:
        raise StatisticsError(f"{gained} gained and {lost} lost cannot be.")
    if method == "auto":
        method = "exact" if n < EXACT_BELOW else "mid-p"
    if n == 0:
        return PairedTest(1.0, f"McNemar {method}")
    p_value = 2 * float(bdtr(fewer, n, 0.5))
    if method == "mid-p":
        p_value -= float(bdtr(fewer, n, 0.5) - (bdtr(fewer - 1, n, 0.5) if fewer else 0.0))
    return PairedTest(min(1.0, p_value), f"McNemar {method}")


def mcnemar_power(n: int, *, discordance: float, difference: float, level: float = 0.95) -> float:
    """How often `mcnemar` on n items finds a true difference: the sum over all outcomes.

    `discordance` is the share of items that flip; of those (1 + difference / discordance) / 2
    flip one way.
    """
    if discordance <= 0:
        return 0.0
    spread = math.sqrt(n * discordance * (1 - discordance))
    least = max(1, math.floor(n * discordance - _FARTHEST * spread - 1))
    flipped = np.arange(least, min(n, math.ceil(n * discordance + _FARTHEST * spread + 1)) + 1)
    chance = np.exp(
        gammaln(n + 1) - gammaln(flipped + 1) - gammaln(n - flipped + 1)
        + xlogy(flipped, discordance) + xlog1py(n - flipped, -discordance)
    )  # fmt: skip
    most = _most_the_other_way(1 << (n - 1).bit_length(), 1 - level)[flipped]
    some = most >= 0
    down = (1 - abs(difference) / discordance) / 2
    found = np.zeros(len(flipped))
    for share in (down, 1 - down):
        found[some] += bdtr(most[some], flipped[some], share)
    return float(chance @ found)


@lru_cache(maxsize=32)
def _most_the_other_way(n: int, alpha: float) -> NDArray[np.float64]:
    """Of 0 to n flipped items the most that may flip the rarer way where p is below alpha.

    -1 where p never is.
    """
    flipped = np.arange(n + 1)
    about = np.floor(flipped / 2 + float(ndtri(alpha / 2)) * np.sqrt(flipped) / 2)
    found = np.full(n + 1, -1.0)
    for step in range(-3, 4):  # the normal value is off by one or two
        tried = about + step
        upto = np.where(tried >= 0, bdtr(np.maximum(tried, 0), flipped, 0.5), 0.0)
        below = np.where(tried >= 1, bdtr(np.maximum(tried - 1, 0), flipped, 0.5), 0.0)
        p_value = np.where(flipped < EXACT_BELOW, 2 * upto, upto + below)
        is_found = (tried >= 0) & (p_value < alpha)
        found = np.where(is_found, np.maximum(found, tried), found)
    return found
