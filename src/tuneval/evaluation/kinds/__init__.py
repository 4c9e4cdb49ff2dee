"""What most metrics are made of: a class for each way from items to one figure.

per_item   PerItem: a grade for every item, and their mean; `of_texts` for prediction and reference
of_sums    OfSums: a function of sums over the items, such as an F1 or a loss per token
argument   OfArgument: a family of metrics that want to know of what, as `json_field:intent`

They import `statistics` when they are asked for a figure: listing the catalog stays light.
"""

from tuneval.evaluation.kinds.argument import OfArgument
from tuneval.evaluation.kinds.of_sums import OfSums
from tuneval.evaluation.kinds.per_item import PerItem, of_texts

__all__ = ["OfArgument", "OfSums", "PerItem", "of_texts"]
