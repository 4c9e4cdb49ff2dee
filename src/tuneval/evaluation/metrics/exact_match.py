"""Whether the answer is the reference, blanks around either left aside."""

from __future__ import annotations

from tuneval.evaluation.metric import Metric


def exact_match(prediction: str, reference: str) -> float:
    """1.0 when both are the same text between the outer blanks, else 0.0."""
    return float(prediction.strip() == reference.strip())


EXACT_MATCH = Metric(
    name="exact_match", unit="share", higher_is_better=True, scale="binary", score=exact_match
)
