"""What a number of items can show.

Paired designs: two models answer the same items. `discordance` is the share of items that
exactly one of them gets right. Shares: the exact power of McNemar's test as it is made here, and
Connor's formula (1987) for many items. Means: the power of Student's t (noncentral), which for few
items takes a clearly larger difference than the normal formula has it.
"""

from __future__ import annotations

import math

from scipy.optimize import brentq
from scipy.special import nctdtr, ndtri

from tuneval.errors import StatisticsError
from tuneval.statistics.mcnemar import mcnemar_power
from tuneval.statistics.sample import two_sided_t, two_sided_z

EXACT_UP_TO = 1_000
"""Items up to which a share's power is summed over all outcomes."""
_AS_GOOD_AS_NORMAL = 5_000.0


def smallest_detectable_difference(
    n: int, *, discordance: float, power: float = 0.8, level: float = 0.95
) -> float | None:
    """The least true difference of two shares that n items reveal with probability `power`.

    None when not even a difference as large as the discordance would be revealed.
    """
    _check(n, power)
    _check_discordance(discordance)
    if n > EXACT_UP_TO:
        return _connors_difference(n, discordance, power, level)

    def lacking(difference: float) -> float:
        found = mcnemar_power(n, discordance=discordance, difference=difference, level=level)
        return found - power

    if lacking(discordance) < 0:
        return None
    return float(brentq(lacking, 0.0, discordance, xtol=1e-6))


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
    about = math.ceil(((spread_alone + spread_true) / size) ** 2)

    def is_enough(n: int) -> bool:
        return mcnemar_power(n, discordance=discordance, difference=size, level=level) >= power

    if about > EXACT_UP_TO:
        return about
    n = about
    while not is_enough(n):
        n += 1
    while n > 1 and is_enough(n - 1):
        n -= 1
    return n


def smallest_detectable_mean_difference(
    standard_error: float,
    degrees_of_freedom: float | None = None,
    *,
    power: float = 0.8,
    level: float = 0.95,
) -> float:
    """The least true difference of two means revealed, from the paired difference's error.

    `degrees_of_freedom` are those of the error; None where it is as good as known.
    """
    return reach_of_t(degrees_of_freedom, power=power, level=level) * standard_error


def items_needed_for_mean(
    difference: float, *, standard_deviation: float, power: float = 0.8, level: float = 0.95
) -> int:
    """How many items reveal a true difference of two means; the deviation is of the differences."""
    if difference == 0:
        raise StatisticsError("No number of items reveals a difference of 0.")
    size = abs(difference) / standard_deviation
    n = max(2, math.ceil((reach_of_t(None, power=power, level=level) / size) ** 2))
    while reach_of_t(n - 1, power=power, level=level) > size * math.sqrt(n):
        n += 1
    return n


def reach_of_t(degrees_of_freedom: float | None, *, power: float = 0.8, level: float) -> float:
    """How many standard errors a true mean must be from 0 for a t test to find it so often.

    2.80 for many degrees of freedom, 3.76 for 4. None: infinitely many.
    """
    _check(1, power)
    normal = two_sided_z(level) + float(ndtri(power))
    if degrees_of_freedom is None or degrees_of_freedom > _AS_GOOD_AS_NORMAL:
        return normal
    if degrees_of_freedom <= 0:
        raise StatisticsError("An error without a degree of freedom reveals nothing.")
    edge = two_sided_t(level, degrees_of_freedom)

    def lacking(reach: float) -> float:
        return 1 - float(nctdtr(degrees_of_freedom, reach, edge)) - power

    most = 2 * (edge + normal)
    while lacking(most) < 0:
        most *= 2
    return float(brentq(lacking, 0.0, most, xtol=1e-9))


def _connors_difference(n: int, discordance: float, power: float, level: float) -> float | None:
    alpha, beta = two_sided_z(level), float(ndtri(power))
    # The larger root of Connor's formula, solved for the difference.
    under_root = n + beta**2 - alpha**2
    if discordance == 0 or under_root < 0:
        return None
    root = alpha * math.sqrt(n) + beta * math.sqrt(under_root)
    difference = math.sqrt(discordance) * root / (n + beta**2)
    return difference if difference <= discordance else None


def _check(n: int, power: float) -> None:
    if n < 1:
        raise StatisticsError(f"{n} items can show nothing.")
    if not 0.5 <= power < 1:
        raise StatisticsError(f"A power of {power} is not from 0.5 to below 1.", mend="use 0.8")


def _check_discordance(discordance: float) -> None:
    if not 0 <= discordance <= 1:
        raise StatisticsError(f"A discordance of {discordance} is not between 0 and 1.")
