"""How likely is a text after another: log-probabilities of many (context, target) pairs.

Equal inputs are read once, an input that begins another is read off the longer one, beginnings
shared by a row's inputs are computed once, and the output head runs only where a target is
predicted. None of it changes a result beyond the last digits of float32.
"""

from __future__ import annotations

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
    core_model,
    has_virtual_tokens,
    longest_input,
    packed_batch,
    padded_batch,
    ready,
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


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What the model thinks of each target token, in order.

    `logprobs` (T,) float32 in nats (float64 from a float64 model); `argmax` (T,) int32 is the
    token it would have put there itself.
    """

    logprobs: npt.NDArray[Any]
    argmax: npt.NDArray[np.int32]


def measure_likelihood(
    model: Any,
    requests: Sequence[Request],
    *,
    token_budget: int = 4096,
    arrange: Literal["auto", "packed", "padded"] = "auto",
    report: Report = ignore,
    on_result: Callable[[int, Likelihood], None] | None = None,
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
    keep: Callable[[int, Likelihood], None],
    *,
    token_budget: int,
    arrange: Literal["auto", "packed", "padded"],
    report: Report,
) -> None:
    total = sum(map(len, inputs))
    report(Started(STAGE, total, "tokens"))
    done = computed = 0
    forward = Forward(model)
    wants_packed = arrange == "packed" or (arrange == "auto" and forward.device.type == "cpu")
    with ready(model, packed=wants_packed) as is_packed:
        forward.probe(inputs[0].ids, is_packed=is_packed)
        for batch in _batches(inputs, is_packed, token_budget, forward, keep, report):
            done += sum(map(len, batch.inputs))
            computed += batch.input_ids.numel()
            report(Step(STAGE, done, total))
    report(Finished(STAGE, {"inputs": len(inputs), "tokens": total, "computed": computed}))
