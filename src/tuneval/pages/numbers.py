"""Numbers as a reader sees them."""

from __future__ import annotations

import math


def share_text(count: float, total: float) -> str:
    """`33.1%`, or a dash of nothing."""
    return f"{100 * count / total:.1f}%" if total else "–"


def duration_text(seconds: float) -> str:
    """`8.2 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def short_count(number: float) -> str:
    """`9,500`, `12k`, `1.5M`: for the ticks of an axis."""
    if number >= 1_000_000:
        return f"{number / 1_000_000:g}M"
    return f"{number / 1000:g}k" if number >= 10_000 else f"{number:,.0f}"


def significant(value: float, digits: int = 3) -> str:
    """`0.0123`, `1.23`, `123`, `12,300`; beyond a million `1.23e6`."""
    if not value or not math.isfinite(value):
        return f"{value:g}"
    rounded = float(f"{value:.{digits - 1}e}")
    power = math.floor(math.log10(abs(rounded)))
    if power >= 6 or power < -4:
        mantissa = f"{rounded / 10.0**power:.{digits - 1}f}"
        return f"{mantissa}e{power}"
    return f"{rounded:,.{max(0, digits - 1 - power)}f}".replace("-", "−")
