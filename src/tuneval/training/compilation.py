"""torch.compile for a model's blocks: all are the same code, so it is compiled once."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface

from tuneval.models.blocks import find_blocks
from tuneval.models.packed_attention import PACKED_ATTENTION, packed_attention


def compile_blocks(language_model: Any) -> None:
    """Compile the forward of every block, for rows of any length. The model is changed in place.

    Attention stays as it is: its loop over the documents differs from row to row, and traced it
    would be compiled anew for each.
    """
    AttentionInterface.register(PACKED_ATTENTION, torch.compiler.disable(packed_attention))
    for block in find_blocks(language_model):
        # Not `module.compile()`: that takes hooks in, and those count on the way.
        block.module.forward = torch.compile(block.module.forward, dynamic=True)
