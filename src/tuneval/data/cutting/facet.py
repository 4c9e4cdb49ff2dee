"""What a person sorts a set by: a tag, the label, a field of the label, the group.

`topic` or `tag:topic` is the tag of that name. `label` is a conversation's answer, or whether an
unpaired preference is desired; `label.intent` is a field of an answer that is a JSON object.
`group` and `file` are the item's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from tuneval.catalog import did_you_mean
from tuneval.data.example import Example, Item, UnpairedPreference, canonical_json
from tuneval.errors import UsageError

NONE = "(none)"
MOST_NAMES = 100
_TAG = "tag:"
_FIELD = "label."


class Facet:
    """Gives each item's value as a text, NONE where it has none, and remembers if any had one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._found = False
        self._others: dict[str, None] = {}

    def of(self, item: Item) -> str:
        """The item's value."""
        value = self._value(item)
        if value is None:
            self._note(item)
            return NONE
        self._found = True
        return value if isinstance(value, str) else canonical_json(value)

    def refuse_if_absent(self) -> None:
        """Raise UsageError, naming what there is instead, when no item had a value."""
        if self._found:
            return
        names = [*self._others, "label", "group", "file"]
        raise UsageError(
            f"No record has a value for '{self.name}'.", mend=did_you_mean(self.name, names)
        )

    def _value(self, item: Item) -> Any:
        if self.name == "label":
            return label(item)
        if self.name == "group":
            return item.group
        if self.name == "file":
            return item.source.file
        if self.name.startswith(_FIELD):
            return (label_fields(item) or {}).get(self.name.removeprefix(_FIELD))
        return item.tags.get(self.name.removeprefix(_TAG))

    def _note(self, item: Item) -> None:
        if len(self._others) < MOST_NAMES:
            self._others |= dict.fromkeys(item.tags)
            self._others |= dict.fromkeys(_FIELD + name for name in label_fields(item) or {})


def label(item: Item) -> str | None:
    """A conversation's answer without the space around it; `desired` or `undesired`; or None."""
    if isinstance(item, UnpairedPreference):
        return "desired" if item.label else "undesired"
    return item.answer.strip() if isinstance(item, Example) and item.answer is not None else None


def label_fields(item: Item) -> Mapping[str, Any] | None:
    """A conversation's answer as an object, when it is JSON and one; None otherwise."""
    answer = item.answer.strip() if isinstance(item, Example) and item.answer else ""
    if not (answer.startswith("{") and answer.endswith("}")):
        return None
    try:
        value = orjson.loads(answer)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
