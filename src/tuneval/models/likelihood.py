"""How likely is a text after another: log-probabilities of many (context, target) pairs.

Equal inputs are read once, an input that begins another is read off the longer one, beginnings
shared by a row's inputs are computed once, and the output head runs only where a target is
predicted. None of it changes a result beyond the last digits of float32.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from tuneval.errors import ModelError, UsageError
from tuneval.models.forward import (
    Batch,
    Forward,
    longest_input,
    packed_batch,
    padded_batch,
    prepare,
)
from tuneval.models.memory import give_back, is_out_of_memory
from tuneval.models.sequences import (
    Input,
    Request,
    distinct_inputs,
    packed_rows,
    padded_batches,
)
from tuneval.runs.events import Finished, Report, Started, Step, Warned, ignore

__all__ = ["Likelihood", "Request", "measure_likelihood"]

STAGE = "likelihood"
# Longer rows are slower on a CPU (their activations leave its caches), and later to be known.
ROW_TOKENS_ON_CPU = 1024
Arrange = Literal["auto", "packed", "padded"]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What the model thinks of each target token, in order.

    `logprobs` (T,) float32 in nats (float64 from a float64 model); `argmax` (T,) int32 is the
    token it would have put there itself.
    """

    logprobs: npt.NDArray[Any]
    argmax: npt.NDArray[np.int32]


Keep = Callable[[int, Likelihood], None]


def measure_likelihood(
    model: Any,
    requests: Sequence[Request],
    *,
    token_budget: int = 4096,
    arrange: Arrange = "auto",
    report: Report = ignore,
    on_result: Keep | None = None,
) -> list[Likelihood]:
    """One Likelihood per request, in order. `on_result(index, likelihood)` hears each as known.

    `token_budget` bounds the tokens of one forward pass; it is halved when memory runs out.
    `arrange`: packed rows (best on a CPU) or padded batches; auto chooses. Raises UsageError for
    requests without context, ModelError for those longer than the model reads.
    """
    _refuse_impossible(model, requests)
    results: list[Likelihood | None] = [None] * len(requests)

    def keep(index: int, likelihood: Likelihood) -> None:
        results[index] = likelihood
        if on_result is not None:
            on_result(index, likelihood)

    for index, request in enumerate(requests):
        if len(request.target) == 0:
            keep(index, Likelihood(np.zeros(0, np.float32), np.zeros(0, np.int32)))
    inputs = distinct_inputs(requests)
    if inputs:
        _measure(model, inputs, keep, token_budget=token_budget, arrange=arrange, report=report)
    return [result for result in results if result is not None]


def _measure(
    model: Any,
    inputs: list[Input],
    keep: Keep,
    *,
    token_budget: int,
    arrange: Arrange,
    report: Report,
) -> None:
    total = sum(map(len, inputs))
    report(Started(STAGE, total, "tokens"))
    on_cpu = next(model.parameters()).device.type == "cpu"
    packed = arrange == "packed" or (arrange == "auto" and on_cpu)
    done = computed = 0
    with prepare(model, inputs[0].ids, inputs[-1].ids, packed=packed) as forward:
        pending = _arranged(inputs, forward, token_budget)
        while pending:
            try:
                answers = list(_answers(forward, pending[0]))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                token_budget = _smaller(pending[0], token_budget)
                report(Warned(STAGE, f"out of memory: going on with {token_budget} tokens at once"))
            else:
                for index, likelihood in answers:
                    keep(index, likelihood)
                batch = pending.popleft()
                done += sum(map(len, batch.inputs))
                computed += batch.input_ids.numel()
                report(Step(STAGE, done, total))
                continue
            give_back()  # here the error, and with it what the failed pass held, is gone
            left = [item for batch in pending for item in batch.inputs]
            pending = _arranged(left, forward, token_budget)
    report(Finished(STAGE, {"inputs": len(inputs), "tokens": total, "computed": computed}))


def _arranged(inputs: Sequence[Input], forward: Forward, token_budget: int) -> deque[Batch]:
    if forward.is_packed:
        preferred = ROW_TOKENS_ON_CPU if forward.device.type == "cpu" else None
        rows = packed_rows(inputs, token_budget, preferred=preferred)
        return deque(map(packed_batch, rows))
    return deque(map(padded_batch, padded_batches(inputs, token_budget)))


def _smaller(batch: Batch, token_budget: int) -> int:
    """Half of what just failed. Raises ModelError when that was a single input."""
    if len(batch.inputs) == 1:
        raise ModelError(
            f"Memory does not suffice for one sequence of {len(batch.inputs[0])} tokens.",
            mend="shorten it (max_length), use bfloat16, a smaller model or a larger machine",
        )
    return max(1, min(token_budget, batch.input_ids.numel()) // 2)


def _answers(forward: Forward, batch: Batch) -> Iterator[tuple[int, Likelihood]]:
    """Every request that this batch answers; each needed position goes through the head once."""
    readings = [(i, reading) for i, item in enumerate(batch.inputs) for reading in item.readings]
    targets = np.concatenate([reading.targets for _, reading in readings]).astype(np.int64)
    wanted = [batch.positions(i, r.start, len(r.targets)) for i, r in readings]
    positions, row_of = np.unique(np.concatenate(wanted), return_inverse=True)
    by_row = np.argsort(row_of, kind="stable")
    logprobs: list[npt.NDArray[Any]] = []
    best: list[npt.NDArray[np.int32]] = []
    first = 0
    for logits in forward.logits(batch, positions):
        low, high = np.searchsorted(row_of[by_row], [first, first + len(logits)])
        asked = by_row[low:high]
        rows = torch.from_numpy(row_of[asked] - first).to(logits.device)
        ids = torch.from_numpy(targets[asked]).to(logits.device)
        logprobs.append((logits[rows, ids] - logits.logsumexp(-1)[rows]).cpu().numpy())
        best.append(logits.argmax(-1).to(torch.int32).cpu().numpy())
        first += len(logits)
    in_order = np.empty(len(targets), logprobs[0].dtype)
    in_order[by_row] = np.concatenate(logprobs)
    argmax = np.concatenate(best)[row_of]
    end = 0
    for _, reading in readings:
        own = slice(end, end + len(reading.targets))
        yield reading.request, Likelihood(in_order[own].copy(), argmax[own].copy())
        end = own.stop


def _refuse_impossible(model: Any, requests: Sequence[Request]) -> None:
    empty = [i for i, request in enumerate(requests) if len(request.context) == 0]
    if empty:
        raise UsageError(
            f"{len(empty)} requests have no context, so nothing predicts their first token.",
            where=f"requests {_few(empty)}",
            mend="begin the context with at least one token (BOS, or the text's first token)",
        )
    longest = longest_input(model)
    lengths = [len(request.context) + len(request.target) - 1 for request in requests]
    too_long = [i for i, length in enumerate(lengths) if longest is not None and length > longest]
    if too_long:
        raise ModelError(
            f"{len(too_long)} requests are longer than the {longest} tokens this model reads; "
            f"the longest has {max(lengths)}.",
            where=f"requests {_few(too_long)}",
            mend=f"truncate to {longest} tokens (max_length), or choose a model that reads more",
        )


def _few(indices: Sequence[int]) -> str:
    return ", ".join(map(str, indices[:10])) + (", …" if len(indices) > 10 else "")
