"""The items that lm-eval's sample rows become: one for each document, whatever filters read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tuneval.evaluation.items import Chosen, Item
from tuneval.evaluation.metrics.lm_eval import FIELD, NO_FILTER

EXTRACTORS = {"strict-match": "strict", "flexible-extract": "lenient"}
"""What filters of lm-eval are called among our extractors; others keep their names."""
HASH_DIGITS = 12

Row = Mapping[str, Any]
Gold = Callable[[Row, Sequence[str]], int | None]


def items_of(rows: Iterable[Row], *, source: str, task: str) -> list[Item]:
    """The items of a sample file's rows, in the order of the documents.

    An item's id is the document's number with a hash of its content, so that only answers to the
    same document pair in a comparison.
    """
    documents: dict[str, list[Row]] = {}
    for row in rows:
        documents.setdefault(_id(row), []).append(row)
    gold = _reading_of_targets([rows[0] for rows in documents.values()])
    return [
        _item(name, filtered, gold, source=f"{source}: document {filtered[0]['doc_id']}", task=task)
        for name, filtered in sorted(documents.items(), key=lambda pair: pair[1][0]["doc_id"])
    ]


def metrics_in(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """Every metric with the filter that it was computed on, in the rows' order."""
    found = ((name, row.get("filter", NO_FILTER)) for row in rows for name in row["metrics"])
    return list(dict.fromkeys(found))


def grade_name(metric: str, filter_name: str) -> str:
    """The name under which an item has the grade."""
    return metric if filter_name == NO_FILTER else f"{metric},{filter_name}"


def item_id(number: int, document_hash: str) -> str:
    """What an item is called by its document's number and the hash of its content."""
    return f"{number}-{document_hash[:HASH_DIGITS]}" if document_hash else str(number)


def _id(row: Row) -> str:
    return item_id(row["doc_id"], str(row.get("doc_hash", "")))


def _item(name: str, rows: Sequence[Row], gold: Gold | None, *, source: str, task: str) -> Item:
    row = rows[0]
    grades = {
        grade_name(metric, each.get("filter", NO_FILTER)): each.get(metric)
        for each in rows
        for metric in each["metrics"]
    }
    chosen = _chosen(row, gold)
    written = None if chosen else _written(row)
    label = str(row["target"])
    if chosen is not None and chosen.gold:
        label = chosen.choices[chosen.gold[0]].strip()
    return Item(
        id=name,
        source=source,
        group=None,
        tags={"task": task},
        prompt=str(_arguments(row)[0][0]),
        label=label,
        predict=written,
        chosen=chosen,
        extracted={} if written is None else _extracted(rows),
        fields={FIELD: grades},
    )


def _arguments(row: Row) -> list[list[Any]]:
    """Each request's arguments, in order: the context, then a continuation or settings."""
    asked = row["arguments"]
    if isinstance(asked, dict):
        return [[one[f"arg_{n}"] for n in range(len(one))] for one in asked.values()]
    return [list(one) for one in asked]


def _choices(row: Row) -> list[tuple[str, float]]:
    """Each continuation of the document's context with its log-probability; none for other ways.

    Requests with another context (that of mutual information) are no choices.
    """
    found = []
    for arguments, answers in zip(_arguments(row), row["resps"], strict=False):
        match arguments, answers:
            case [context, str() as choice], [[nats, _], *_] if context == _arguments(row)[0][0]:
                found.append((choice, float(nats)))
    return found if len(found) > 1 else []


def _chosen(row: Row, gold: Gold | None) -> Chosen | None:
    offered = _choices(row)
    if not offered:
        return None
    texts = tuple(text for text, _ in offered)
    place = None if gold is None else gold(row, texts)
    return Chosen(
        choices=texts,
        logprobs=tuple(nats for _, nats in offered),
        n_tokens=(0,) * len(offered),  # not told
        gold=() if place is None else (place,),
    )


def _written(row: Row) -> str | None:
    """What was generated; None where likelihood was asked for."""
    settings = [arguments[1] for arguments in _arguments(row) if len(arguments) > 1]
    if not settings or not isinstance(settings[0], dict):
        return None
    answer = row["resps"][0]
    return str(answer[0] if isinstance(answer, list) else answer)


def _extracted(rows: Sequence[Row]) -> dict[str, str | None]:
    found = ((row.get("filter", NO_FILTER), row["filtered_resps"]) for row in rows)
    return readings((name, read[0]) for name, read in found if read)


def readings(found: Iterable[tuple[str, Any]]) -> dict[str, str | None]:
    """What each filter read, by our name of it; what a filter only passes on is none."""
    named: dict[str, str | None] = {}
    for name, read in found:
        if name != NO_FILTER:
            read = read[0] if isinstance(read, list) and read else read
            named[EXTRACTORS.get(name, name)] = None if read == "[invalid]" else str(read)
    return named


def _by_place(row: Row, choices: Sequence[str]) -> int | None:
    target = str(row["target"])
    return int(target) if target.isdecimal() and int(target) < len(choices) else None


def _by_text(row: Row, choices: Sequence[str]) -> int | None:
    texts = [choice.strip() for choice in choices]
    target = str(row["target"]).strip()
    return texts.index(target) if target in texts else None


def _reading_of_targets(rows: Sequence[Row]) -> Gold | None:
    """Whether targets are places or texts: the reading by which `acc` is what lm-eval has.

    A sample file has both as text: 3 may be the fourth choice, or the choice "3".
    """
    asked = [(row, choices) for row in rows if (choices := _choices(row))]

    def agrees(gold: Gold) -> bool:
        for row, choices in asked:
            texts = [text for text, _ in choices]
            place = gold(row, texts)
            if place is None:
                return False
            best = max(range(len(choices)), key=lambda n: choices[n][1])
            if "acc" in row and float(row["acc"]) != float(best == place):
                return False
        return True

    return next((gold for gold in (_by_place, _by_text) if asked and agrees(gold)), None)
