"""How much goes through a model at once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tuneval.models import likelihood, memory
from tuneval.models.forward import padded_batch, prepare
from tuneval.models.likelihood import Request
from tuneval.models.memory import LARGEST_TOKEN_BUDGET, find_token_budget
from tuneval.models.sequences import Input

GIB = 2**30


class Accelerator:
    """A forward pass that takes so many bytes a token, on a device that counts its memory."""

    device = torch.device("cuda")

    def __init__(self, monkeypatch, *, free: int, bytes_per_token: int) -> None:
        self.bytes_per_token = bytes_per_token
        self.peak = 0
        cuda = torch.cuda
        monkeypatch.setattr(cuda, "mem_get_info", lambda device: (free - GIB, 2 * free))
        monkeypatch.setattr(cuda, "memory_reserved", lambda device: 8 * GIB)
        monkeypatch.setattr(cuda, "memory_allocated", lambda device: 7 * GIB)
        monkeypatch.setattr(cuda, "max_memory_allocated", lambda device: 7 * GIB + self.peak)
        monkeypatch.setattr(cuda, "reset_peak_memory_stats", lambda device: None)

    def batch(self, row):
        return padded_batch(row.inputs)

    def logits(self, batch, positions):
        self.peak = GIB // 4 + batch.input_ids.numel() * self.bytes_per_token
        yield torch.zeros(len(positions), 1)


@pytest.mark.parametrize(
    ("free", "bytes_per_token", "expected"),
    [
        (8 * GIB, 200_000, 16_384),  # 25,769 tokens fit in 60% of what is free
        (8 * GIB, 1_000_000, 4096),
        (2 * GIB, 1_000_000, 4096),  # never below the usual: running out halves it
        (80 * GIB, 50_000, LARGEST_TOKEN_BUDGET),
    ],
)
def test_a_pass_is_as_large_as_memory_allows(monkeypatch, free, bytes_per_token, expected):
    forward = Accelerator(monkeypatch, free=free, bytes_per_token=bytes_per_token)
    inputs = [Input(np.zeros(n, np.int32)) for n in (3, 90, 40)]
    assert find_token_budget(forward, inputs, usual=4096) == expected


def test_where_there_is_no_memory_to_try_it_is_the_usual(monkeypatch):
    forward = Accelerator(monkeypatch, free=GIB, bytes_per_token=1)

    def failing(*_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(forward, "logits", failing)
    assert find_token_budget(forward, [Input(np.zeros(90, np.int32))], usual=4096) == 4096


@pytest.mark.parametrize("packed", [True, False])
def test_what_a_token_takes_is_tried_with_the_passes_that_will_be_run(
    monkeypatch, tiny_llama, packed
):
    Accelerator(monkeypatch, free=8 * GIB, bytes_per_token=1)
    ids = np.arange(3, 40, dtype=np.int32)
    with prepare(tiny_llama.model, ids, ids, packed=packed) as forward:
        assert forward.is_packed is packed
        monkeypatch.setattr(forward, "device", torch.device("cpu"))
        assert memory._peak_bytes(forward, Input(ids), 3) == 0


def test_on_a_cpu_the_usual_is_enough(monkeypatch):
    forward = SimpleNamespace(device=torch.device("cpu"))
    assert find_token_budget(forward, [], usual=4096) == 4096


@pytest.mark.parametrize(("n_shared", "packed"), [(4, False), (200, True)])
def test_off_the_cpu_rows_are_packed_where_shared_beginnings_pay(n_shared, packed):
    model = SimpleNamespace(parameters=lambda: iter([torch.zeros(1, device="meta")]))
    source = np.random.default_rng(5)
    shared = source.integers(0, 9, n_shared).tolist()
    requests = [Request([*shared, *source.integers(0, 9, 30).tolist()], [1]) for _ in range(20)]
    inputs = likelihood.distinct_inputs(requests)
    work = likelihood._Work(
        model, 4096, None, "auto", whole=False, with_choices=False, report=lambda event: None
    )
    assert work._is_packed(inputs) is packed


def test_room_for_answers_is_counted_in_keys_and_values(tiny_llama, monkeypatch):
    # 4 layers of 2 key heads of 32 numbers, keys and values, 4 bytes each.
    bytes_per_token = 4 * 2 * 32 * 2 * 4
    free = 10_000 * bytes_per_token
    monkeypatch.setattr(memory, "available_bytes", lambda device: free)
    assert memory.find_room(tiny_llama.model, usual=100) == 100 * 2**4, "of 3,000"
    assert memory.find_room(tiny_llama.model, usual=1500) == 3000
    assert memory.find_room(tiny_llama.model, usual=5000) == 5000
    monkeypatch.setattr(memory, "available_bytes", lambda device: 1000 * free)
    assert memory.find_room(tiny_llama.model, usual=4096) == memory.LARGEST_TOKEN_BUDGET
    monkeypatch.setattr(memory, "available_bytes", lambda device: None)
    assert memory.find_room(tiny_llama.model, usual=100) == 100
