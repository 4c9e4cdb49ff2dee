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
class Item:
    """An example with its answers and grades.

    `skipped` says why a way of answering was left out: {"teacher_forced": reason, "generated":
    reason}. A metric is in `grades` with its value or in `unscored` with the reason.
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
    skipped: Mapping[str, str] = field(default_factory=dict)
    grades: Mapping[str, float] = field(default_factory=dict)
    unscored: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> Item:
        """The item that `as_dict` wrote."""
        forced = row["teacher_forced"]
        return cls(**{**row, "teacher_forced": None if forced is None else TeacherForced(**forced)})


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
