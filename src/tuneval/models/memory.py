"""When memory runs out."""

from __future__ import annotations

import gc

import torch

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
