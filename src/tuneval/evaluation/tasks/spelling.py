"""A task in one word of a command line: `KIND[=PATH][,option=value]…`."""

from __future__ import annotations

import json
import os
import re
import typing
from collections.abc import Mapping
from typing import Any

from tuneval.errors import UsageError
from tuneval.evaluation.task import Task
from tuneval.evaluation.tasks import TASKS, task_from

FORM = "write KIND, KIND=PATH or KIND=PATH,option=value"
_OPTION = re.compile(r",(?=[a-z_]+=)")


def task_from_text(text: str) -> Task:
    """The task that `text` spells. Raises UsageError that names a wrong option."""
    return task_from(task_options(text))


def task_options(text: str) -> dict[str, Any]:
    """The kind and options of a spelt task, not yet checked.

    `cmmlu=DATA,shots=5,subjects=anatomy+law,limit=20`: values of an option that takes several
    are joined by `+`. A `~` before a path is the home folder: a shell leaves it as it is there.
    A comma parts options only where a name and `=` follow it.
    """
    head, *options = _OPTION.split(text.strip())
    kind, has_path, path = head.partition("=")
    if not kind or (has_path and not path):
        raise UsageError(f"'{text}' names no task.", mend=FORM)
    content: dict[str, Any] = {"kind": kind} | (
        {"path": os.path.expanduser(path)} if has_path else {}
    )
    several = _take_several(kind)
    for option in options:
        name, _, value = option.partition("=")
        if name in content:
            raise UsageError(f"'{text}' gives {name} twice.", mend=FORM)
        content[name] = value.split("+") if name in several else _scalar(value)
    return content


def _take_several(kind: str) -> set[str]:
    """The options of a task that take a list."""
    fields: Mapping[str, Any] = typing.get_type_hints(TASKS.load(kind))
    return {
        name
        for name, annotation in fields.items()
        if any(typing.get_origin(part) in (tuple, list) for part in _parts(annotation))
    }


def _parts(annotation: Any) -> list[Any]:
    """The annotation, and what it is a union of."""
    return [annotation, *typing.get_args(annotation)]


def _scalar(value: str) -> Any:
    """A number, true or false as in JSON; anything else is text."""
    try:
        found = json.loads(value)
    except ValueError:
        return value
    return found if isinstance(found, bool | int | float) else value
