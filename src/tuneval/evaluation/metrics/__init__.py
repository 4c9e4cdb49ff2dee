"""The metrics, one row each, chosen by name; a folder or file for each family.

`load_metric("rouge-l")`, `load_metric("json_field:intent")`: a row that wants to know of what
takes it after a colon. `catalog()` gives what there is to know of every row.
A plugin adds rows through the entry-point group `tuneval.metric`.
May import: statistics, catalog, extras, errors. No torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuneval.catalog import Catalog
from tuneval.errors import UsageError
from tuneval.evaluation.kinds.argument import OfArgument

if TYPE_CHECKING:
    from tuneval.evaluation.metric import About, Metric

_HERE = "tuneval.evaluation.metrics"
METRICS = Catalog(
    "metric",
    {
        "response_perplexity": f"{_HERE}.likelihood:RESPONSE_PERPLEXITY",
        "token_accuracy": f"{_HERE}.likelihood:TOKENS_RIGHT",
        "token_accuracy_sample_mean": f"{_HERE}.likelihood:TOKENS_RIGHT_BY_ITEM",
        "token_accuracy_whole_sequence": f"{_HERE}.likelihood:TOKENS_RIGHT_WITH_PROMPT",
        "exact_match": f"{_HERE}.generation.exact_match:EXACT_MATCH",
        "rouge-1": f"{_HERE}.generation.texts:ROUGE_1",
        "rouge-2": f"{_HERE}.generation.texts:ROUGE_2",
        "rouge-l": f"{_HERE}.generation.texts:ROUGE_L",
        "bleu-4": f"{_HERE}.generation.texts:BLEU_4",
        "json_valid": f"{_HERE}.json_fields:JSON_VALID",
        "json_field": f"{_HERE}.json_fields:JSON_FIELD",
        "json_field_f1": f"{_HERE}.json_fields:JSON_FIELD_F1",
    },
)
TEXT_METRICS = ("rouge-1", "rouge-2", "rouge-l", "bleu-4")
"""What LLaMA-Factory tells of predictions; every evaluation of a file with answers has them."""


def load_metric(text: str) -> Metric:
    """The metric called `text`, with its argument if it takes one. Raises UsageError."""
    name, colon, argument = text.partition(":")
    row: Metric | OfArgument = METRICS.load(name)
    if isinstance(row, OfArgument):
        wanted = argument or row.default
        if not wanted:
            raise UsageError(
                f"The metric '{name}' needs to know of what.",
                mend=f"write '{name}:<{row.argument}>'",
            )
        return row.make(wanted)
    if colon:
        raise UsageError(
            f"The metric '{name}' takes nothing after a colon.", mend=f"write '{name}'"
        )
    return row


def catalog() -> list[About]:
    """What there is to know of every row, in the table's order."""
    return [METRICS.load(name).about for name in METRICS]
