"""The metrics that grade an answer's text, one row each, chosen by name.

`load_metric("rouge-l")`, `load_metric("json_field:intent")`: a row that needs an argument takes
it after a colon. `texts.score_texts` gives ROUGE and BLEU of many pairs at once.
A plugin adds rows through the entry-point group `tuneval.metric`.
May import: statistics, catalog, extras, errors. No torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from tuneval.catalog import Catalog
from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.evaluation.metric import AnyMetric

METRICS = Catalog(
    "metric",
    {
        "exact_match": "tuneval.evaluation.metrics.exact_match:EXACT_MATCH",
        "json_valid": "tuneval.evaluation.metrics.json_fields:JSON_VALID",
        "json_field": "tuneval.evaluation.metrics.json_fields:json_field",
        "json_field_f1": "tuneval.evaluation.metrics.json_fields:json_field_f1",
        "rouge-1": "tuneval.evaluation.metrics.rouge:ROUGE_1",
        "rouge-2": "tuneval.evaluation.metrics.rouge:ROUGE_2",
        "rouge-l": "tuneval.evaluation.metrics.rouge:ROUGE_L",
        "bleu-4": "tuneval.evaluation.metrics.bleu:BLEU_4",
    },
)


def load_metric(text: str) -> AnyMetric:
    """The metric called `text`, with its argument if it takes one. Raises UsageError."""
    name, colon, argument = text.partition(":")
    row = METRICS.load(name)
    if callable(row):
        if not argument:
            raise UsageError(
                f"The metric '{name}' needs to know of what.", mend=f"write '{name}:<field>'"
            )
        return cast("Callable[[str], AnyMetric]", row)(argument)
    if colon:
        raise UsageError(
            f"The metric '{name}' takes nothing after a colon.", mend=f"write '{name}'"
        )
    return cast("AnyMetric", row)
