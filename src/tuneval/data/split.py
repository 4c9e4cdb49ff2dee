"""Training side and held-out side, by a hash: no example ever changes sides when others come."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuneval import files
from tuneval.data.example import Example
from tuneval.data.fingerprint import data_hash
from tuneval.data.read import read
from tuneval.data.write import write_messages
from tuneval.errors import DataError, UsageError

By = Literal["group", "id"]


@dataclass(frozen=True, slots=True)
class Split:
    """The two sides, each in the order of the file."""

    train: tuple[Example, ...]
    held_out: tuple[Example, ...]

    @property
    def on_both_sides(self) -> tuple[str, ...]:
        """Ids of conversations that stand on both sides: exact duplicates of different groups."""
        return tuple(sorted({e.id for e in self.train} & {e.id for e in self.held_out}))


def split(
    examples: Iterable[Example], held_out: float = 0.25, by: By = "group", *, seed: int = 17
) -> Split:
    """Part the examples. About that share of the groups is held out, never exactly.

    An example's side depends on the seed and its own group alone (on its id when it has none, or
    with `by="id"`), so a group is never torn and adding records moves nothing.
    """
    if not 0 <= held_out < 1:
        raise UsageError(
            f"A held-out share of {held_out} makes no sense.", mend="at least 0 and below 1"
        )
    if by not in ("group", "id"):
        raise UsageError(f"A split is by group or by id, not by {by!r}.", mend="by='group'")
    sides: tuple[list[Example], list[Example]] = ([], [])
    for example in examples:
        sides[position(split_key(example, by), seed) < held_out].append(example)
    return Split(tuple(sides[0]), tuple(sides[1]))


def split_key(example: Example, by: By) -> str:
    """What keeps examples together: equal keys are always on one side."""
    if by == "group" and example.group is not None:
        return f"group {example.group}"
    return f"id {example.id}"


def position(key: str, seed: int) -> float:
    """A key's place in [0, 1), evenly spread; below the held-out share it is held out."""
    digest = hashlib.sha256(f"{seed} {key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def split_file(
    path: files.Location,
    folder: Path,
    *,
    held_out: float,
    by: By = "group",
    seed: int = 17,
    format: str = "auto",
) -> dict[str, Any]:
    """Write a file's two sides into a folder as train.jsonl and held_out.jsonl, then split.json.

    Gives what split.json holds. DataError when a side would be empty; UsageError when a side
    would overwrite the file itself.
    """
    targets = {"train": folder / "train.jsonl", "held_out": folder / "held_out.jsonl"}
    for target in targets.values():
        if target.exists() and not files.is_url(path) and os.path.samefile(path, target):
            raise UsageError(
                f"The split would overwrite {path} itself.",
                where=str(target),
                mend="name another folder with --out",
            )
    parted = split(read(path, format), held_out, by, seed=seed)
    sides = {"train": parted.train, "held_out": parted.held_out}
    for name, side in sides.items():
        if not side:
            raise DataError(
                f"The split leaves no {name.replace('_', '-')} example.",
                where=str(path),
                mend="give more examples or groups, or another share or seed",
            )
    account = _account(path, parted, targets, by) | {"asked": held_out, "by": by, "seed": seed}
    for name, side in sides.items():
        write_messages(targets[name], side)
    files.write_json(folder / "split.json", account)
    return account


def _account(
    path: files.Location, parted: Split, targets: dict[str, Path], by: By
) -> dict[str, Any]:
    sides = {"train": parted.train, "held_out": parted.held_out}
    account: dict[str, Any] = {
        name: {
            "file": str(targets[name]),
            "examples": len(side),
            "keys": len({split_key(example, by) for example in side}),
            "data_hash": data_hash(side),
        }
        for name, side in sides.items()
    }
    share = len(parted.held_out) / (len(parted.train) + len(parted.held_out))
    return account | {
        "source": str(path),
        "share": share,
        "on_both_sides": list(parted.on_both_sides),
    }
