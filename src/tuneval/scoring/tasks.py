"""Which task each example belongs to: what a field of its record says, or a cluster of meaning.

Here stands, too, which text of an example is embedded, for clusters and for all other purposes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from tuneval.catalog import did_you_mean
from tuneval.data.cutting.facet import MOST_NAMES, NONE, Facet
from tuneval.data.draft import Draft
from tuneval.data.example import Example, canonical_json
from tuneval.data.record import kind_of
from tuneval.errors import UsageError
from tuneval.runs.events import Report, ignore
from tuneval.scoring.clustering import cluster, usual_clusters
from tuneval.scoring.item import ScoringItem
from tuneval.scoring.neighbours import Vectors

if TYPE_CHECKING:
    from tuneval.models.embeddings import Encoder

Embedded = Literal["question", "exchange"]


def tasks_from_field(drafts: Iterable[Draft], field: str) -> dict[str, str]:
    """The task of each conversation, by id, as its record's `field` names it.

    `field` is a key of the record or a path to one (`meta.task`). Where no record has it, it is a
    facet, as in `tuneval data describe --by`: a tag, `label`, `label.intent`, `group` or `file`. Of
    equal conversations the first speaks; those without a value are left out. Raises UsageError
    when none has one, or one that is no name.
    """
    by_key: dict[str, str] = {}
    by_facet: dict[str, str] = {}
    facet = Facet(field)
    others: dict[str, None] = {}
    for draft in drafts:
        item = draft.item
        if not isinstance(item, Example):
            continue
        record = draft.record.value or {}
        name = _name(_at(record, field), field, str(item.source))
        if name:
            by_key.setdefault(item.id, name)
        other = facet.of(item).strip()
        if other and other != NONE:
            by_facet.setdefault(item.id, other)
        if len(others) < MOST_NAMES:
            others |= dict.fromkeys(_names_in(record))
    found = by_key or by_facet
    if not found:
        raise UsageError(
            f"No record has a value for '{field}'.",
            mend=did_you_mean(field, [*others, "label", "group", "file"]),
        )
    return found


def tasks_from_clusters(
    ids: Sequence[str],
    vectors: Vectors,
    *,
    clusters: int | None = None,
    seed: int,
    report: Report = ignore,
) -> dict[str, str]:
    """`cluster-01`, `cluster-02`, … by id: what is alike in meaning is a task, the largest first.

    `vectors` are (N, D) of unit length. Without `clusters` their number grows with the set, see
    `usual_clusters`. The same seed over the same set gives the same clusters.
    """
    if len(ids) != len(vectors):
        raise UsageError(f"There are {len(ids)} ids and {len(vectors)} embeddings.")
    wanted = usual_clusters(len(ids)) if clusters is None else clusters
    found = cluster(vectors, wanted, seed=seed, report=report)
    _, first, sizes = np.unique(found, return_index=True, return_counts=True)
    place = np.empty(len(sizes), np.int64)
    place[np.lexsort((first, -sizes))] = np.arange(1, len(sizes) + 1)
    width = max(2, len(str(len(sizes))))
    return {id: f"cluster-{place[own]:0{width}}" for id, own in zip(ids, found, strict=True)}


def text_of(item: ScoringItem, *, of: Embedded = "question") -> str:
    """The text that is embedded for an item: its first exercise's instruction and input.

    An `exchange` is the question and its answer. Empty where there are no words in it.
    """
    if not item.exercises:
        return ""
    first = item.exercises[0]
    parts = [first.instruction, first.input]
    if of == "exchange":
        parts.append(first.response)
    return "\n".join(part for part in map(str.strip, parts) if part)


def embed_items(
    items: Iterable[ScoringItem],
    encoder: Encoder,
    *,
    of: Embedded = "question",
    report: Report = ignore,
) -> dict[str, npt.NDArray[np.float32]]:
    """A row of unit length, (D,), by id, of each item that has a text; in the items' order."""
    texts = {item.id: text for item in items if (text := text_of(item, of=of))}
    if not texts:
        return {}
    return dict(zip(texts, encoder.embed(list(texts.values()), report=report), strict=True))


def _at(record: Mapping[str, Any], field: str) -> Any:
    """The value of a key, or at a dotted path; None where there is none."""
    if field in record:
        return record[field]
    head, dot, rest = field.partition(".")
    inner = record.get(head)
    return _at(inner, rest) if dot and isinstance(inner, dict) else None


def _name(value: Any, field: str, where: str) -> str | None:
    """A value as the name of a task; None for null and for a text without a word."""
    if isinstance(value, dict | list):
        raise UsageError(
            f"'{field}' is {kind_of(value)} and names no task.",
            where=where,
            mend=_inner_mend(value, field),
        )
    if value is None or isinstance(value, str):
        return (value or "").strip() or None
    return canonical_json(value)


def _inner_mend(value: Any, field: str) -> str:
    inner = [f"{field}.{key}" for key in value] if isinstance(value, dict) else []
    return f"name one of {', '.join(inner[:10])}" if inner else "name a field that holds one text"


def _names_in(record: Mapping[str, Any]) -> Iterator[str]:
    """Keys that hold a plain value, and those of the objects in it."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from (f"{key}.{inner}" for inner in value)
        elif not isinstance(value, list):
            yield key
