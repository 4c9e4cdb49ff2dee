"""What a number of items can show.

Paired designs: two models answer the same items. `discordance` is the share of items that
exactly one of them gets right. Connor (1987) for right or wrong, the normal formula for means.
"""

from __future__ import annotations

import math

from scipy.special import ndtri

from tuneval.errors import StatisticsError
from tuneval.statistics.sample import two_sided_z


def smallest_detectable_difference(
    n: int, *, discordance: float, power: float = 0.8, level: float = 0.95
) -> float | None:
    """The least true difference of two shares that n items reveal with probability `power`.

    None when not even a difference as large as the discordance would be revealed.
    """
    _check(n, power)
    _check_discordance(discordance)
    alpha, beta = two_sided_z(level), float(ndtri(power))
    # The larger root of Connor's formula, solved for the difference.
    under_root = n + beta**2 - alpha**2
    if discordance == 0 or under_root < 0:
        return None
    root = alpha * math.sqrt(n) + beta * math.sqrt(under_root)
    difference = math.sqrt(discordance) * root / (n + beta**2)
    return difference if difference <= discordance else None


def items_needed(
    difference: float, *, discordance: float, power: float = 0.8, level: float = 0.95
) -> int:
    """How many items reveal a true difference of two shares with probability `power`."""
    _check(1, power)
    _check_discordance(discordance)
    size = abs(difference)
    if not 0 < size <= discordance:
        raise StatisticsError(
            f"A difference of {difference} cannot be with a discordance of {discordance}.",
            mend="the difference is at most the share of items that exactly one gets right",
        )
    spread_alone = two_sided_z(level) * math.sqrt(discordance)
    spread_true = float(ndtri(power)) * math.sqrt(max(0.0, discordance - size**2))
    return math.ceil(((spread_alone + spread_true) / size) ** 2)


def smallest_detectable_mean_difference(
    standard_error: float, *, power: float = 0.8, level: float = 0.95
) -> float:
    """The least true difference of two means revealed, from the paired difference's error."""
    _check(1, power)
    return (two_sided_z(level) + float(ndtri(power))) * standard_error


def items_needed_for_mean(
    difference: float, *, standard_deviation: float, power: float = 0.8, level: float = 0.95
) -> int:
    """How many items reveal a true difference of two means; the deviation is of the differences."""
    _check(1, power)
    if difference == 0:
        raise StatisticsError("No number of items reveals a difference of 0.")
    reach = (two_sided_z(level) + float(ndtri(power))) * standard_deviation
    return max(2, math.ceil((reach / difference) ** 2))


def _check(n: int, power: float) -> None:
    if n < 1:
        raise StatisticsError(f"{n} items can show nothing.")
    if not 0.5 <= power < 1:
        raise StatisticsError(f"A power of {power} is not from 0.5 to below 1.", mend="use 0.8")


def _check_discordance(discordance: float) -> None:
    if not 0 <= discordance <= 1:
        raise StatisticsError(f"A discordance of {discordance} is not between 0 and 1.")
