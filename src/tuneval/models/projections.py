"""Which matrices of a language model make its keys and values, and which end its feed-forwards.

Names and order differ between families, and some make queries, keys and values with one matrix. So
names are not read: a few tokens run through the model, every attention matrix's output begins a
graph of its own, and the cache, which is handed the keys and values, follows them back.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import DynamicLayer

from tuneval.errors import ModelError
from tuneval.models.blocks import Block, find_blocks, matrices
from tuneval.models.forward import evaluating

PROBE_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Projections:
    """Paths inside a decoder layer, such as `self_attn.k_proj`, of all layers together.

    `key_value`: matrices whose output becomes keys or values, with no other matrix in between.
    `feed_forward_out`: the last matrix of a feed-forward.
    """

    key_value: tuple[str, ...]
    feed_forward_out: tuple[str, ...]


def find_projections(model: Any) -> Projections:
    """The projections of a causal language model, by one pass over a few tokens.

    Raises ModelError when its layers cannot be found, or are built of something else.
    """
    watched = [_Watched(block) for block in find_blocks(model)]
    cache = Cache(layers=[_Listener(block) for block in watched])
    ids = torch.arange(PROBE_TOKENS, device=next(model.parameters()).device)[None]
    with ExitStack() as stack:
        stack.enter_context(evaluating(model))
        stack.enter_context(torch.enable_grad())
        for block in watched:
            block.begin(stack)
        model(input_ids=ids, past_key_values=cache, use_cache=True)
    return Projections(
        key_value=tuple(sorted({path for block in watched for path in block.key_value()})),
        feed_forward_out=tuple(sorted({block.feed_forward_out() for block in watched})),
    )


class _Watched:
    """A block, and what a pass through it has shown."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.paths = {module: path for path, module in block.module.named_modules()}
        self.starts: dict[torch.nn.Module, torch.Tensor] = {}
        self.used: set[torch.nn.Module] = set()
        self.ran: list[torch.nn.Module] = []

    def begin(self, stack: ExitStack) -> None:
        """Watch until the stack is left."""
        for _, matrix in matrices(self.block.attention):
            stack.enter_context(matrix.register_forward_hook(self._start_graph))
        for _, matrix in matrices(self.block.feed_forward):
            stack.enter_context(matrix.register_forward_hook(self._note))

    def hear(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Follow keys and values back to the outputs they were made of."""
        outcome = keys.sum() + values.sum()
        if not outcome.requires_grad:
            return
        gradients = torch.autograd.grad(outcome, list(self.starts.values()), allow_unused=True)
        for matrix, gradient in zip(self.starts, gradients, strict=True):
            if gradient is not None:
                self.used.add(matrix)

    def key_value(self) -> list[str]:
        """Paths of the matrices that made keys and values; none in a layer that borrows them."""
        return [self.paths[matrix] for matrix in self.used]

    def feed_forward_out(self) -> str:
        """Path of the feed-forward's last matrix. Raises ModelError for a mixture of experts."""
        has_experts = any(p.ndim > 2 for p in self.block.feed_forward.parameters())
        if has_experts or not self.ran:
            raise ModelError(
                "The feed-forward does not end in one matrix: it is a mixture of experts.",
                where=f"{self.block.path}: {type(self.block.feed_forward).__name__}",
                mend="choose a method that does not need it, such as lora",
            )
        return self.paths[self.ran[-1]]

    def _start_graph(self, matrix: torch.nn.Module, _: Any, output: torch.Tensor) -> torch.Tensor:
        self.starts[matrix] = output.detach().requires_grad_()
        return self.starts[matrix].clone()  # some rotate in place, which a leaf does not allow

    def _note(self, matrix: torch.nn.Module, *_: Any) -> None:
        self.ran.append(matrix)


class _Listener(DynamicLayer):
    """The cache of one block, which passes on what it is handed."""

    def __init__(self, block: _Watched) -> None:
        super().__init__()
        self.block = block

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *more: Any, **named: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Keep the keys and values, as any cache."""
        self.block.hear(key_states, value_states)
        return super().update(key_states, value_states, *more, **named)
