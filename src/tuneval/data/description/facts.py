"""What `describe` says of a set: counts and spreads of the whole set, nothing estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tuneval.data.description.lengths import Spread
from tuneval.data.description.value_counts import ValueCounts

LengthUnit = Literal["tokens", "characters"]
LIMITS = (512, 1024, 2048, 4096, 8192)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSummary:
    """The turns of one role. `lengths` are those of the turns, in the description's unit."""

    role: str
    n_turns: int
    n_records: int
    lengths: Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """How many groups there are, the records without one, and the largest group's size."""

    n: int
    n_ungrouped: int
    largest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A model's tokens. `n_uncounted` records could not be put into its template.

    `longer_than` counts the records with more tokens than each of LIMITS.
    """

    model: str
    template: str
    total: int
    trained: int
    longer_than: Mapping[int, int]
    n_uncounted: int
    first_uncounted: str

    @property
    def trained_share(self) -> float | None:
        """The share of the tokens that carry loss."""
        return self.trained / self.total if self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A record at one of the ends: where it is, how long, and what it says, cut short."""

    where: str
    id: str
    length: int
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSummary:
    """The records with one value of the facet that `describe` was asked to look by."""

    value: str
    n_records: int
    share: float
    lengths: Spread | None
    mean_turns: float
    languages: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Records that could not be read, and the first reasons with their places.

    `n` is 0 where something is wrong with the set but not with a record, as when it breaks off.
    """

    n: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Description:
    """A set in numbers. All of them but `unusable` are about the records that can be read.

    `lengths` are those of whole records, in `unit`: tokens as a model has them, template
    included, or characters of all turns. A word is a run of characters between white space; a
    Chinese or Japanese character is one by itself. `turns` leaves system turns out.
    `n_repeats` records are copies of an earlier one, `n_reasked` ask as an earlier one did and
    answer otherwise. `languages` has a side (prompt, response, text) and the records in each
    language (see `languages.LANGUAGES`).
    """

    location: str
    format: str
    format_reason: str
    n_records: int
    unusable: Unusable
    kinds: Mapping[str, int]
    unit: LengthUnit
    lengths: Spread | None
    characters: Spread | None
    words: Spread | None
    tokens: Tokens | None
    turns: Spread | None
    roles: tuple[RoleSummary, ...]
    n_with_tools: int
    n_tool_calls: int
    languages: Mapping[str, Mapping[str, int]]
    files: ValueCounts
    groups: Groups
    n_repeats: int
    n_reasked: int
    labels: tuple[ValueCounts, ...]
    tags: tuple[ValueCounts, ...]
    shortest: tuple[Sight, ...]
    longest: tuple[Sight, ...]
    by: str | None
    parts: tuple[PartSummary, ...]

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        content = asdict(self)
        for name in ("labels", "tags"):
            content[name] = [counts.as_dict() for counts in getattr(self, name)]
        content["files"] = self.files.as_dict()
        if self.tokens is not None:
            content["tokens"]["trained_share"] = self.tokens.trained_share
        return content
