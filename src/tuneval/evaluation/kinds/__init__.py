"""What most metrics are made of: a class for each way from items to one figure.

per_item   PerItem: a grade for every item, and their mean; `of_texts` for prediction and reference
of_sums    OfSums: a function of sums over the items, such as an F1 or a loss per token
of_set     OfSet: a figure of the whole set, with an interval by jackknife
of_weights OfWeights: a figure of how often each item is counted, such as an AUC
table      Table: a table without a figure, such as a confusion matrix
of_metrics OfMetrics: a figure made of other metrics' figures
drop       Drop: how far another metric falls on perturbed copies of its items
worst      Worst: another metric of each item at the worst over itself and its copies
argument   OfArgument: a family of metrics that want to know of what, as `json_field:intent`

They import `statistics` when they are asked for a figure: listing the catalog stays light.
"""

from tuneval.evaluation.kinds.argument import OfArgument
from tuneval.evaluation.kinds.of_metrics import OfMetrics
from tuneval.evaluation.kinds.of_set import OfSet
from tuneval.evaluation.kinds.of_sums import OfSums
from tuneval.evaluation.kinds.of_weights import OfWeights
from tuneval.evaluation.kinds.per_item import PerItem, of_texts
from tuneval.evaluation.kinds.table import Table

__all__ = [
    "OfArgument",
    "OfMetrics",
    "OfSet",
    "OfSums",
    "OfWeights",
    "PerItem",
    "Table",
    "of_texts",
]
