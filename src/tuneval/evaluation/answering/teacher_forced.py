"""What the model gives to the true response: its likelihood, and which tokens it would choose.

Token accuracy over the response is obtained in two ways that must agree, and in a third one that
is wrong: directly, from the positions of the response alone; by index alignment afterwards, from
the choices at all positions against labels that are -100 outside the response; and over the
whole sequence, prompt included, as is often done by mistake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from tuneval.evaluation.answering.kept import Kept, warnings_only
from tuneval.evaluation.items import TeacherForced
from tuneval.runs.events import Finished, ItemDone, Report, Started, ignore
from tuneval.tokenization.tokens import Tokens

if TYPE_CHECKING:
    from tuneval.models.likelihood import Likelihood, Request

IGNORED = -100


def measure(
    model: Any,
    tokens: Mapping[str, Tokens],
    *,
    kept: Kept,
    token_budget: int | None,
    batch_size: int | None,
    stage: str,
    report: Report = ignore,
) -> None:
    """Measure every example of `tokens` (by item id) that is not kept yet, and keep it.

    What is measured after a kill is measured just as it would have been without.
    """
    from tuneval.models.likelihood import measure_likelihood

    report(Started(stage, len(tokens), "items"))
    items = list(tokens.items())
    known = {number for number in range(2 * len(items)) if items[number // 2][0] in kept}
    halves: dict[int, dict[int, Likelihood]] = {}

    def on_result(number: int, likelihood: Likelihood) -> None:
        position, half = divmod(number, 2)
        found = halves.setdefault(position, {})
        found[half] = likelihood
        if len(found) < 2:
            return
        item_id, item_tokens = items[position]
        values = combine(item_tokens, response=found[0], whole=found[1])
        del halves[position]
        kept.append({"id": item_id, **asdict(values)})
        report(ItemDone(stage, item_id, len(kept), len(tokens)))

    if len(known) < 2 * len(items):
        measure_likelihood(
            model,
            [request for _, item_tokens in items for request in requests_of(item_tokens)],
            known=known,
            token_budget=token_budget,
            batch_size=batch_size,
            report=warnings_only(report),
            on_result=on_result,
        )
    report(Finished(stage))


def requests_of(tokens: Tokens) -> tuple[Request, Request]:
    """The response given all before it, and everything given the first token: one sequence."""
    from tuneval.models.likelihood import Request

    ids = tokens.ids
    start = first_response_token(tokens)
    return Request(ids[:start], ids[start:]), Request(ids[:1], ids[1:])


def first_response_token(tokens: Tokens) -> int:
    """Position of the first token to predict; the very first token has nothing before it."""
    return max(1, int(tokens.loss_mask.argmax()))


def combine(tokens: Tokens, *, response: Likelihood, whole: Likelihood) -> TeacherForced:
    """The counts of one item from its two likelihoods."""
    start = first_response_token(tokens)
    mask = tokens.loss_mask[start:]
    direct = np.asarray(response.argmax)[mask] == tokens.ids[start:][mask]
    logprobs = np.asarray(response.logprobs, dtype=np.float64)
    choices = np.asarray(whole.argmax)
    return TeacherForced(
        nll=-float(logprobs[mask].sum()),
        n_tokens=int(mask.sum()),
        n_correct=int(direct.sum()),
        n_correct_aligned=count_aligned(choices, tokens),
        n_correct_whole=int((choices == tokens.ids[1:]).sum()),
        n_whole=len(tokens) - 1,
    )


def count_aligned(choices: Sequence[int] | np.ndarray[Any, Any], tokens: Tokens) -> int:
    """Right choices where labels are not ignored; choice i was made after token i, for i + 1."""
    labels = np.where(tokens.loss_mask, tokens.ids, IGNORED)[1:]
    return int(((np.asarray(choices) == labels) & (labels != IGNORED)).sum())
