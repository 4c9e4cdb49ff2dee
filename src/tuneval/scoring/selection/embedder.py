"""The vectors that diversity looks at: what is asked in each example, encoded when it is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuneval.data.example import Example, Item
from tuneval.runs.events import Report
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.selection.thinning import Embeddings, Vectors


class Embedder:
    """Loads the encoder when the first text is to be encoded. `account` then says which it was."""

    def __init__(self, name: str, report: Report) -> None:
        self.account: dict[str, Any] = {"name": name, "hash": None}
        self._report = report
        self._encoder: Any = None

    def embeddings(self, items: Mapping[str, Item]) -> Embeddings:
        """Of the texts that the measures embed, too (see `text_of`)."""
        from tuneval.scoring.tasks import text_of

        texts = {
            id: text_of(ScoringItem(item, exercises_of(item)))
            for id, item in items.items()
            if isinstance(item, Example)
        }
        return Embeddings(texts, self.encode)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """A row of unit length each, (N, D)."""
        if self._encoder is None:
            from tuneval.models.embeddings import load_encoder

            self._encoder = load_encoder(self.account["name"], report=self._report)
            self.account = {"name": self._encoder.name, "hash": self._encoder.hash}
        vectors: Vectors = self._encoder.embed(texts, report=self._report)
        return vectors
