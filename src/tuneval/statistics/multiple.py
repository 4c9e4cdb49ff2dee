"""Several tests at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tuneval.errors import StatisticsError
from tuneval.statistics.sample import finite_numbers


def holm(p_values: ArrayLike) -> list[float]:
    """P-values adjusted so that any false alarm among them is as rare as promised. Holm (1979)."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.size == 0:
        return []
    p = finite_numbers(p, name="p-values")
    if (p < 0).any() or (p > 1).any():
        raise StatisticsError("A p-value lies between 0 and 1.", where=f"given: {p.tolist()}")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]
