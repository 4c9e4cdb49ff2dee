"""Encode many examples, counting what did not fit and naming what could not be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tuneval.data.example import Example
from tuneval.errors import DataError
from tuneval.tokenization.template import Template
from tuneval.tokenization.tokens import Tokens


@dataclass(slots=True)
class EncodedSet:
    """Tokens of the usable examples in their order, and the account of the rest.

    `truncated` counts examples by what they lost; `unusable` holds (example id, place, reason).
    `more_blocks` counts the blocks of examples cut into several, beyond the first of each.
    """

    tokens: list[Tokens] = field(default_factory=list)
    truncated: dict[str, int] = field(
        default_factory=lambda: {"exchanges": 0, "prompt": 0, "response": 0}
    )
    unusable: list[tuple[str, str, str]] = field(default_factory=list)
    more_blocks: int = 0

    @property
    def n_examples(self) -> int:
        """Usable examples, each counted once."""
        return len(self.tokens) - self.more_blocks

    @property
    def n_tokens(self) -> int:
        """Tokens of all examples."""
        return sum(len(t) for t in self.tokens)

    @property
    def n_trained(self) -> int:
        """Tokens that carry loss."""
        return sum(t.n_trained for t in self.tokens)

    def account(self) -> dict[str, object]:
        """The numbers for a report."""
        return {
            "examples": self.n_examples,
            "tokens": self.n_tokens,
            "trained_tokens": self.n_trained,
            "truncated": dict(self.truncated),
            "unusable": [
                {"example": i, "where": where, "reason": reason}
                for i, where, reason in self.unusable
            ],
        }


def encode_all(
    examples: Iterable[Example], template: Template, *, max_length: int | None = None
) -> EncodedSet:
    """Encode every example; one that cannot be used is listed with its reason, never silent."""
    result = EncodedSet()
    for example in examples:
        try:
            encoded = template.encode(example, max_length=max_length)
        except DataError as error:
            result.unusable.append((example.id, str(example.source), error.what))
            continue
        result.tokens.append(encoded.tokens)
        if lost := encoded.truncation:
            result.truncated["exchanges"] += lost.dropped_exchanges > 0
            result.truncated["prompt"] += lost.cut_prompt_tokens > 0
            result.truncated["response"] += lost.cut_response_tokens > 0
    return result
