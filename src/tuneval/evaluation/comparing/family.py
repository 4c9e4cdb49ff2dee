"""Several comparisons looked at together: among many differences, some stand out by chance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tuneval.evaluation.comparing.compare import Comparison
from tuneval.statistics.multiple import holm


def holm_over(comparisons: Mapping[str, Comparison]) -> dict[str, Comparison]:
    """The comparisons with every `p_holm` adjusted for all metrics of all of them.

    Alone, a comparison knows its own metrics only, and five comparisons of one metric would each
    give a false alarm as often as one.
    """
    rows = [row for comparison in comparisons.values() for row in comparison.rows]
    adjusted = iter(holm([row.p_value for row in rows]))
    return {
        name: replace(
            comparison,
            rows=tuple(replace(row, p_holm=next(adjusted)) for row in comparison.rows),
        )
        for name, comparison in comparisons.items()
    }
