"""Where a micro-batch's documents stand in the rows that are kept, found by their content.

By content, since a micro-batch may have come from another process, or be a piece of a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tuneval.models.packed_attention import Layout
from tuneval.tokenization import Tokens
from tuneval.training.batches import Collate, Row


@dataclass(frozen=True, slots=True)
class Place:
    """A document of a row, both by their index."""

    row: int
    document: int


class Places:
    """The rows that are kept, equal ones once, and their documents. `digest` names all of them.

    `collate` makes the micro-batch of each row alone.
    """

    def __init__(self, rows: Sequence[Row], collate: Collate) -> None:
        row_of: dict[tuple[bytes, ...], Row] = {}
        for row in rows:
            row_of.setdefault(tuple(map(_key, row.documents)), row)
        self._rows, self._keys = tuple(row_of.values()), tuple(row_of)
        self._collate = collate
        self._rows_from: dict[bytes, list[int]] = {}
        self._place_of: dict[bytes, Place] = {}
        for index, keys in enumerate(self._keys):
            self._rows_from.setdefault(keys[0], []).append(index)
            for document, key in enumerate(keys):
                self._place_of.setdefault(key, Place(index, document))
        for found in self._rows_from.values():
            found.sort(key=lambda row: -len(self._keys[row]))
        self.digest = _digest(self._keys)

    def inputs(self, row: int) -> dict[str, Any]:
        """The micro-batch of one row alone."""
        return self._collate([self._rows[row]])

    def layouts(self) -> Iterator[Layout]:
        """How each row's micro-batch lies, in order."""
        return (self.inputs(row)["layout"] for row in range(len(self._rows)))

    def find(self, documents: Sequence[Tokens]) -> list[Place] | None:
        """A place for each, in whole rows where they are whole; None when one is not known.

        What leaves a layer has other last bits in another row, so whole rows are found as such.
        """
        keys = tuple(map(_key, documents))
        places: list[Place] = []
        while rest := keys[len(places) :]:
            row = self._row_that_begins(rest)
            if row is not None:
                places += self._whole(row)
            elif rest[0] in self._place_of:
                places.append(self._place_of[rest[0]])
            else:
                return None
        return places

    def is_row(self, places: Sequence[Place]) -> bool:
        """Whether these are one row, whole and in order."""
        return list(places) == self._whole(places[0].row)

    def _row_that_begins(self, keys: tuple[bytes, ...]) -> int | None:
        """The longest row whose documents are the first of these."""
        for row in self._rows_from.get(keys[0], ()):
            if self._keys[row] == keys[: len(self._keys[row])]:
                return row
        return None

    def _whole(self, row: int) -> list[Place]:
        return [Place(row, document) for document in range(len(self._keys[row]))]


def _key(document: Tokens) -> bytes:
    # The mask too: a row's shared prefix ends before the first target of any document.
    content = document.ids.tobytes() + document.loss_mask.tobytes()
    return hashlib.sha256(content).digest()


def _digest(rows: Sequence[tuple[bytes, ...]]) -> str:
    content = hashlib.sha256()
    for keys in rows:
        content.update(len(keys).to_bytes(8, "little") + b"".join(keys))
    return content.hexdigest()
