"""Questions as the model sees them: what `encoding` makes and the three ways of answering use."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from tuneval.models.sequences import Ids, Request


@dataclass(frozen=True, slots=True)
class Choosing:
    """One request for each choice, all after the same context."""

    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A prompt to go on from: at most so many tokens, up to the first of the `stop` texts."""

    ids: Ids
    max_new_tokens: int
    temperature: float
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A text in windows of what the model can read; every token is a target in one of them."""

    requests: tuple[Request, ...]


Asked = Choosing | Writing | Reading
AnyAsked = TypeVar("AnyAsked", Choosing, Writing, Reading)


def of_kind(asked: Mapping[str, Asked], kind: type[AnyAsked]) -> dict[str, AnyAsked]:
    """Those that are asked in one way, by question id."""
    return {name: value for name, value in asked.items() if isinstance(value, kind)}


def prompt_hash(asked: Mapping[str, Asked], skipped: Collection[str]) -> str:
    """16 hex digits over all that the model is given, in order, and over what it is not asked."""
    digest = hashlib.sha256()
    for name, question in asked.items():
        parts, limits = _parts(question)
        shape = [name, type(question).__name__, [len(part) for part in parts], limits]
        digest.update(repr(shape).encode())
        for part in parts:
            digest.update(np.asarray(part, "<i4").tobytes())
    digest.update(repr(sorted(skipped)).encode())
    return digest.hexdigest()[:16]


def _parts(question: Asked) -> tuple[list[Sequence[int] | Ids], object]:
    """The ids that a question is made of, and what bounds its answer."""
    if isinstance(question, Writing):
        return [question.ids], (question.max_new_tokens, question.stop)
    return [ids for request in question.requests for ids in (request.context, request.target)], None
