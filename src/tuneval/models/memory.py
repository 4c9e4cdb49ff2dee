"""How much goes through a model at once, and what to do when memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tuneval.models.available import available_bytes
from tuneval.models.sequences import PackedRow

if TYPE_CHECKING:
    from tuneval.models.forward import Forward
    from tuneval.models.sequences import Input

# Beyond this a pass is no faster, and a kill loses more; nor are answers, on a CPU.
LARGEST_TOKEN_BUDGET = 65_536
PROBE_TOKENS = 1024
# Of what is free when asked: the allocator's leftovers and other work need some too.
USABLE = 0.6
# Passes need some of it, and on a CPU other programs do.
USABLE_FOR_STATES = 0.3

# torch's CPU allocator raises a bare RuntimeError with one of these in it.
_CPU_TEXTS = ("can't allocate memory", "not enough memory", "cannot allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that less at a time might work."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(t in str(error).lower() for t in _CPU_TEXTS)


def give_back() -> None:
    """Return what is no longer used, so that a smaller try finds room."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def find_token_budget(forward: Forward, inputs: Sequence[Input], *, usual: int) -> int:
    """How many tokens one forward pass may have: a power of two times `usual`.

    On an accelerator that counts its memory, two passes over copies of the longest input tell
    what a token takes; elsewhere, and where there is no memory for these, it is `usual`. Powers of
    two make it the same for a run that goes on later beside other work.
    """
    if forward.device.type != "cuda":
        return usual
    longest = max(inputs, key=len)
    small = max(1, PROBE_TOKENS // len(longest))
    try:
        taken = [_peak_bytes(forward, longest, rows) for rows in (small, 4 * small)]
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return usual
    bytes_per_token = max(1.0, (taken[1] - taken[0]) / (3 * small * len(longest)))
    tokens = int(USABLE * _free_bytes(forward.device) / bytes_per_token)
    return _doubled(usual, min(tokens, LARGEST_TOKEN_BUDGET))


def find_room(model: Any, *, usual: int) -> int:
    """How many tokens may be held as keys and values: a power of two times `usual`.

    By the memory there is. Powers of two make it the same beside other work, mostly, and with it
    the batches, whose rounding decides between tokens that are all but equally likely.
    """
    device = next(model.parameters()).device
    free = _free_bytes(device) if device.type == "cuda" else available_bytes(device)
    if free is None:
        return usual
    config = model.config.get_text_config()
    heads = config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    heads = getattr(config, "num_key_value_heads", None) or heads
    bytes_per_token = 2 * config.num_hidden_layers * heads * width * model.dtype.itemsize
    most = int(USABLE_FOR_STATES * free / bytes_per_token)
    if device.type == "cpu":
        most = min(most, LARGEST_TOKEN_BUDGET)
    return _doubled(usual, most)


def _doubled(usual: int, most: int) -> int:
    """The largest power of two times `usual` within `most`, at least `usual`."""
    return usual * 2 ** max(0, (most // usual).bit_length() - 1)


def _free_bytes(device: torch.device) -> int:
    """What the device has free, and what torch holds of it without using it."""
    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free + unused)


def _peak_bytes(forward: Forward, item: Input, rows: int) -> int:
    """Bytes that a pass over `rows` copies of an input takes beyond what lies there."""
    torch.cuda.reset_peak_memory_stats(forward.device)
    before = torch.cuda.memory_allocated(forward.device)
    batch = forward.batch(PackedRow((item,) * rows, 0))
    for _ in forward.logits(batch, np.arange(min(rows * len(item), PROBE_TOKENS))):
        pass
    return int(torch.cuda.max_memory_allocated(forward.device)) - before
