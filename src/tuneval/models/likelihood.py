"""How likely is a text after another: log-probabilities of many (context, target) pairs.

Equal inputs are read once, an input that begins another is read off the longer one, beginnings
shared by a row's inputs are computed once, and the output head runs only where a target is
predicted. None of it changes a result beyond the last digits of float32.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from tuneval.errors import ModelError
from tuneval.models.forward import (
    Batch,
    Forward,
    longest_input,
    prepare,
)
from tuneval.models.head import Wanted
from tuneval.models.memory import find_token_budget, give_back, is_out_of_memory
from tuneval.models.precision import refuse_nan
from tuneval.models.requests import refuse_impossible
from tuneval.models.sequences import (
    Input,
    PackedRow,
    Request,
    begun_rows,
    distinct_inputs,
    packed_rows,
    padded_batches,
)
from tuneval.models.virtual_tokens import has_virtual_tokens
from tuneval.runs.events import Finished, Report, Started, Step, Warned, ignore

__all__ = ["Likelihood", "Nll", "Request", "measure_likelihood", "measure_nll", "shards"]

STAGE = "likelihood"
TOKEN_BUDGET = 4096
# Longer rows are slower on a CPU (their activations leave its caches), and later to be known.
ROW_TOKENS_ON_CPU = 1024
# Those that share a long beginning are cut where the matrix products are fastest.
BEGUN_TOKENS_ON_CPU = 512
# Elsewhere an attention call for each input is expected to cost more than padding does, until
# shared beginnings (a few-shot block, an example shown to many) are a good part of all tokens.
# Counted, not yet measured on a GPU.
WORTH_PACKING = 0.7
Arrange = Literal["auto", "packed", "padded"]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What the model thinks of each target token, in order.

    `logprobs` (T,) float32 in nats (float64 from a float64 model); `argmax` (T,) int32 is the
    token it would have put there itself.
    """

    logprobs: npt.NDArray[Any]
    argmax: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Nll:
    """Negative log-likelihood of a target in nats, summed over its tokens in float64."""

    total: float
    n_tokens: int

    @property
    def mean(self) -> float:
        """Nats per token. ZeroDivisionError for a target without tokens."""
        return self.total / self.n_tokens


Keep = Callable[[int, Likelihood], None]
OnBatch = Callable[[Sequence[tuple[int, Nll]]], None]
Answers = list[tuple[int, Likelihood]]


def measure_likelihood(
    model: Any,
    requests: Sequence[Request],
    *,
    known: Collection[int] = (),
    token_budget: int | None = TOKEN_BUDGET,
    batch_size: int | None = None,
    arrange: Arrange = "auto",
    report: Report = ignore,
    on_result: Keep | None = None,
) -> list[Likelihood]:
    """One Likelihood per request whose index is not in `known`, in order.

    `on_result(index, likelihood)` hears each as soon as it is there. Passes are laid out as in
    `measure_nll`, and run whole.

    `token_budget` bounds the tokens of one forward pass (None: found by the memory there is); it
    is halved when memory runs out. `batch_size` bounds the inputs of one pass. `arrange`: packed
    rows (best on a CPU, and where inputs share long beginnings) or padded batches; auto chooses by
    counting tokens. Raises UsageError for requests without context, ModelError for those longer
    than the model reads.
    """
    results: list[Likelihood | None] = [None] * len(requests)

    def keep(answers: Answers) -> None:
        for index, likelihood in answers:
            if index in known:
                continue
            results[index] = likelihood
            if on_result is not None:
                on_result(index, likelihood)

    work = _Work(
        model, token_budget, batch_size, arrange, whole=True, with_choices=True, report=report
    )
    work.measure(requests, keep, known=known)
    return [result for result in results if result is not None]


def measure_nll(
    model: Any,
    requests: Sequence[Request],
    *,
    on_batch: OnBatch,
    known: Collection[int] = (),
    whole: bool = False,
    token_budget: int | None = None,
    batch_size: int | None = None,
    arrange: Arrange = "auto",
    report: Report = ignore,
) -> None:
    """The Nll of every request whose index is not in `known`, told pass by pass to `on_batch`.

    Passes are laid out over all requests, and those that hold nothing unknown are left out: what
    is measured after a kill is measured exactly as it would have been without, where all that a
    pass told was kept. Of a pass known in part only the unknown is measured, or, `whole`, all of
    it, which is exact too but costs more. Arguments and errors as in `measure_likelihood`.
    """

    def tell(answers: Answers) -> None:
        new = [(index, likelihood) for index, likelihood in answers if index not in known]
        on_batch([(index, _nll(likelihood)) for index, likelihood in new])

    work = _Work(
        model, token_budget, batch_size, arrange, whole=whole, with_choices=False, report=report
    )
    work.measure(requests, tell, known=known)


def shards(
    requests: Sequence[Request],
    *,
    n_tokens: int,
    known: Collection[int] = (),
    token_budget: int = TOKEN_BUDGET,
    batch_size: int | None = None,
) -> list[list[int]]:
    """Requests, by index, in parts of about `n_tokens` tokens, cut where packed rows end.

    Measured alone, a part is laid out in the rows that it has when all is measured on a CPU.
    Rows that hold nothing unknown are left out.
    """
    parts: list[list[int]] = []
    empty = [i for i, r in enumerate(requests) if not len(r.target) and i not in known]
    room = 0
    inputs = distinct_inputs(requests)
    rows = packed_rows(inputs, token_budget, preferred=ROW_TOKENS_ON_CPU, most=batch_size)
    for row in rows:
        asked = [reading.request for item in row.inputs for reading in item.readings]
        if all(index in known for index in asked):
            room = 0  # what follows a row that is left out begins anew
            continue
        if room <= 0:
            parts.append([])
            room = n_tokens
        parts[-1] += asked
        room -= len(row)
    if empty:
        parts = [*parts[:-1], [*parts[-1], *empty]] if parts else [empty]
    return parts


def _nll(likelihood: Likelihood) -> Nll:
    logprobs = likelihood.logprobs
    return Nll(-float(logprobs.sum(dtype=np.float64)), len(logprobs))


@dataclass(frozen=True, slots=True)
class _Work:
    """How requests are measured.

    `whole`: passes known in part run as they are. `with_choices`: also find the model's own best
    tokens.
    """

    model: Any
    token_budget: int | None
    batch_size: int | None
    arrange: Arrange
    whole: bool
    with_choices: bool
    report: Report

    def measure(
        self,
        requests: Sequence[Request],
        keep: Callable[[Answers], None],
        *,
        known: Collection[int] = (),
    ) -> None:
        """Tell `keep` the answers of each forward pass."""
        refuse_impossible(requests, longest_input(self.model))
        nothing = Likelihood(np.zeros(0, np.float32), np.zeros(0, np.int32))
        empty = [i for i, r in enumerate(requests) if not len(r.target) and i not in known]
        if empty:
            keep([(index, nothing) for index in empty])
        inputs = distinct_inputs(requests)
        if any(_is_wanted(item, known) for item in inputs):
            self._run(inputs, keep, known)

    def _run(
        self, inputs: list[Input], keep: Callable[[Answers], None], known: Collection[int]
    ) -> None:
        packed = self._is_packed(inputs)
        done = computed = 0
        with prepare(self.model, inputs[0].ids, inputs[-1].ids, packed=packed) as forward:
            budget = self.token_budget or find_token_budget(forward, inputs, usual=TOKEN_BUDGET)
            pending = _wanted(self._arranged(inputs, forward, budget), known, whole=self.whole)
            total = sum(len(item) for row in pending for item in row.inputs)
            n_inputs = sum(len(row.inputs) for row in pending)
            self.report(Started(STAGE, total, "tokens"))
            while pending:
                batch = forward.batch(pending[0])
                try:
                    answers = list(_answers(forward, batch, self.with_choices))
                except (RuntimeError, MemoryError) as error:
                    if not is_out_of_memory(error):
                        raise
                    budget = _smaller(batch, budget)
                    told = f"out of memory: going on with {budget} tokens at once"
                    self.report(Warned(STAGE, told))
                else:
                    keep(answers)
                    pending.popleft()
                    done += sum(map(len, batch.inputs))
                    computed += batch.input_ids.numel()
                    self.report(Step(STAGE, done, total))
                    continue
                give_back()  # here the error, and with it what the failed pass held, is gone
                left = [item for row in pending for item in row.inputs]
                pending = self._arranged(left, forward, budget)
            computed += forward.n_read_apart
        counts = {"inputs": float(n_inputs), "tokens": float(total), "computed": float(computed)}
        self.report(Finished(STAGE, counts))

    def _is_packed(self, inputs: Sequence[Input]) -> bool:
        """Packed rows on a CPU and behind virtual tokens, which padded batches would repeat;
        elsewhere where sharing beginnings saves enough to pay for them.
        """
        if self.arrange != "auto":
            return self.arrange == "packed"
        if next(self.model.parameters()).device.type == "cpu" or has_virtual_tokens(self.model):
            return True
        budget = self.token_budget or TOKEN_BUDGET
        packed = sum(map(len, packed_rows(inputs, budget, most=self.batch_size)))
        return packed <= WORTH_PACKING * sum(map(len, inputs))

    def _arranged(
        self, inputs: Sequence[Input], forward: Forward, token_budget: int
    ) -> deque[PackedRow]:
        """What goes into each forward pass; batches are padded when they are made."""
        most = self.batch_size
        if not forward.is_packed:
            batches = padded_batches(inputs, token_budget, most=most)
            return deque(PackedRow(batch, 0) for batch in batches)
        if forward.device.type != "cpu":
            return deque(packed_rows(inputs, token_budget, most=most))
        rows = packed_rows(inputs, token_budget, preferred=ROW_TOKENS_ON_CPU, most=most)
        return deque(begun_rows(rows, BEGUN_TOKENS_ON_CPU) if forward.is_split else rows)


def _is_wanted(item: Input, known: Collection[int]) -> bool:
    return any(reading.request not in known for reading in item.readings)


def _wanted(rows: deque[PackedRow], known: Collection[int], *, whole: bool) -> deque[PackedRow]:
    """The rows of which not all is known: whole, since of fewer inputs the last digits would
    differ, or else only the inputs that are wanted.
    """
    if not known:
        return rows
    left: deque[PackedRow] = deque()
    for row in rows:
        wanted = tuple(item for item in row.inputs if _is_wanted(item, known))
        if wanted and whole:
            left.append(row)
        elif wanted:
            alone = len(wanted) == 1 and not row.is_begun
            left.append(PackedRow(wanted, 0 if alone else row.n_shared, row.is_begun))
    return left


def _smaller(batch: Batch, token_budget: int) -> int:
    """Half of what just failed. Raises ModelError when that was a single input."""
    if len(batch.inputs) == 1:
        raise ModelError(
            f"Memory does not suffice for one sequence of {len(batch.inputs[0])} tokens.",
            mend="shorten it (max_length), use bfloat16, a smaller model or a larger machine",
        )
    return max(1, min(token_budget, batch.input_ids.numel()) // 2)


def _answers(
    forward: Forward, batch: Batch, with_choices: bool
) -> Iterator[tuple[int, Likelihood]]:
    """Every request that this batch answers; each needed position goes through the head once.

    Without choices `argmax` is empty.
    """
    readings = [(i, reading) for i, item in enumerate(batch.inputs) for reading in item.readings]
    targets = np.concatenate([reading.targets for _, reading in readings]).astype(np.int64)
    asked = [batch.positions(i, r.start, len(r.targets)) for i, r in readings]
    positions, row_of = np.unique(np.concatenate(asked), return_inverse=True)
    rows, ids = (torch.from_numpy(array).to(forward.device) for array in (row_of, targets))
    found = forward.answer(batch, positions, Wanted(rows, ids, with_choices))
    logprobs = found.logprobs.cpu().numpy()
    refuse_nan(bool(np.isnan(logprobs).any()))
    argmax = np.zeros(0, np.int32)
    if found.choices is not None:
        argmax = found.choices.cpu().numpy().astype(np.int32)[row_of]
    end = 0
    for _, reading in readings:
        own = slice(end, end + len(reading.targets))
        yield reading.request, Likelihood(logprobs[own].copy(), argmax[own].copy())
        end = own.stop
