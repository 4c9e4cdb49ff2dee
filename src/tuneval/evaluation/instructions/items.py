"""Requests with checkable instructions: those that come with tuneval, and those of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from tuneval import files
from tuneval.errors import DataError
from tuneval.evaluation.instructions.checks import instruction_from

BUNDLED_NAME = "items.yaml"


@dataclass(frozen=True, slots=True)
class Request:
    """A prompt and the instructions in it. `example` is an answer that follows them, if known."""

    key: str
    source: str
    prompt: str
    instructions: tuple[Mapping[str, Any], ...]
    language: str
    example: str = ""


def bundled_requests() -> list[Request]:
    """The requests that come with tuneval, in English and Chinese."""
    text = (resources.files(__package__) / BUNDLED_NAME).read_text(encoding="utf-8")
    return [_bundled(row, f"{BUNDLED_NAME}: {row['key']}") for row in yaml.safe_load(text)]


def requests_of(path: Path) -> list[Request]:
    """The requests of a file in IFEval's layout. Raises DataError for a row that is no such."""
    if not path.is_file():
        raise DataError(
            "There is no such file of instructions.",
            where=str(path),
            mend="give the path of IFEval's input_data.jsonl, or none for the items of tuneval",
        )
    rows = files.read_jsonl(path)
    return [_official(row, f"{path}:{line}") for line, row in enumerate(rows, start=1)]


def _bundled(row: Mapping[str, Any], where: str) -> Request:
    instructions = tuple(
        instruction_from(given["id"], {k: v for k, v in given.items() if k != "id"}, where=where)
        for given in row["instructions"]
    )
    return Request(row["key"], where, row["prompt"], instructions, row["language"], row["example"])


def _official(row: Mapping[str, Any], where: str) -> Request:
    names, arguments, prompt = (row.get(key) for key in ("instruction_id_list", "kwargs", "prompt"))
    if not (_is_list(names) and _is_list(arguments) and isinstance(prompt, str)):
        raise DataError(
            "The row has no prompt with its instructions.",
            where=where,
            mend="give it prompt, instruction_id_list and kwargs, as IFEval's input_data.jsonl has",
        )
    if len(names) != len(arguments):
        raise DataError(
            f"The row has {len(names)} instructions and {len(arguments)} kwargs.",
            where=where,
            mend="give each instruction its kwargs, {} where it has none",
        )
    found = tuple(
        instruction_from(str(name), given or {}, where=where)
        for name, given in zip(names, arguments, strict=True)
    )
    return Request(str(row.get("key", where)), where, prompt, found, str(row.get("language", "en")))


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)
