"""What a stage is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tuneval.data.example import Kind
from tuneval.tokenization import EncodedSet, Template


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of the table.

    `reads` is the kind of items it learns from. `encode(items, template, max_length)` gives
    their tokens, none longer than `max_length`, and the account of what was lost; of the template
    one that does not use it takes the tokenizer alone.
    """

    reads: Kind
    encode: Callable[[Sequence[Any], Template, int], EncodedSet]
    uses_template: bool = True
