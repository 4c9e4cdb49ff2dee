"""The type of a column, learnt from its values.

A column has one type. Whole numbers and fractions make fractions, null goes with everything; what
else is mixed has no column. Where every record has keys of its own (tools, tags, the arguments of
a call) the values become JSON inside texts, of Arrow's own type for that: `datasets` and `read`
give them back as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuneval.data.containers.writing import json_text

FREE_KEYS = frozenset({"tools", "tags", "arguments"})
_INT64 = 1 << 63
_EXACT_FLOAT = 1 << 53
_JSON_TYPE = {"ARROW:extension:name": "arrow.json", "ARROW:extension:metadata": ""}
_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a fraction",
    str: "a text",
    list: "a list",
    dict: "an object",
}


class MixedError(ValueError):
    """A value does not go into its column; the message says why, with the path."""


class Shape:
    """What the values at one place have in common so far."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.fields: dict[str, Shape] = {}
        self.item: Shape | None = None
        self._kind: type | None = None
        self._since = 0
        self._is_exact = True  # whether the whole numbers seen are also floats

    def learn(self, value: Any, number: int) -> None:
        """Take in a value of the record with that number. Raises MixedError."""
        if value is None:
            return
        kind = dict if isinstance(value, Mapping) else type(value)
        if kind not in _KINDS:
            raise MixedError(f"{self.path} is a {kind.__name__}, no JSON value")
        if kind is not self._kind:
            self._join(kind, number)
        if kind is int:
            self._learn_whole_number(value)
        elif kind is list:
            self.item = self.item or Shape(f"{self.path}[]")
            for part in value:
                self.item.learn(part, number)
        elif kind is dict:
            for key, part in value.items():
                field = self.field(key)
                if key not in FREE_KEYS:
                    field.learn(part, number)
                elif part is not None:
                    _refuse_halves(json_text(part), field.path)
        elif kind is str:
            _refuse_halves(value, self.path)

    def field(self, key: str) -> Shape:
        """The shape of an object's value; known from now on."""
        if key not in self.fields:
            path = f"{self.path}.{key}" if self.path else key
            _refuse_halves(key, path)
            self.fields[key] = Shape(path)
        return self.fields[key]

    def arrow_field(self, key: str) -> Any:
        """The Arrow field `key` of an object."""
        import pyarrow

        if key in FREE_KEYS:
            return pyarrow.field(key, pyarrow.string(), metadata=_JSON_TYPE)
        return pyarrow.field(key, self.fields[key].arrow_type())

    def arrow_type(self) -> Any:
        """The Arrow type that holds every value seen."""
        import pyarrow

        if self._kind is list:
            return pyarrow.list_(self.item.arrow_type() if self.item else pyarrow.null())
        if self._kind is dict:
            if not self.fields:
                raise MixedError(f"{self.path} is always an empty object")
            return pyarrow.struct([self.arrow_field(key) for key in self.fields])
        types = {
            bool: pyarrow.bool_(),
            int: pyarrow.int64(),
            float: pyarrow.float64(),
            str: pyarrow.string(),
        }
        return pyarrow.null() if self._kind is None else types[self._kind]

    def has_free_keys(self) -> bool:
        """Whether some value in it is to be written as JSON."""
        return any(
            key in FREE_KEYS or shape.has_free_keys() for key, shape in self.fields.items()
        ) or (self.item is not None and self.item.has_free_keys())

    def _join(self, kind: type, number: int) -> None:
        numbers = {self._kind, kind} == {int, float}
        if self._kind is not None and not numbers:
            raise MixedError(
                f"{self.path} is {_KINDS[kind]}, and in record {self._since} it is "
                f"{_KINDS[self._kind]}; a column has one type"
            )
        self._since = self._since or number
        self._kind = float if numbers else kind
        self._refuse_inexact()

    def _learn_whole_number(self, value: int) -> None:
        if not -_INT64 <= value < _INT64:
            raise MixedError(f"{self.path} is a whole number of more than 64 bits")
        self._is_exact = self._is_exact and -_EXACT_FLOAT <= value <= _EXACT_FLOAT
        self._refuse_inexact()

    def _refuse_inexact(self) -> None:
        if self._kind is float and not self._is_exact:
            what = "is a fraction in one record, and in another a whole number that is no float"
            raise MixedError(f"{self.path} {what}")


def _refuse_halves(text: str, path: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise MixedError(f"{path} holds one half of a character") from None
