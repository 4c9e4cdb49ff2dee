"""What is learnt from what: a stage turns items of one kind into tokens, one file and row each.

A row is a `Stage`: the kind of items it reads, and `encode(items, template, max_length)`.
"""

from tuneval.catalog import Catalog
from tuneval.training.stages.stage import Stage

__all__ = ["STAGES", "Stage"]

STAGES = Catalog(
    "stage",
    {
        "pretrain": "tuneval.training.stages.pretrain:STAGE",
        "sft": "tuneval.training.stages.sft:STAGE",
    },
)
