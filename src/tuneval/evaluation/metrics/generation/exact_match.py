"""Whether the answer is the reference, blanks around either left aside."""

from __future__ import annotations

from tuneval.evaluation.kinds import of_texts
from tuneval.evaluation.metric import About


def exact_match(prediction: str, reference: str) -> float:
    """1.0 when both are the same text between the outer blanks, else 0.0."""
    return float(prediction.strip() == reference.strip())


EXACT_MATCH = of_texts(
    About(
        name="exact_match",
        family="generation",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("prediction", "reference"),
        source="equality of the texts between the outer blanks (SQuAD, Rajpurkar et al. 2016, "
        "without its normalisation); any of several references will do",
        use="where one text is right: labels, JSON, commands",
        avoid="where many wordings are right: it calls all but one of them wrong",
    ),
    exact_match,
    is_binary=True,
)
