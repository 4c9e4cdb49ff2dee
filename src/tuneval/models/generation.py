"""What would the model say: completions of many prompts.

Batches of prompts of like length, longest first; what a batch's prompts begin with alike is
read once; a row leaves its batch as soon as it stops.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

from tuneval.errors import ModelError, UsageError
from tuneval.models.decoding import (
    Completion,
    FinishReason,
    IsFinished,
    Prompt,
    decode,
    never,
)
from tuneval.models.forward import core_model, evaluating, longest_input
from tuneval.models.kv_cache import is_roomy, make_cache
from tuneval.models.memory import give_back, is_out_of_memory
from tuneval.models.packed_attention import States
from tuneval.models.sampling import Sampling, dice_seeds
from tuneval.models.sequences import Ids
from tuneval.models.virtual_tokens import virtual_tokens
from tuneval.runs.events import Finished, Report, Started, Step, Warned, ignore

__all__ = ["Completion", "FinishReason", "generate"]

STAGE = "generate"
Keep = Callable[[int, Completion], None]


def generate(
    model: Any,
    prompts: Sequence[Sequence[int] | Ids],
    *,
    stop_ids: Collection[int],
    known: Collection[int] = (),
    is_finished: IsFinished = never,
    max_new_tokens: int | Sequence[int] = 256,
    token_budget: int = 4096,
    temperature: float | Sequence[float] = 0.0,
    top_p: float = 1.0,
    seed: int = 17,
    report: Report = ignore,
    on_done: Keep | None = None,
) -> list[Completion]:
    """One Completion per prompt whose index is not in `known`, in order.

    `on_done(index, completion)` hears each as it ends. An answer ends with one of `stop_ids`,
    which it does not hold, when `is_finished(index, ids so far)` says so, or after
    `max_new_tokens`; these and the temperature may differ from prompt to prompt. `token_budget`
    bounds the tokens that a batch may come to hold, prompts and answers; it is halved when memory
    runs out. Temperature 0 is greedy; what is sampled depends on the seed and the prompt, not on
    the batch. Raises UsageError for an empty prompt, ModelError for one that leaves the model no
    room.
    """
    longest = longest_input(model)
    _refuse_impossible(model, prompts, longest)
    seeds = dice_seeds(prompts, seed)
    n = len(prompts)
    wanted = [max_new_tokens] * n if isinstance(max_new_tokens, int) else max_new_tokens
    heat = [float(temperature)] * n if isinstance(temperature, int | float) else temperature
    waiting = [
        Prompt(
            index,
            np.asarray(ids, dtype=np.int32),
            # The last token need not be read, so it may lie one past what the model reads.
            limit=min(wanted[index], (longest or 2**31) - len(ids) + 1),
            sampling=Sampling(heat[index], top_p),
            dice_seed=seeds[index],
        )
        for index, ids in enumerate(prompts)
        if index not in known
    ]
    waiting.sort(key=lambda prompt: -len(prompt.ids))
    results: dict[int, Completion] = {}

    def keep(index: int, completion: Completion) -> None:
        results[index] = completion
        if on_done is not None:
            on_done(index, completion)
        report(Step(STAGE, len(results), n_asked))

    n_asked = len(waiting)
    report(Started(STAGE, n_asked, "completions"))
    with evaluating(model):
        virtual = virtual_tokens(model)
        _answer_all(
            core_model(model),
            waiting,
            keep,
            stop_ids=frozenset(stop_ids),
            is_finished=is_finished,
            virtual_states=() if virtual is None else virtual.states(),
            token_budget=token_budget,
            report=report,
        )
    said = sum(len(completion.ids) for completion in results.values())
    report(Finished(STAGE, {"completions": len(results), "tokens": said}))
    return [results[index] for index in sorted(results)]


def _answer_all(
    model: Any,
    waiting: list[Prompt],
    keep: Keep,
    *,
    stop_ids: frozenset[int],
    is_finished: IsFinished,
    virtual_states: States,
    token_budget: int,
    report: Report,
) -> None:
    """Batch by batch; after an out-of-memory what has no answer yet begins again in halves."""
    # A window counts places: padding must not lie between a prompt and what is put before it.
    unpadded = bool(virtual_states) and not is_roomy(make_cache(model.config, rows=1, capacity=1))
    while waiting:
        batch = next(_batches(waiting, token_budget, unpadded=unpadded))
        done: set[int] = set()
        try:
            for index, completion in decode(
                model,
                batch,
                stop_ids=stop_ids,
                is_finished=is_finished,
                virtual_states=virtual_states,
            ):
                done.add(index)
                keep(index, completion)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            token_budget = _smaller(batch, token_budget)
            report(Warned(STAGE, f"out of memory: going on with {token_budget} tokens at once"))
        waiting = [prompt for prompt in waiting if prompt.index not in done]
        if len(done) < len(batch):
            give_back()


def _batches(
    waiting: Sequence[Prompt], token_budget: int, *, unpadded: bool
) -> Iterator[list[Prompt]]:
    """Prompts of like length, longest first: rows × (prompt + answer) within the budget.

    `unpadded`: only prompts of the same length come together.
    """
    batch: list[Prompt] = []
    for prompt in waiting:
        size = _size([*batch, prompt])
        differs = unpadded and bool(batch) and len(prompt.ids) != len(batch[0].ids)
        if batch and (size > token_budget or differs):
            yield batch
            batch = []
        batch.append(prompt)
    if batch:
        yield batch


def _size(batch: Sequence[Prompt]) -> int:
    width = max(len(prompt.ids) for prompt in batch) + max(prompt.limit for prompt in batch)
    return len(batch) * width


def _smaller(batch: Sequence[Prompt], token_budget: int) -> int:
    """Half of what just failed. Raises ModelError when that was a single prompt."""
    if len(batch) == 1:
        raise ModelError(
            f"Memory does not suffice for one prompt of {len(batch[0].ids)} tokens "
            f"and an answer of {batch[0].limit}.",
            mend="shorten it, ask for fewer new tokens, or use a smaller model or larger machine",
        )
    return max(1, min(token_budget, _size(batch)) // 2)


def _refuse_impossible(
    model: Any, prompts: Sequence[Sequence[int] | Ids], longest: int | None
) -> None:
    empty = [i for i, prompt in enumerate(prompts) if len(prompt) == 0]
    if empty:
        raise UsageError(
            f"{len(empty)} prompts are empty.",
            where=f"prompts {', '.join(map(str, empty[:10]))}",
            mend="begin with at least one token (BOS)",
        )
    too_long = [i for i, p in enumerate(prompts) if longest is not None and len(p) > longest]
    if too_long:
        raise ModelError(
            f"{len(too_long)} prompts are longer than the {longest} tokens this model reads.",
            where=f"prompts {', '.join(map(str, too_long[:10]))}",
            mend="truncate them (max_length), or choose a model that reads more",
        )
