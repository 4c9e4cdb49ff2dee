"""A model in two parts: the layers below the first trained one, and those from there on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from tuneval.errors import ModelError
from tuneval.models.blocks import Block, find_blocks
from tuneval.models.packed_attention import Layout

PROBE_TOKENS = 16
_NOT_PARTED = "this model's layers need more than what leaves the one before"

Inputs = Mapping[str, Any]
Ask = Callable[[Inputs], torch.Tensor]
"""A way through the whole model, such as `Body.hidden`."""


class Parts:
    """A model whose layers can be left out for a pass. `n_frozen` of them are below the trained."""

    def __init__(self, model: Any) -> None:
        blocks = find_blocks(model)
        parent, _, _ = blocks[0].path.rpartition(".")
        self._list: torch.nn.ModuleList = model.get_submodule(parent)
        self.n_frozen = first_trained(blocks)

    def below(self, ask: Ask, inputs: Inputs) -> torch.Tensor:
        """What enters the first trained layer, (1, T, D), computed by the layers below it."""
        skipped = range(self.n_frozen, len(self._list))
        with self._leaving_out(skipped) as stand_ins:
            ask({**inputs, "target_positions": inputs["target_positions"][:1]})
        states: torch.Tensor = stand_ins[0].entered
        return states

    def above(self, ask: Ask, inputs: Inputs, states: torch.Tensor) -> torch.Tensor:
        """What `ask` gives when `states` enter the first trained layer."""
        with self._leaving_out(range(self.n_frozen)) as stand_ins:
            stand_ins[-1].leaving = states
            return ask(inputs)

    def try_on(self, ask: Ask, inputs: Inputs) -> torch.Tensor:
        """What enters the first trained layer for the first tokens of a micro-batch, (1, T, D).

        Raises ModelError, with the reason, where the parts do not give what the whole model does
        or do not always give the same. The random generators are left as they were.
        """
        few = _first_tokens(inputs)
        device = few["input_ids"].device
        generators = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
        with generators, torch.enable_grad():
            whole = self._whole(ask, few)
            states = self.below(ask, few)
            if states.requires_grad:
                raise ModelError("something below the first trained layer is trained too")
            torch.manual_seed(1)
            if not torch.equal(self.below(ask, few), states):
                raise ModelError("the frozen layers have dropout")
            torch.manual_seed(0)
            if not torch.equal(self.above(ask, few, states), whole):
                raise ModelError(_NOT_PARTED)
        return states.detach()

    def _whole(self, ask: Ask, inputs: Inputs) -> torch.Tensor:
        """What `ask` gives. Raises ModelError where a layer does not give one vector a token."""
        outputs: list[Any] = []
        hook = self._list[0].register_forward_hook(lambda *call: outputs.append(call[-1]))
        try:
            torch.manual_seed(0)
            found = ask(inputs)
        finally:
            hook.remove()
        shape = inputs["input_ids"].shape
        if not all(isinstance(o, torch.Tensor) and o.shape[:-1] == shape for o in outputs):
            raise ModelError(_NOT_PARTED)
        return found

    @contextmanager
    def _leaving_out(self, skipped: range) -> Iterator[list[_StandIn]]:
        """Stand-ins in the place of these layers, for the time of a pass."""
        layers = [self._list[index] for index in skipped]
        stand_ins = [_StandIn(layer) for layer in layers]
        try:
            for index, stand_in in zip(skipped, stand_ins, strict=True):
                self._list[index] = stand_in
            yield stand_ins
        finally:
            for index, layer in zip(skipped, layers, strict=True):
                self._list[index] = layer


class _StandIn(torch.nn.Module):
    """Passes on what enters a layer, or `leaving` in its place; attributes are the layer's own."""

    def __init__(self, layer: torch.nn.Module) -> None:
        super().__init__()
        self.layer = layer
        self.entered: Any = None
        self.leaving: torch.Tensor | None = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        self.entered = args[0] if args else kwargs["hidden_states"]
        return self.entered if self.leaving is None else self.leaving

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("layer"), name)


def first_trained(blocks: tuple[Block, ...]) -> int:
    """The index of the lowest layer with a trained parameter; their number when none has one."""
    for index, block in enumerate(blocks):
        if any(parameter.requires_grad for parameter in block.module.parameters()):
            return index
    return len(blocks)


def _first_tokens(inputs: Inputs) -> dict[str, Any]:
    ids = inputs["input_ids"][:, :PROBE_TOKENS]
    count = ids.shape[1]
    positions = torch.arange(count, device=ids.device)
    return {
        "input_ids": ids,
        "position_ids": positions[None],
        "target_positions": positions,
        "layout": Layout(0, ((0, count),)),
    }
