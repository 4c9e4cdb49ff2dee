"""Numbers of a measure as a reader sees them, by its unit."""

from __future__ import annotations

import math

from tuneval.pages.numbers import significant
from tuneval.statistics.estimate import Estimate

_MINUS = "−"


def value_text(value: float, unit: str) -> str:
    """`61.2%` of a share, `1,230` or `12.3` of a perplexity, `85` tokens, `0.987` or `1` else."""
    if unit == "perplexity" or abs(value) >= 100_000:
        return significant(value, 3 if abs(value) < 1000 else 4)
    digits = {"share": 1, "tokens": 1}.get(unit, 3)
    shown = float(100 * value if unit == "share" else value)
    rounded = round(shown, digits) + 0.0  # no minus before a zero
    is_whole = unit != "share" and (rounded if unit == "tokens" else shown).is_integer()
    text = f"{rounded:,.0f}" if is_whole else f"{rounded:,.{digits}f}"
    return text.replace("-", _MINUS) + ("%" if unit == "share" else "")


def interval_text(estimate: Estimate, unit: str) -> str:
    """`[52.3, 69.4]`; empty when the sample supports none."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = (value_text(end, unit).rstrip("%") for end in (estimate.low, estimate.high))
    return f"[{low}, {high}]"


def estimate_text(estimate: Estimate, unit: str) -> str:
    """`61.2% [52.3, 69.4]`."""
    return f"{value_text(estimate.value, unit)} {interval_text(estimate, unit)}".rstrip()


def signed_text(estimate: Estimate, unit: str) -> str:
    """The same of a difference, with its sign: `+0.12 [−0.01, 0.25]`."""
    sign = "+" if estimate.value > 0 else ""
    return sign + estimate_text(estimate, unit)


def difference_text(estimate: Estimate, unit: str, *, is_log: bool) -> str:
    """The same; of logarithms with the factor they make: `+0.123 [0.100, 0.146] ×1.131`."""
    if not is_log:
        return signed_text(estimate, "" if unit == "perplexity" else unit)
    return f"{signed_text(estimate, '')} ×{value_text(math.exp(min(estimate.value, 700)), '')}"
