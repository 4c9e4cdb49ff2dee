"""What would the model say: completions of many prompts, greedy or drawn by a seed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import closing
from functools import partial
from typing import Any

import numpy as np

from tuneval.errors import ModelError, UsageError
from tuneval.models.answer import Completion, FinishReason, IsFinished, Prompt, never
from tuneval.models.continuous import can_be_continuous, decode_continuously, most_rows
from tuneval.models.decoding import decode_in_batches
from tuneval.models.forward import core_model, evaluating, longest_input
from tuneval.models.memory import find_room, give_back, is_out_of_memory
from tuneval.models.packed_attention import States, length_of
from tuneval.models.sampling import Sampling, dice_seeds
from tuneval.models.sequences import Ids
from tuneval.models.virtual_tokens import virtual_tokens
from tuneval.runs.events import Finished, Report, Started, Step, Warned, ignore

__all__ = ["Completion", "FinishReason", "generate"]

STAGE = "generate"
# Tokens held at a time where nothing says how many there is room for.
ROOM = 4096
Keep = Callable[[int, Completion], None]
Decode = Callable[..., Generator[tuple[int, Completion], None, None]]


def generate(
    model: Any,
    prompts: Sequence[Sequence[int] | Ids],
    *,
    stop_ids: Collection[int],
    known: Collection[int] = (),
    is_finished: IsFinished = never,
    max_new_tokens: int | Sequence[int] = 256,
    token_budget: int | None = None,
    batch_size: int | None = None,
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
    bounds the tokens that are held at a time, prompts and answers (None: found by the memory
    there is); it is halved when memory runs out. `batch_size` bounds the answers that are made at
    a time. Temperature 0 is greedy; what is sampled depends on the seed and the prompt, not on the
    batch. Raises UsageError for an empty prompt, ModelError for one that leaves the model no room.
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
    results: dict[int, Completion] = {}

    def keep(index: int, completion: Completion) -> None:
        results[index] = completion
        if on_done is not None:
            on_done(index, completion)
        report(Step(STAGE, len(results), n_asked))

    n_asked = len(waiting)
    report(Started(STAGE, n_asked, "completions"))
    if waiting:
        with evaluating(model):
            most = most_rows(core_model(model))
            most = min(most, batch_size or most)
            decode, room = _decoder(model, waiting, frozenset(stop_ids), is_finished, most)
            room = min(room, token_budget or room)
            _answer_all(decode, waiting, keep, token_budget=room, report=report)
    said = sum(len(completion.ids) for completion in results.values())
    report(Finished(STAGE, {"completions": len(results), "tokens": said}))
    return [results[index] for index in sorted(results)]


def _decoder(
    model: Any,
    prompts: Sequence[Prompt],
    stop_ids: frozenset[int],
    is_finished: IsFinished,
    batch_size: int,
) -> tuple[Decode, int]:
    """How this model answers, and the most tokens that are worth holding at a time.

    Continuously, or in padded batches where only these are right.
    """
    core, virtual = core_model(model), virtual_tokens(model)
    states: States = () if virtual is None else virtual.states()
    longest = max(prompts, key=lambda prompt: len(prompt.ids))
    is_continuous = can_be_continuous(core, longest.ids, states)
    decode = partial(
        decode_continuously if is_continuous else decode_in_batches,
        core,
        stop_ids=stop_ids,
        is_finished=is_finished,
        virtual_states=states,
        batch_size=batch_size,
    )
    held = batch_size * (length_of(states) + max(prompt.size for prompt in prompts))
    return decode, min(held, find_room(core, usual=ROOM))


def _answer_all(
    decode: Decode, waiting: list[Prompt], keep: Keep, *, token_budget: int, report: Report
) -> None:
    """All of them; after an out-of-memory what has no answer yet begins again in halves."""
    while waiting:
        done: set[int] = set()
        is_too_much = False
        try:
            # Closed at once, whatever happens here: it must give the model its attention back.
            with closing(decode(waiting, token_budget=token_budget)) as answers:
                for index, completion in answers:
                    done.add(index)
                    keep(index, completion)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            is_too_much = True
        waiting = [prompt for prompt in waiting if prompt.index not in done]
        if is_too_much:  # here the error, and with it what the failed pass held, is gone
            give_back()
            token_budget = _smaller(waiting, token_budget)
            report(Warned(STAGE, f"out of memory: going on with {token_budget} tokens at once"))


def _smaller(waiting: Sequence[Prompt], token_budget: int) -> int:
    """Half of what just failed. Raises ModelError when that was a single prompt."""
    largest = max(waiting, key=lambda prompt: prompt.size)
    if len(waiting) == 1 or token_budget <= largest.size:
        raise ModelError(
            f"Memory does not suffice for one prompt of {len(largest.ids)} tokens "
            f"and an answer of {largest.limit}.",
            mend="shorten it, ask for fewer new tokens, or use a smaller model or larger machine",
        )
    return max(1, min(token_budget, len(waiting) * largest.size) // 2)


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
