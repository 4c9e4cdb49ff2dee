"""What metrics are called and what they mean, in English and Chinese."""

from __future__ import annotations

from tuneval.evaluation.metric_names import metric_meaning, metric_name, reading_order

__all__ = ["metric_meaning", "metric_name", "reading_order"]
