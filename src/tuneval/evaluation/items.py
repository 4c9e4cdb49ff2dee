"""One evaluated item: where it comes from, what the model knew and said, how it was graded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.errors import RunError

ITEMS_NAME = "items.jsonl"


@dataclass(frozen=True, slots=True)
class TeacherForced:
    """What one forward pass over the true conversation says of its response.

    `nll` is the negative log-likelihood of the response in nats. `n_correct` counts the response
    tokens that are the model's first choice, read directly; `n_correct_aligned` counts the same
    by shifting the choices of all positions against the ids. `n_correct_whole` of `n_whole`
    counts prompt tokens too: the common mistake.
    """

    nll: float
    n_tokens: int
    n_correct: int
    n_correct_aligned: int
    n_correct_whole: int
    n_whole: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the model gives to every choice of a multiple-choice item.

    `logprobs` are summed over the tokens of each choice, in nats. `gold` holds the places of the
    right choices (one, several, or none when nobody knows).
    """

    choices: tuple[str, ...]
    logprobs: tuple[float, ...]
    n_tokens: tuple[int, ...]
    gold: tuple[int, ...]

    @property
    def best(self) -> int:
        """The place of the likeliest choice; of equally likely ones the first."""
        return max(range(len(self.logprobs)), key=self.logprobs.__getitem__)


@dataclass(frozen=True, slots=True)
class Read:
    """The likelihood of a whole text: nats over its tokens, and the size it had as text."""

    nll: float
    n_tokens: int
    n_characters: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Item:
    """An example or question with its answers and grades.

    `skipped` says why a way of answering was left out: {"teacher_forced": reason, "generated":
    reason}. A metric is in `grades` with its value or in `unscored` with the reason.
    `extracted` is what each extractor read from the answer ("strict", "lenient", and "official"
    for the protocol's own), None for nothing. `fields` holds what metrics need beyond texts:
    numbers, label sets, rankings, boxes, seconds; as the file or the task gave it.
    """

    id: str
    source: str
    group: str | None
    tags: Mapping[str, Any]
    prompt: str
    label: str | None
    predict: str | None = None
    finish_reason: str | None = None
    n_tokens: int | None = None
    teacher_forced: TeacherForced | None = None
    chosen: Chosen | None = None
    read: Read | None = None
    extracted: Mapping[str, str | None] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    skipped: Mapping[str, str] = field(default_factory=dict)
    grades: Mapping[str, float] = field(default_factory=dict)
    unscored: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Item:
        """The item that `as_dict` wrote."""
        forced, chosen, read = (row.get(name) for name in ("teacher_forced", "chosen", "read"))
        return cls(
            **{
                **row,
                "teacher_forced": None if forced is None else TeacherForced(**forced),
                "chosen": None if chosen is None else _chosen(chosen),
                "read": None if read is None else Read(**read),
            }
        )

    @property
    def said(self) -> str | None:
        """What counts as the answer: what was extracted, the likeliest choice, or the whole text.

        None when there is no answer, or the protocol's extractor found nothing in it.
        """
        if self.chosen is not None:
            return self.chosen.choices[self.chosen.best].strip()
        for extractor in ("official", "lenient"):
            if extractor in self.extracted:
                return self.extracted[extractor]
        return None if self.predict is None else self.predict.strip()


def _chosen(row: Mapping[str, Any]) -> Chosen:
    return Chosen(**{name: tuple(values) for name, values in row.items()})


def write_items(folder: Path, items: Iterable[Item]) -> None:
    """`items.jsonl`, whole."""
    files.write_jsonl(folder / ITEMS_NAME, (item.as_dict() for item in items))


def read_items(folder: Path) -> list[Item]:
    """The items of a finished evaluation. Raises RunError when they cannot be read."""
    path = folder / ITEMS_NAME
    if not path.is_file():
        raise RunError(
            "This evaluation has no items.",
            where=str(path),
            mend="run the same evaluation again; it continues where it stopped",
        )
    try:
        return [Item.from_dict(row) for row in files.read_jsonl(path)]
    except (TypeError, KeyError) as error:
        raise RunError(
            f"An item of this evaluation is not whole: {error}.",
            where=str(path),
            mend="remove the evaluation's folder and run it again",
        ) from error
