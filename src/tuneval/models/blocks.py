"""Where a language model's blocks are, found by the shape of its module tree.

Families name their parts differently (`self_attn`, `attn`, `attention`; `mlp`, `feed_forward`), so
names are not asked: a decoder is the longest list of modules of one class, a block's attention is
the part that takes an attention mask, and its feed-forward the other part that multiplies.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch

from tuneval.errors import ModelError


@dataclass(frozen=True, slots=True)
class Block:
    """One decoder layer: its path in the model, and its two sublayers as children of it."""

    path: str
    module: torch.nn.Module
    attention: torch.nn.Module
    feed_forward: torch.nn.Module


def find_blocks(model: Any) -> tuple[Block, ...]:
    """The decoder layers of a causal language model, from the embeddings up.

    Raises ModelError when there is no list of layers that have both sublayers.
    """
    lists = [
        (path, module)
        for path, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and len({type(m) for m in module}) == 1
    ]
    for path, layers in sorted(lists, key=lambda found: -len(found[1])):
        blocks = [_block(f"{path}.{i}", layer) for i, layer in enumerate(layers)]
        if blocks and all(block is not None for block in blocks):
            return tuple(block for block in blocks if block is not None)
    raise ModelError(
        "The model's layers cannot be found: no list of modules with attention and feed-forward.",
        where=type(model).__name__,
        mend="choose a decoder-only transformer, or a method that needs no layers, such as lora",
    )


def matrices(module: torch.nn.Module) -> list[tuple[str, torch.nn.Module]]:
    """The linear layers in a module with their paths in it, in its order.

    GPT-2's Conv1D and quantised layers are such too: what has a `weight` of two dimensions, or
    calls itself linear, and is no embedding.
    """
    found = []
    for path, part in module.named_modules():
        weight = getattr(part, "weight", None)
        if isinstance(part, torch.nn.Embedding) or weight is None:
            continue
        if getattr(weight, "ndim", 0) == 2 or "linear" in type(part).__name__.lower():
            found.append((path, part))
    return found


def _block(path: str, layer: torch.nn.Module) -> Block | None:
    parts = [child for child in layer.children() if matrices(child)]
    attentions = [part for part in parts if _takes_mask(part)]
    others = [part for part in parts if not _takes_mask(part)]
    if len(attentions) != 1 or not others:
        return None
    # Experts and their router, or a feed-forward in parts: the last one has the block's output.
    return Block(path, layer, attentions[0], others[-1])


def _takes_mask(part: torch.nn.Module) -> bool:
    return "attention_mask" in inspect.signature(part.forward).parameters
