"""How much to choose: `20%`, `500`, `200000 tokens`, `20% tokens`.

A share is always one of the whole set: of all distinct examples that were offered, those without a
score included, or of all their response tokens. It is never a share of what a filter left, nor of
some other set's size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from tuneval.errors import UsageError

Unit = Literal["examples", "tokens"]
_FORM = re.compile(r"(\d[\d_]*(?:\.\d+)?)\s*(%)?\s*(tokens?)?", re.ASCII)
_FORMS = "20%, 500, 200000 tokens or 20% tokens"
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Amount:
    """A share of the whole set or a number, of examples or of response tokens."""

    text: str
    unit: Unit
    share: Fraction | None = None
    n: int | None = None

    def of(self, total: int) -> int:
        """How much of a set that has so much, halves rounded up: never none of something."""
        if self.n is not None:
            return self.n
        exact = (self.share or Fraction()) * total
        return max(min(1, total), int(exact + Fraction(1, 2)))


def parse_amount(text: str) -> Amount:
    """The amount that a person wrote. Raises UsageError with the forms there are."""
    found = _FORM.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if found is None:
        raise UsageError(f"'{text[:_LONGEST]}' is no amount.", mend=f"write {_FORMS}")
    digits, percent, tokens = found[1].replace("_", ""), found[2], found[3]
    unit: Unit = "tokens" if tokens else "examples"
    number = Fraction(digits)
    if percent:
        if not 0 < number <= 100:
            raise UsageError(f"'{text}' of a set makes no sense.", mend="above 0% and at most 100%")
        return Amount(text, unit, share=number / 100)
    if number.denominator != 1 or number < 1:
        share = f", or {float(number * 100):g}% for that share" if number < 1 else ""
        raise UsageError(
            f"'{text}' is no number of {unit}.", mend=f"write a whole number from 1{share}"
        )
    return Amount(text, unit, n=int(number))
