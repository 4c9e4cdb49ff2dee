"""The flags, read one by one with their types; every fault is kept, and what nobody asked for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Literal

from tuneval.catalog import did_you_mean
from tuneval.recipes.llamafactory.flags import load_flags

_BOOLEAN = "is true or false"
_TRUE, _FALSE = ("true", "yes", "1", "on"), ("false", "no", "0", "off")
UNASKED = "belongs to what is not asked for here"
_OFF: tuple[Any, ...] = (
    None,
    False,
    0,
    "",
    "none",
    "None",
    "no",
    "false",
    "False",
    "null",
    "0",
    [],
)


@dataclass(frozen=True, slots=True)
class Note:
    """A flag that is not followed to the letter. `ignored`: it changes nothing here."""

    flag: str
    fate: Literal["ignored", "changed"]
    said: str

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return {"flag": self.flag, "fate": self.fate, "said": self.said}


@dataclass(slots=True)
class Asked:
    """The given flags. A reader gives the default where a flag is absent or null, and keeps a
    fault where its value is of another type; `notes` and `faults` collect what is to be said.
    """

    values: dict[str, Any]
    notes: list[Note] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _read: set[str] = field(default_factory=set)

    def has(self, *names: str) -> bool:
        """Whether any of these flags was given, and not as null."""
        return any(self.values.get(name) is not None for name in names)

    def text(self, name: str, default: str | None = None) -> str | None:
        """A text; of a list its only element."""
        value = self._value(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, list | dict | bool):
            self.fault(name, "is one text")
            return default
        return default if value in (None, "") else str(value)

    def names(self, name: str) -> tuple[str, ...]:
        """Texts: a list, or separated by commas."""
        value = self._value(name)
        if isinstance(value, bool):
            self.fault(name, "is a name, or several with commas between them")
            return ()
        parts = value if isinstance(value, list) else str(value or "").split(",")
        return tuple(part for part in (str(p).strip() for p in parts) if part)

    def flag(self, name: str, default: bool = False, *, otherwise: str = _BOOLEAN) -> bool:
        """True or false; `otherwise` is said of another value."""
        value = self._value(name)
        word = str(value).lower()
        if value is None:
            return default
        if word not in (*_TRUE, *_FALSE):
            self.fault(name, otherwise)
        return word in _TRUE

    def number(self, name: str, default: float) -> float:
        """A number, however it was written: YAML itself reads 1e-4 as a text."""
        value = self._value(name)
        try:
            if isinstance(value, bool):
                raise TypeError
            return default if value is None else float(value)
        except (TypeError, ValueError):
            self.fault(name, "is a number")
            return default

    def integer(self, name: str, default: int) -> int:
        """A whole number."""
        number = self.number(name, default)
        if number != int(number):
            self.fault(name, "is a whole number")
        return int(number)

    def one_of(self, name: str, known: Collection[str], default: str) -> str:
        """One of the known words."""
        word = self.text(name, default) or default
        if word not in known:
            self.fault(name, did_you_mean(word, sorted(known)))
            return default
        return word

    def fault(self, name: str, said: str) -> None:
        """Say why a flag cannot be followed."""
        given = self.values.get(name)
        self.faults.append(f"{name}: {given}: {said}" if name in self.values else f"{name}: {said}")

    def changed(self, name: str, said: str) -> None:
        """Say what is done otherwise than by LLaMA-Factory."""
        self.notes.append(Note(name, "changed", said))

    def ignored(self, name: str, said: str) -> None:
        """Say why a flag changes nothing here."""
        self.notes.append(Note(name, "ignored", said))

    def account_for_the_rest(self) -> None:
        """A word on every given flag that no reader asked for."""
        flags = load_flags()
        for name, value in self.values.items():
            if name in self._read:
                continue
            if name in flags.becomes:
                self.ignored(name, UNASKED)
            elif name in flags.ignored:
                self.ignored(name, flags.ignored[name])
            elif name not in flags.refused:
                self.faults.append(f"{name}: no such flag; {did_you_mean(name, flags.names)}")
            elif value in _OFF or value == flags.neutral.get(name):
                self.ignored(name, "is off, as it is here")
            else:
                self.fault(name, flags.refused[name])

    def _value(self, name: str) -> Any:
        assert name in load_flags().becomes, f"{name} is missing in flags.yaml"
        self._read.add(name)
        return self.values.get(name)
