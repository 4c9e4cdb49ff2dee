"""Tasks from one's own file: how rows become questions, whatever is asked of them.

The file is in any container that `tuneval data` reads: JSON lines, a JSON array, CSV, Parquet.
Each row is an object. Beside the keys that its task names, `id` and `group` are known; all others
become tags.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from tuneval import files
from tuneval.catalog import did_you_mean
from tuneval.data.example import Message
from tuneval.data.finding import Finding
from tuneval.data.origin import origin
from tuneval.errors import DataError
from tuneval.evaluation.question import Prompt, Question
from tuneval.evaluation.task import Questions, Task

NOT_TAGS = frozenset({"id", "group"})


@dataclass(frozen=True, slots=True)
class Row:
    """One object of the file. `id` is its own, or a hash of its content."""

    id: str
    source: str
    value: Mapping[str, Any]

    def text(self, *keys: str) -> str:
        """The first of `keys` that it has, as text. Raises DataError."""
        value = self.get(*keys)
        if isinstance(value, str | int | float) and str(value).strip():
            return str(value)
        raise self.error(f"'{keys[0]}' is not a text, or empty.", mend=f"give '{keys[0]}' a text")

    def get(self, *keys: str) -> Any:
        """The value of the first of `keys` that it has. Raises DataError."""
        for key in keys:
            if self.value.get(key) is not None:
                return self.value[key]
        raise self.error(f"The row has no '{keys[0]}'.", mend=did_you_mean(keys[0], [*self.value]))

    def error(self, what: str, *, mend: str) -> DataError:
        """What is wrong with it, with its place."""
        return DataError(what, where=self.source, mend=mend)

    @property
    def group(self) -> str | None:
        """What it shares with other rows, if it says."""
        group = self.value.get("group")
        return None if group is None else str(group)

    def tags(self, *used: str) -> dict[str, Any]:
        """All keys that neither every task nor this one uses."""
        return {k: v for k, v in self.value.items() if k not in NOT_TAGS and k not in used}


def read_rows(path: files.Location) -> list[Row]:
    """The rows of a file, in order. Raises DataError at the first broken one.

    A row that stands there again is a row of its own, called `<id>-2`.
    """
    rows: dict[str, Row] = {}
    for record in origin(path).records():
        for finding in (record,) if isinstance(record, Finding) else record.findings:
            if finding.severity == "error":
                raise finding.as_error()
        if isinstance(record, Finding) or record.value is None:
            continue
        row = _row(record.value, str(record.source), rows)
        rows[row.id] = row
    if not rows:
        raise DataError("The file holds no row.", where=str(path), mend="give it rows")
    return list(rows.values())


def shown_rows(path: files.Location, count: int, seed: int | None) -> list[Row]:
    """The rows to show as demonstrations: the first ones, or those that a seed draws.

    Raises DataError where there are fewer.
    """
    rows = read_rows(path)
    if len(rows) < count:
        raise DataError(
            f"{count} demonstrations are wanted, and the file has {len(rows)}.",
            where=str(path),
            mend=f"ask for shots={len(rows)}, or give another file as demonstrations",
        )
    return rows[:count] if seed is None else Random(f"shots/{seed}").sample(rows, count)


def shots_id(count: int, seed: int | None) -> str:
    """The demonstrations' part of a protocol's id."""
    return f"{count}-shot" if seed is None or not count else f"{count}-shot-drawn-{seed}"


def _row(value: Mapping[str, Any], source: str, others: Mapping[str, Row]) -> Row:
    if value.get("id") is not None:
        row = Row(str(value["id"]), source, value)
        if row.id in others:
            raise row.error(
                f"Two rows have the id '{row.id}'; the other is at {others[row.id].source}.",
                mend="give each its own, or leave `id` away",
            )
        return row
    content = files.sha256_json(value)[:16]
    copies = (content if number == 1 else f"{content}-{number}" for number in count(1))
    return Row(next(name for name in copies if name not in others), source, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posed:
    """A row as it is asked: its text, and the answer as a demonstration would show it.

    `choices` are what may follow; none where the answer is written freely. `used` are the keys
    that are no tags.
    """

    text: str
    answer: str
    choices: tuple[str, ...] = ()
    gold: tuple[int, ...] = ()
    extractor: str | None = None
    used: tuple[str, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)


class OwnTask(Task):
    """Questions from the rows of `path`.

    `chat`: asked through the model's chat template, else as plain text. `language` is that of
    the words around a row's text; `instruction` replaces them. `demonstrations` is a file of the
    same layout: its first `shots` rows, or as many drawn by `shot_seed`, are shown with their
    answers.
    """

    path: Annotated[str, Field(min_length=1)]
    protocol: str
    chat: bool = True
    language: Literal["en", "zh"] = "en"
    instruction: str | None = None
    shots: Annotated[int, Field(ge=0)] = 0
    demonstrations: str | None = None
    shot_seed: int | None = None
    max_new_tokens: Annotated[int, Field(ge=1)] = 32

    @model_validator(mode="after")
    def _shots_have_a_source(self) -> Self:
        if self.shots and self.demonstrations is None:
            raise ValueError("shots: name the file that they come from, as demonstrations")
        if self.demonstrations is not None and not self.shots:
            raise ValueError("demonstrations: say how many of them to show, as shots")
        if self.shot_seed is not None and not self.shots:
            raise ValueError("shot_seed: say how many demonstrations to draw, as shots")
        return self

    @abstractmethod
    def pose(self, rows: Sequence[Row]) -> list[Posed]:
        """How the rows are asked; they come all at once, for what they have in common."""

    @property
    def graded_by(self) -> tuple[str, ...]:
        """The metrics that the protocol allows."""
        return self.about.metrics

    def load(self) -> Questions:
        """As in `Task`."""
        rows = read_rows(self.path)
        shown = self._shown()
        posed = self.pose([*shown, *rows])
        shots = tuple(self._shot(one) for one in posed[: len(shown)])
        asked = zip(rows, posed[len(shown) :], strict=True)
        form = "chat" if self.chat else "plain"
        return Questions(
            questions=tuple(self._question(row, one, shots) for row, one in asked),
            protocol=f"{self.kind}/{self.protocol}/{shots_id(len(shots), self.shot_seed)}/{form}",
            metrics=self.graded_by,
            demonstrations=tuple(one.text for one in posed[: len(shown)]),
        )

    def _shown(self) -> list[Row]:
        if self.demonstrations is None:
            return []
        return shown_rows(self.demonstrations, self.shots, self.shot_seed)

    def _question(self, row: Row, posed: Posed, shots: tuple[Prompt, ...]) -> Question:
        lead = "" if self.chat else self._lead
        return Question(
            id=row.id,
            source=row.source,
            way="choose" if posed.choices else "generate",
            prompt=(Message("user", posed.text),) if self.chat else posed.text + self._mark,
            head=() if self.chat else "",
            shots=shots,
            choices=tuple(lead + choice for choice in posed.choices),
            gold=posed.gold,
            reference=posed.answer,
            extractor=posed.extractor,
            max_new_tokens=self.max_new_tokens,
            stop=() if self.chat else ("\n",),
            group=row.group,
            tags=row.tags(*posed.used),
            fields=posed.fields,
        )

    def _shot(self, posed: Posed) -> Prompt:
        if self.chat:
            return (Message("user", posed.text), Message("assistant", posed.answer))
        return f"{posed.text}{self._mark}{self._lead}{posed.answer}\n\n"

    @property
    def _mark(self) -> str:
        return "\nAnswer:" if self.language == "en" else "\n答案："

    @property
    def _lead(self) -> str:
        return " " if self.language == "en" else ""


def several(row: Row, key: str, value: Any) -> list[str]:
    """A list of texts: as JSON, or in one text parted by semicolons, else by commas."""
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            value = json_value(row, key, value)
        else:
            value = value.split(";" if ";" in value else ",")
    if not isinstance(value, list) or not all(isinstance(part, str | int) for part in value):
        raise row.error(f"'{key}' is no list of texts.", mend='write ["one", "two"]')
    return [text for part in value if (text := str(part).strip())]


def json_value(row: Row, key: str, value: Any) -> Any:
    """The value, or the JSON that its text holds, as cells of a CSV do."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise row.error(f"'{key}' is no JSON: {error}.", mend="write it as JSON") from None
