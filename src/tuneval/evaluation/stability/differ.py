"""What repeated runs differ in beyond what was varied: their settings, and what they ran on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.evaluation.comparing.comparison import Evaluation

ENVIRONMENT_NAME = "environment.json"
_UNTOLD = ("created", "key", "seconds", "metrics", "counts", "skipped", "name", "n_items", "notes")
_ONLY_ONE = "–"


def settings_differences(runs: Mapping[str, Evaluation]) -> dict[str, dict[str, str]]:
    """Field to run to value, for every field of what was asked that is not the same in all.

    It was asked of a model, with a template, on data, by a version: these are fields too.
    """
    return _differing({name: _flat(_asked(run)) for name, run in runs.items()})


def environment_differences(
    environments: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, str]]:
    """The same for what runs ran on: packages, processor, GPUs, variables, commit."""
    return _differing({name: _flat(found) for name, found in environments.items()})


def environment_of(folder: Path) -> dict[str, Any] | None:
    """What the evaluation in `folder` ran on, from its own record or its run's; None: not kept."""
    for place in (folder, *list(folder.parents)[:4]):
        path = place / ENVIRONMENT_NAME
        if path.is_file():
            content = files.read_json(path)
            return content if isinstance(content, dict) else None
        if (place / "run.json").is_file():
            return None
    return None


def _asked(run: Evaluation) -> dict[str, Any]:
    content = {key: value for key, value in run.result.as_dict().items() if key not in _UNTOLD}
    task = content.pop("task", None)
    if task is not None:
        kept = ("protocol", "prompt_hash", "tokenizer_hash", "precision", "questions_hash")
        content |= {name: task[name] for name in kept}
    return content


def _differing(runs: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    fields = dict.fromkeys(field for found in runs.values() for field in found)
    rows = {
        field: {name: found.get(field, _ONLY_ONE) for name, found in runs.items()}
        for field in fields
    }
    return {field: row for field, row in rows.items() if len(set(row.values())) > 1}


def _flat(content: Any, prefix: str = "") -> dict[str, str]:
    """Nested content as one table of dotted names."""
    if isinstance(content, Mapping) and content:
        inner = [_flat(value, f"{prefix}{name}.") for name, value in content.items()]
        return {name: value for rows in inner for name, value in rows.items()}
    if isinstance(content, Sequence) and not isinstance(content, str) and content:
        inner = [_flat(value, f"{prefix}{place}.") for place, value in enumerate(content)]
        return {name: value for rows in inner for name, value in rows.items()}
    return {prefix.removesuffix("."): str(content)}
