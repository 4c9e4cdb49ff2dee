"""What is to be mixed: sets with their weights, and how they follow one another."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, get_args

from tuneval import files
from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError

Strategy = Literal["proportional", "concat", "interleave_under", "interleave_over"]
STRATEGIES: tuple[str, ...] = get_args(Strategy)
_ENDINGS = re.compile(r"(\.(jsonl?|csv|tsv|txt|parquet|arrow|gz|zst|bz2|xz))+$")


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A set, its weight, and the name that its records are marked with."""

    location: str
    weight: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.weight < math.inf:
            raise UsageError(
                f"A weight of {self.weight:g} makes no sense.",
                where=self.location,
                mend="above 0; leave the set out if none of it is wanted",
            )


@dataclass(frozen=True, kw_only=True)
class Mixture:
    """The sets and how they are mixed.

    With `proportional` and `concat` a weight says how often each record is taken: 2 is every
    record twice, 0.5 is half of the records, 1.5 is every record and half of them once more.
    With `total` so many records are taken in all, and the weights say in which proportion.
    `proportional` spreads each set evenly over the whole; `concat` puts one after the other.

    With the `interleave` strategies a weight is the chance of a set to give the next record.
    `interleave_under` ends as soon as one set is used up; `interleave_over` begins a used-up set
    anew, until every set has been used up.
    """

    ingredients: Sequence[Ingredient]
    strategy: Strategy = "proportional"
    total: int | None = None
    seed: int = 17

    def __post_init__(self) -> None:
        if not self.ingredients:
            raise UsageError("There is nothing to mix.", mend="name sets, as A.jsonl=2 B.jsonl")
        if self.strategy not in STRATEGIES:
            raise UsageError(
                f"There is no strategy called '{self.strategy}'.",
                mend=did_you_mean(self.strategy, list(STRATEGIES)),
            )
        if self.total is not None and self.total < 1:
            raise UsageError(f"A total of {self.total} makes no sense.", mend="at least 1")
        if self.total is not None and self.strategy.startswith("interleave"):
            raise UsageError(
                f"With {self.strategy} the sets decide how many records there are.",
                mend="leave --total out, or use the strategy proportional",
            )

    def takes(self, sizes: Sequence[int]) -> list[int]:
        """How many records to take of sets of these sizes, for proportional and concat.

        A total is shared out by largest remainders, ties to the set named first.
        """
        weights = [ingredient.weight for ingredient in self.ingredients]
        if self.total is None:
            return [math.floor(w * size + 0.5) for w, size in zip(weights, sizes, strict=True)]
        ideal = [self.total * weight / sum(weights) for weight in weights]
        counts = [math.floor(share) for share in ideal]
        by_remainder = sorted(range(len(ideal)), key=lambda i: (counts[i] - ideal[i], i))
        for i in by_remainder[: self.total - sum(counts)]:
            counts[i] += 1
        return counts


def parse_ingredients(words: Sequence[str]) -> list[Ingredient]:
    """The sets that `A.jsonl=0.5 B.jsonl` names. A name is the file's without its ending."""
    found = [_parse(word) for word in words]
    names: dict[str, int] = {}
    ingredients = []
    for location, weight in found:
        name = _name(location)
        names[name] = names.get(name, 0) + 1
        unique = name if names[name] == 1 else f"{name}-{names[name]}"
        ingredients.append(Ingredient(location, weight, unique))
    return ingredients


def _parse(word: str) -> tuple[str, float]:
    """The text after the last `=` is a weight, unless the whole names something that is there."""
    location, mark, weight = word.rpartition("=")
    if not mark or (not files.is_url(word) and files.exists(word)):
        return word, 1.0
    try:
        return location, float(weight)
    except ValueError:
        raise UsageError(
            f"'{weight}' is no weight, and there is no set '{word}'.", mend=f"{location}=0.5"
        ) from None


def _name(location: str) -> str:
    """`belle` of `data/belle.jsonl.gz`, `hub:org/belle` and `dataset_info.json#belle`."""
    last = location.rpartition("#")[2] if ".json#" in location else location
    name = PurePath(last.rstrip("/").rpartition(":")[2]).name
    return _ENDINGS.sub("", name) or name or last
