"""Memory of a training by its parts, from one micro-batch without numbers."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tuneval.models.blocks import matrices
from tuneval.models.forward import core_model
from tuneval.models.quantization import Quantization
from tuneval.training.config import TrainConfig
from tuneval.training.planning.shapes import ShapedModel

ADAM_STATES = 2
# Kernels' work space, and what allocators keep. Measured with SmolLM2 on a CPU: 240 to 340 MiB.
LIBRARIES_BYTES = 320 * 2**20
# A block of 64 weights has a scale in float32, or one in 8 bits with a float32 for 256 of those.
SCALE_BITS = 32 / 64
DOUBLE_QUANT_SCALE_BITS = 8 / 64 + 32 / (64 * 256)


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the peak of a step.

    `activations`: what backward needs of forward, and what both work on. A pass whose peak comes
    before its gradients are there has that much less. `libraries`: a round number.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    libraries: int = LIBRARIES_BYTES

    @property
    def total(self) -> int:
        """All of them."""
        return sum(asdict(self).values())

    def as_dict(self) -> dict[str, int]:
        """For JSON."""
        return asdict(self) | {"total": self.total}


def memory_of(model: ShapedModel, config: TrainConfig, inputs: Mapping[str, Any]) -> Memory:
    """What a step over micro-batches like this one takes."""
    trained = [p for p in model.loss.parameters() if p.requires_grad]
    gradients = sum(p.nbytes for p in trained)
    weights = _weights_bytes(model, config.method.quantization)
    at_peak = _peak_of_pass(model, inputs, gradients_wait=_accumulates(config))
    # The optimizer's own step has all gradients, and no activations.
    rest = max(0, at_peak - gradients)
    return Memory(weights, gradients, ADAM_STATES * gradients, rest)


def _accumulates(config: TrainConfig) -> bool:
    return config.batches.gradient_accumulation_steps > 1


def _weights_bytes(model: ShapedModel, quantization: Quantization | None) -> int:
    """As they are stored: codes and scales of those that are quantised."""
    weights = {p.untyped_storage()._cdata: p.nbytes for p in model.loss.parameters()}
    if quantization is not None:
        core = core_model(model.language_model)
        head = core.get_output_embeddings()
        scale = DOUBLE_QUANT_SCALE_BITS if quantization.double_quant else SCALE_BITS
        bits = quantization.bits + (scale if quantization.bits == 4 else 0)
        for _, module in matrices(core.get_decoder()):
            weight = module.weight
            if module is not head and not weight.requires_grad:
                weights[weight.untyped_storage()._cdata] = int(weight.numel() * bits / 8)
    return sum(weights.values())


def _peak_of_pass(model: ShapedModel, inputs: Mapping[str, Any], *, gradients_wait: bool) -> int:
    """Bytes beyond the weights at the peak of a micro-batch forward and backward.

    `gradients_wait`: those of earlier micro-batches are there from the start.
    """
    trained = [p for p in model.loss.parameters() if p.requires_grad]
    live = LiveBytes()
    for parameter in model.loss.parameters():
        live.leave_out(parameter)
    with live, model.running():
        if gradients_wait:
            for parameter in trained:
                parameter.grad = torch.zeros_like(parameter)
        loss = model.loss(**inputs)
        loss.backward()
    for parameter in trained:
        parameter.grad = None
    return live.peak


class LiveBytes(TorchDispatchMode):
    """Counts the storages that operations make, from when they are made until they are freed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.peak = 0
        self._known: set[int] = set()

    def leave_out(self, tensor: torch.Tensor) -> None:
        """Do not count what this one holds."""
        self._known.add(tensor.untyped_storage()._cdata)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for made in tree_leaves(result):
            if isinstance(made, torch.Tensor):
                self._see(made.untyped_storage())
        return result

    def _see(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._known:
            return
        size = storage.nbytes()
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._freed, key, size)

    def _freed(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size
