"""Floating-point operations of training: those that the blocks really do, not 6 a parameter.

What a token costs is read once off a forward pass of one example: each matrix's size, whether its
input and its weight need gradients. After that each block counts the tokens that pass through it,
so frozen layers cost no backward, cached ones nothing, and recomputed ones their forward again.
Counted are matrix products and attention over causal pairs, two operations a multiply-add; lookups,
norms and other work by element are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from tuneval.errors import ModelError
from tuneval.models.blocks import Block, find_blocks, matrices
from tuneval.models.forward import core_model
from tuneval.models.packed_attention import Layout
from tuneval.training.body import body_of


@dataclass(slots=True)
class Cost:
    """Operations forward, and those that backward adds."""

    forward: float = 0.0
    backward: float = 0.0

    def add(self, forward: float, *, gradients: int) -> None:
        """A product that costs `forward`, of whose two sides so many need gradients."""
        self.forward += forward
        self.backward += forward * gradients

    def of(self, times: float = 1.0, *, backward: bool = True) -> float:
        """The cost of so many."""
        return times * (self.forward + (self.backward if backward else 0.0))


class FlopCount:
    """Counts a language model with its tuning method attached, whoever runs it.

    `sample` is a micro-batch as `Collate` makes them, on the model's device.
    """

    def __init__(self, language_model: Any, sample: Mapping[str, Any]) -> None:
        self.head = Cost()
        self.per_pass = Cost()
        self.per_token = Cost()
        self._counted = 0.0
        self._pairs: tuple[Layout, int] | None = None
        blocks = _blocks(language_model)
        costs = {block.path: _BlockCost() for block in blocks}
        self._trace(language_model, sample, blocks, costs)
        for block in blocks:
            block.module.register_forward_pre_hook(
                self._counter(costs[block.path]), with_kwargs=True
            )
        self.begin()

    def begin(self) -> None:
        """Forget what has been counted, of an evaluation between two steps for instance."""
        self._counted = 0.0

    def take(self, inputs: Mapping[str, Any]) -> float:
        """Operations since `begin` or the last `take`, in which this micro-batch was trained."""
        found = self._counted + self.per_pass.of() + self.per_token.of(inputs["input_ids"].numel())
        self._counted = 0.0
        return found + self.head.of(inputs["labels"].numel())

    def _trace(
        self,
        language_model: Any,
        sample: Mapping[str, Any],
        blocks: tuple[Block, ...],
        costs: Mapping[str, _BlockCost],
    ) -> None:
        """Run the sample's forward pass and note what each matrix has to do."""
        n_tokens = sample["input_ids"].numel()
        seen: dict[torch.nn.Module, _Product] = {}
        rows_of: dict[str, int] = {}
        linear = _leaves(language_model)
        handles = [module.register_forward_hook(_noted(seen)) for _, module in linear]
        handles += [
            block.module.register_forward_pre_hook(_rows_noted(rows_of, block), with_kwargs=True)
            for block in blocks
        ]
        was_training = language_model.training
        language_model.eval()  # no dropout, so no random numbers are drawn; no checkpointing
        try:
            with torch.enable_grad():
                hidden = body_of(language_model).hidden(sample)
        finally:
            language_model.train(was_training)
            for handle in handles:
                handle.remove()
        path_of = {module: path for path, module in linear}
        for module, product in seen.items():  # in the order in which they were asked
            path = path_of[module]
            owner = next((b.path for b in blocks if path.startswith(f"{b.path}.")), None)
            if owner is not None:
                cost, per_row = costs[owner], product.flops / rows_of[owner]
                cost.matrices.add(per_row, gradients=product.needs)
                cost.last = per_row
            elif product.rows >= n_tokens:
                self.per_token.add(product.flops / n_tokens, gradients=product.needs)
            else:  # an encoder of virtual tokens works on these, however long the row is
                self.per_pass.add(product.flops, gradients=product.needs)
        self._cost_attention(language_model, blocks, costs, seen)
        self._cost_head(language_model, hidden)

    def _cost_attention(
        self,
        language_model: Any,
        blocks: tuple[Block, ...],
        costs: Mapping[str, _BlockCost],
        seen: Mapping[torch.nn.Module, _Product],
    ) -> None:
        """Scores, and the mean of the values by them; backward is as much for each of their sides.

        Its output needs gradients where the output projection's input does. That is the last
        child with matrices; what peft wraps around it stands there in its place.
        """
        config = core_model(language_model).config.get_text_config()
        heads = config.num_attention_heads
        width = heads * (getattr(config, "head_dim", None) or config.hidden_size // heads)
        for block in blocks:
            *_, (last, _) = leaves = _leaves(block.attention)
            child = last.partition(".")[0]
            output = next(m for path, m in leaves if path.partition(".")[0] == child)
            needs = output in seen and seen[output].input_needs
            costs[block.path].pair.add(4.0 * width, gradients=2 if needs else 0)

    def _cost_head(self, language_model: Any, hidden: torch.Tensor) -> None:
        head = core_model(language_model).get_output_embeddings()
        if head is None:
            return
        needs = hidden.requires_grad + head.weight.requires_grad
        self.head.add(2.0 * head.weight.numel(), gradients=needs)

    def _counter(self, cost: _BlockCost) -> Any:
        def count(block: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            backward = torch.is_grad_enabled()
            rows, layout = _rows(args, kwargs), kwargs.get("layout")
            pairs = 0 if layout is None else self._pairs_of(layout)
            if states := kwargs.get("virtual_states"):
                pairs += rows * states[0][0].shape[2]
            self._counted += cost.matrices.of(rows, backward=backward)
            self._counted += cost.pair.of(pairs, backward=backward)
            if backward and cost.needs_backward and _checkpoints(block):
                self._counted += cost.again * rows + cost.pair.forward * pairs

        return count

    def _pairs_of(self, layout: Layout) -> int:
        """Pairs of positions where one attends to the other; all blocks of a pass ask for it."""
        if self._pairs is None or self._pairs[0] is not layout:
            self._pairs = (layout, attended_pairs(layout))
        return self._pairs[1]


def attended_pairs(layout: Layout) -> int:
    """How many (query, key) pairs causal attention has in a row; windows are not looked at."""
    lengths = [end - start for start, end in layout.documents]
    shared = layout.n_shared
    own = sum(n * shared + n * (n + 1) // 2 for n in lengths)
    return own + shared * (shared + 1) // 2


@dataclass(slots=True)
class _BlockCost:
    """Of a token in the block's matrices, in the last of them forward, and of an attended pair."""

    matrices: Cost = field(default_factory=Cost)
    last: float = 0.0
    pair: Cost = field(default_factory=Cost)

    @property
    def needs_backward(self) -> bool:
        return self.matrices.backward + self.pair.backward > 0

    @property
    def again(self) -> float:
        """Of a token when checkpointing recomputes: torch stops before the last product."""
        return self.matrices.forward - self.last


@dataclass(slots=True)
class _Product:
    """What a matrix did in the traced pass; experts may be asked more than once."""

    flops: float = 0.0
    rows: int = 0
    input_needs: bool = False
    weight_needs: bool = False

    @property
    def needs(self) -> int:
        return self.input_needs + self.weight_needs


def _noted(seen: dict[torch.nn.Module, _Product]) -> Any:
    def note(module: Any, args: tuple[Any, ...], output: Any) -> None:
        product = seen.setdefault(module, _Product())
        rows = args[0].numel() // args[0].shape[-1]
        product.rows += rows
        product.flops += 2.0 * rows * _size(module)
        product.input_needs |= args[0].requires_grad
        product.weight_needs |= module.weight.requires_grad

    return note


def _rows_noted(rows_of: dict[str, int], block: Block) -> Any:
    def note(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        rows_of[block.path] = _rows(args, kwargs)

    return note


def _checkpoints(block: Any) -> bool:
    return bool(getattr(block, "gradient_checkpointing", False) and block.training)


def _rows(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    hidden = args[0] if args else kwargs["hidden_states"]
    return int(hidden.numel() // hidden.shape[-1])


def _size(module: Any) -> int:
    """Weights of a linear layer; packed ones of a quantised layer say it by their sides."""
    if hasattr(module, "in_features"):
        return int(module.in_features * module.out_features)
    return int(module.weight.numel())


def _leaves(module: Any) -> list[tuple[str, Any]]:
    """The matrices themselves, not peft's wrappers around them."""
    found = matrices(module)
    return [
        (path, part)
        for path, part in found
        if not any(other.startswith(f"{path}.") for other, _ in found)
    ]


def _blocks(language_model: Any) -> tuple[Block, ...]:
    """The model's blocks; none where they cannot be told apart, and all is counted by tokens."""
    try:
        return find_blocks(language_model)
    except ModelError:
        return ()
