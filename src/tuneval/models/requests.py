"""Requests on their way to another process, and those that no engine can answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuneval.errors import ModelError, UsageError
from tuneval.models.sequences import Ids, Request


@dataclass(frozen=True, slots=True)
class PackedRequests:
    """Requests as three arrays: all ids end to end (N,), and the tokens of each context, target."""

    ids: Ids
    n_context: Ids
    n_target: Ids

    @classmethod
    def pack(cls, requests: Sequence[Request]) -> PackedRequests:
        """Ready to be sent."""
        pieces = [part for request in requests for part in (request.context, request.target)]
        return cls(
            np.concatenate([np.asarray(piece, np.int32) for piece in pieces], dtype=np.int32),
            np.array([len(request.context) for request in requests], np.int32),
            np.array([len(request.target) for request in requests], np.int32),
        )

    def unpack(self) -> list[Request]:
        """The requests, as views of the ids."""
        lengths = np.stack([self.n_context, self.n_target], axis=1).ravel()
        pieces = np.split(self.ids, np.cumsum(lengths)[:-1])
        return [Request(*pair) for pair in zip(pieces[::2], pieces[1::2], strict=True)]


def n_tokens(request: Request) -> int:
    """Tokens of a request, context and target."""
    return len(request.context) + len(request.target)


def refuse_impossible(requests: Sequence[Request], longest: int | None) -> None:
    """Raises UsageError for requests without context, ModelError for inputs beyond `longest`."""
    empty = [i for i, request in enumerate(requests) if len(request.context) == 0]
    if empty:
        raise UsageError(
            f"{len(empty)} requests have no context, so nothing predicts their first token.",
            where=f"requests {_few(empty)}",
            mend="begin the context with at least one token (BOS, or the text's first token)",
        )
    lengths = [n_tokens(request) - 1 for request in requests]
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
