"""What a scorer is: which (context, target) pairs it needs, and what it makes of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from tuneval.scoring.item import ScoringItem
from tuneval.scoring.reasons import Unscored

if TYPE_CHECKING:
    from tuneval.models.likelihood import Nll
    from tuneval.models.sequences import Ids, Request
    from tuneval.scoring.config import ScoreConfig
    from tuneval.scoring.setting import Setting


@dataclass(frozen=True, slots=True)
class Part:
    """A measurement that a scorer asks for. `turn` counts the example's exercises from 0."""

    name: str
    turn: int
    request: Request
    peer: str | None = None
    """The id of the other example that takes part, in one-shot measures."""

    @classmethod
    def of(
        cls, name: str, turn: int, context: Ids, target: Ids, *, peer: str | None = None
    ) -> Part:
        """A part from ids."""
        from tuneval.models.sequences import Request

        return cls(name, turn, Request(context, target), peer)


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of one example, and how many target tokens had to be cut off."""

    parts: tuple[Part, ...] = ()
    n_truncated: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """A part and what came of it."""

    part: Part
    nll: Nll


@dataclass(frozen=True, slots=True)
class Reading:
    """What a measure says to a person, in English and Chinese.

    `unit` is `perplexity`, `ratio`, `share`, `tokens`, `nats`, `distance` or `score`; `neutral` is
    the value that parts good from bad, where there is one (1 for IFD).
    """

    title: str
    title_zh: str
    unit: str
    text: str
    text_zh: str
    source: str = ""
    neutral: float | None = None


class Scorer(ABC):
    """One measure. An instance belongs to one scoring of one set.

    The engine calls `begin` once with all items, then `ask` for each, and `combine` for each that
    asked, when all its parts are measured. A scorer without a model asks for no part.
    """

    name: ClassVar[str]
    own_reasons: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Codes that `scoring.reasons` has not: what each means, and what to do."""
    needs: ClassVar[frozenset[str]] = frozenset()
    """Of `model`, `tokenizer`, `tasks`, `embeddings`: what the setting must hold."""

    def __init__(self, config: ScoreConfig) -> None:
        self.config = config

    @property
    @abstractmethod
    def reading(self) -> Reading:
        """What the measure says, for this config."""

    def begin(self, items: Sequence[ScoringItem], setting: Setting) -> None:
        """Look at the whole set, where a score depends on it."""
        return None

    def ask(self, item: ScoringItem, setting: Setting) -> Asked | Unscored:
        """The parts to measure for this item, or why it cannot be scored."""
        return Asked()

    @abstractmethod
    def combine(
        self, item: ScoringItem, measured: Sequence[Measured], setting: Setting
    ) -> float | Unscored:
        """The item's score, finite."""


@dataclass(frozen=True, slots=True)
class Account:
    """How many examples have a value of a measure, and why the others have none."""

    scored: int = 0
    unscored: dict[str, int] = field(default_factory=dict)
    truncated: int = 0
