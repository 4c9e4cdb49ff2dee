"""Ranking from one's own file: the documents of a query put in order of relevance."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from tuneval.evaluation.task import TaskAbout
from tuneval.evaluation.tasks.own import OwnTask, Posed, Row, json_value

INSTRUCTION = {
    "en": {
        "choose": "Which document answers the query best? Answer with its letter only.",
        "generate": "Put all documents in order, the one that answers the query best first. "
        "Answer with their letters only, such as: B > A > C.",
    },
    "zh": {
        "choose": "哪一篇文档最能回答这个查询？只回答它的字母。",
        "generate": "请把所有文档按与查询的相关程度从高到低排列，只回答字母，例如：B > A > C。",
    },
}
WORDS = {"en": ("Query", "Document"), "zh": ("查询", "文档")}
LETTERS = string.ascii_uppercase


class Ranking(OwnTask):
    """Queries with up to 26 documents each, some of them relevant."""

    about: ClassVar[TaskAbout] = TaskAbout(
        name="ranking",
        title="Ranking (own file)",
        summary="The documents of a query in order of relevance",
        kind="ranking",
        languages=("any",),
        capabilities=("understanding",),
        metrics=("ndcg:10", "mrr", "map"),
        protocols={
            "choose": "all documents are shown; the order is that of the likelihoods of their "
            "letters as the first token, as in Reddy et al. (2024)",
            "generate": "all documents are shown; the model writes their order, as in "
            "Sun et al. (2023); documents that it leaves out come last",
        },
        layout='rows with "query", "documents" (texts, or objects with "id" and "text") and '
        '"relevance": {id: gain}, the ids of the relevant ones, or a gain for each document; '
        "documents without an id are called by their place, from 1",
        source="own file",
        licence="that of the file",
    )

    kind: Literal["ranking"] = "ranking"
    protocol: Literal["choose", "generate"] = "choose"
    max_new_tokens: int = 128

    def pose(self, rows: Sequence[Row]) -> list[Posed]:
        """As in `OwnTask`."""
        return [self._posed(row) for row in rows]

    def _posed(self, row: Row) -> Posed:
        documents = _documents(row)
        gains = _gains(row, list(documents))
        letters = LETTERS[: len(documents)]
        query, document = WORDS[self.language]
        shown = "\n\n".join(
            f"{document} {letter}: {text}"
            for letter, text in zip(letters, documents.values(), strict=True)
        )
        words = self.instruction or INSTRUCTION[self.language][self.protocol]
        places = sorted(range(len(documents)), key=lambda n: -list(gains.values())[n])
        order = " > ".join(letters[n] for n in places)
        best = max(gains.values())
        is_choice = self.protocol == "choose"
        return Posed(
            text=f"{query}: {row.text('query')}\n\n{shown}\n\n{words}",
            answer=letters[places[0]] if is_choice else order,
            choices=tuple(letters) if is_choice else (),
            gold=tuple(n for n, gain in enumerate(gains.values()) if gain == best),
            used=("query", "documents", "relevance"),
            fields={"relevance": gains, "documents": list(documents)},
        )


def _documents(row: Row) -> dict[str, str]:
    """The texts by id, in the file's order."""
    given = json_value(row, "documents", row.get("documents"))
    found: dict[str, str] = {}
    if isinstance(given, list):
        for number, one in enumerate(given, start=1):
            has_id = isinstance(one, dict) and one.get("id") is not None
            text = one.get("text") if isinstance(one, dict) else one
            if not isinstance(text, str) or not text.strip():
                raise row.error(f"Document {number} has no text.", mend="give it a text")
            found[str(one["id"]) if has_id else str(number)] = text
    if not 2 <= len(found) <= len(LETTERS) or len(found) != len(given):
        raise row.error(
            "'documents' is no list of 2 to 26 documents with different ids.",
            mend='write ["a text", …] or [{"id": "a", "text": "…"}, …]',
        )
    return found


def _gains(row: Row, ids: Sequence[str]) -> dict[str, float]:
    """The gain of each document, 0 for those not named; at least one is above 0."""
    given = json_value(row, "relevance", row.get("relevance"))
    gains: dict[Any, Any] = {}
    if isinstance(given, dict):
        gains = {str(key): gain for key, gain in given.items()}
    elif isinstance(given, list):
        # As many numbers as documents are gains: as ids they would call every document relevant.
        is_of_each = len(given) == len(ids) and not any(isinstance(part, str) for part in given)
        gains = (
            dict(zip(ids, given, strict=True)) if is_of_each else {str(part): 1 for part in given}
        )
    numbers = [gain for gain in gains.values() if isinstance(gain, int | float) and gain >= 0]
    if len(numbers) != len(gains) or not set(gains) <= set(ids) or not any(numbers):
        raise row.error(
            "'relevance' does not say which of the documents are relevant.",
            mend="write {id: gain}, a list of ids, or a gain of 0 or more for each document",
        )
    return {name: float(gains.get(name, 0)) for name in ids}
