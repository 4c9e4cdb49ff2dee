"""What a benchmark measures beside seconds: memory at its peak, and what the machine can do."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

T = TypeVar("T")


def matmul_speed() -> float:
    """Operations a second of float32 matrix products, the best of some shapes and rounds."""
    best = 0.0
    for n in (1024, 2048):
        a, b = torch.randn(n, n), torch.randn(n, n)
        for _ in range(4):
            start = time.perf_counter()
            torch.mm(a, b)
            best = max(best, 2.0 * n**3 / (time.perf_counter() - start))
    return best


@dataclass(frozen=True)
class Took:
    """Seconds by the clock on the wall and of all threads; the rise of resident memory."""

    seconds: float
    cpu_seconds: float
    mebibytes: float


def timed(work: Callable[[], T]) -> tuple[T, Took]:
    """What it gives, and what it took; memory at its peak (Linux)."""
    ctypes.CDLL("libc.so.6").malloc_trim(0)  # what was freed before is not what this one needs
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _resident("VmRSS")
    start, cpu_start = time.perf_counter(), time.process_time()
    found = work()
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    return found, Took(seconds, cpu_seconds, _resident("VmHWM") - before)


def _resident(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def operations(model: Any, *, lengths: Sequence[int], new: Sequence[int], rows: int) -> float:
    """Multiplications and additions of a model over inputs of these lengths.

    Of each input only the last `new` tokens are computed, the others are there as keys and
    values; the head runs at `rows` positions.
    """
    config = model.config.get_text_config()
    head = model.get_output_embeddings().weight.numel()
    body = sum(p.numel() for p in model.parameters()) - model.get_input_embeddings().weight.numel()
    width = config.num_attention_heads * getattr(
        config, "head_dim", config.hidden_size // config.num_attention_heads
    )
    pairs = sum(n * (size - n) + n * (n + 1) / 2 for size, n in zip(lengths, new, strict=True))
    return 2.0 * (body * sum(new) + head * rows + 2 * config.num_hidden_layers * width * pairs)
