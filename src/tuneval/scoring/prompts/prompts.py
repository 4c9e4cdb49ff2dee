"""The texts in which a record is put to a model when its own chat template is not used."""

from __future__ import annotations

import string
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from tuneval import files
from tuneval.catalog import did_you_mean
from tuneval.config import faults_of
from tuneval.errors import UsageError

BUILT_IN = ("instruction", "demonstration")
CHAT = "chat"
Target = Literal["response", "instruction"]
"""What is measured after a prompt, or alone."""
_FOLDER = Path(__file__).parent
_QUESTION = frozenset({"history", "instruction", "input"})
_EXAMPLE = frozenset({"example_instruction", "example_input", "example_response"})
# What a text may hold, and what it must.
_PLACES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "zero_shot": (_QUESTION, frozenset({"instruction", "input"})),
    "zero_shot_no_input": (_QUESTION - {"input"}, frozenset({"instruction"})),
    "shot": (_EXAMPLE, frozenset({"example_response"})),
    "shot_no_input": (_EXAMPLE - {"example_input"}, frozenset({"example_response"})),
    "reversed": (frozenset({"input", "response"}), frozenset({"input", "response"})),
    "reversed_no_input": (frozenset({"response"}), frozenset({"response"})),
    "turn": (frozenset({"instruction"}), frozenset({"instruction"})),
    "turn_end": (frozenset(), frozenset()),
}


class Prompts(BaseModel):
    """Texts with places in braces, each ending where what is measured begins.

    Those with `_no_input` are for records whose question has no input. A shot stands before the
    zero-shot prompt of another example. `turn` and `turn_end` make up the `{history}` of
    conversations. A brace that names no place is written twice: `{{`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    zero_shot: str
    zero_shot_no_input: str
    shot: str
    shot_no_input: str
    reversed: str
    reversed_no_input: str
    turn: str
    turn_end: str

    @field_validator(*_PLACES)
    @classmethod
    def _has_its_places(cls, text: str, info: Any) -> str:
        may, must = _PLACES[info.field_name]
        try:
            parsed = list(string.Formatter().parse(text))
        except ValueError as error:
            raise ValueError(f"{error}; write a brace of its own twice") from error
        if formed := [name for _, name, form, turned in parsed if form or turned]:
            raise ValueError(f"{{{formed[0]}}} stands for its text as it is, without ':' or '!'")
        found = Counter(name for _, name, _, _ in parsed if name is not None)
        if found["history"] > 1:
            raise ValueError("{history} stands there twice")
        if unknown := sorted(found.keys() - may):
            names = ", ".join(f"{{{name}}}" for name in unknown)
            raise ValueError(f"{names} has no place here; {did_you_mean(unknown[0], list(may))}")
        if missing := sorted(must - found.keys()):
            raise ValueError("lacks " + ", ".join(f"{{{name}}}" for name in missing))
        return text

    def header(self, of: Target) -> str:
        """What stands right before a response or an instruction.

        The last paragraph of its prompt, without what is there of the record.
        """
        pieces = cut(self.zero_shot_no_input if of == "response" else self.reversed_no_input)
        last = max(i for i, (_, place) in enumerate(pieces) if place)
        after = "".join(literal for literal, _ in pieces[last + 1 :])
        return after.rsplit("\n\n", 1)[-1].lstrip("\n")

    @property
    def hash(self) -> str:
        """16 hex digits over all texts."""
        return files.sha256_json(self.model_dump(exclude={"name"}))[:16]


def cut(text: str) -> list[tuple[str, str | None]]:
    """A text as (what stands before a place, the place's name) in turn; the last has no place."""
    pieces = [(literal, name) for literal, name, _, _ in string.Formatter().parse(text)]
    return pieces if pieces and pieces[-1][1] is None else [*pieces, ("", None)]


def load_prompts(name: str) -> Prompts:
    """Built-in prompts by name, or those of a YAML file; `extends: instruction` fills the rest.

    Raises UsageError for an unknown name and for a file that is not right, with every fault.
    """
    if name in BUILT_IN:
        return _prompts(_FOLDER / f"{name}.yaml")
    path = Path(name).expanduser()
    if not path.is_file():
        known = [*BUILT_IN, CHAT]
        raise UsageError(
            f"There are no prompts called '{name}'.",
            mend=f"{did_you_mean(name, known)} Or give the path of a YAML file.",
        )
    return _prompts(path)


def _prompts(path: Path) -> Prompts:
    content = _content(path)
    try:
        return Prompts.model_validate({"name": path.stem} | content)
    except ValidationError as error:
        faults = "; ".join(faults_of(error))
        mend = "see docs/guide/score.md for the texts, or begin with `extends: instruction`"
        raise UsageError(
            f"The prompts are not right: {faults}.", where=str(path), mend=mend
        ) from None


def _content(path: Path) -> dict[str, Any]:
    with files.open_bytes(path) as file:
        raw = file.read()
    try:
        content = yaml.safe_load(raw.decode("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"The prompts are not YAML: {error}.", where=str(path)) from error
    if not isinstance(content, dict):
        raise UsageError("The prompts are no mapping of texts.", where=str(path))
    base = content.pop("extends", None)
    if base is None:
        return content
    if base not in BUILT_IN:
        near = did_you_mean(str(base), list(BUILT_IN))
        raise UsageError(f"There are no built-in prompts '{base}'.", where=str(path), mend=near)
    return load_prompts(base).model_dump(exclude={"name"}) | content
