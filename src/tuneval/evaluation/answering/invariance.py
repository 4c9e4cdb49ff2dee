"""Whether an answer depends on what else is in the batch: some items asked again, alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.answering.asked import Asked, Choosing, Reading, Writing, of_kind
from tuneval.evaluation.answering.respondent import Invariance

if TYPE_CHECKING:
    from tuneval.models.likelihood import Nll
    from tuneval.models.sequences import Request

# Enough for a difference in the first tokens to show; long answers would cost more than the run.
MOST_NEW_TOKENS = 32
Measure = Callable[[Sequence["Request"]], Sequence["Nll"]]
Write = Callable[[Collection[str], int], Mapping[str, Sequence[int]]]


def check_invariance(
    asked: Mapping[str, Asked],
    rows: Mapping[str, Mapping[str, Any]],
    *,
    n_items: int,
    measure: Measure,
    write: Write,
) -> Invariance | None:
    """Ask up to `n_items` of those with an answer in `rows` again, one by one; None where none has.

    `measure` gives the likelihoods of requests, `write(names, most new tokens)` the ids that are
    said. Choices are compared with the answers that are kept, by all their nats. Texts (the first
    window, by the nats of a token) and the first tokens that are written are asked again twice,
    also together.
    """
    some = spread({name: question for name, question in asked.items() if name in rows}, n_items)
    choosing, reading = of_kind(some, Choosing), of_kind(some, Reading)
    differences = [
        *_choices(choosing, rows, measure),
        *(_texts(reading, measure) if reading else ()),
        *_written(of_kind(some, Writing), write),
    ]
    if not differences:
        return None
    sizes = [d.nats for d in differences if d.nats is not None]
    return Invariance(
        n_items=len(differences),
        n_changed=sum(d.is_changed for d in differences),
        largest=max(sizes, default=None),
        details={
            "choose": len(choosing),
            "read": len(reading),
            "generate": len(some) - len(choosing) - len(reading),
        },
    )


def spread(asked: Mapping[str, Asked], count: int) -> dict[str, Asked]:
    """So many of them at equal distances, the first and the last among them."""
    names = list(asked)
    if len(names) > count:
        step = (len(names) - 1) / max(1, count - 1)
        names = [names[round(place * step)] for place in range(count)]
    return {name: asked[name] for name in names}


@dataclass(frozen=True, slots=True)
class _Difference:
    nats: float | None
    is_changed: bool


def _choices(
    asked: Mapping[str, Choosing], rows: Mapping[str, Mapping[str, Any]], measure: Measure
) -> list[_Difference]:
    found = []
    for name, question in asked.items():
        alone = [-nll.total for nll in measure(question.requests)]
        kept = rows[name]["logprobs"]
        nats = max(abs(a - b) for a, b in zip(alone, kept, strict=True))
        found.append(_Difference(nats, alone.index(max(alone)) != kept.index(max(kept))))
    return found


def _texts(asked: Mapping[str, Reading], measure: Measure) -> list[_Difference]:
    first = [question.requests[0] for question in asked.values()]
    together = measure(first)
    alone = [measure([request])[0] for request in first]
    pairs = zip(together, alone, strict=True)
    return [_Difference(abs(one.mean - other.mean), is_changed=False) for one, other in pairs]


def _written(asked: Mapping[str, Writing], write: Write) -> list[_Difference]:
    together = write(asked.keys(), MOST_NEW_TOKENS) if asked else {}
    return [
        _Difference(None, list(write([name], MOST_NEW_TOKENS)[name]) != list(together[name]))
        for name in asked
    ]
