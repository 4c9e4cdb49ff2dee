"""Several models on several tasks: each model loaded once, all of it in one run that goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneval.errors import UsageError
from tuneval.evaluation.answering.opening import open_respondent
from tuneval.evaluation.items import read_items
from tuneval.evaluation.run_suite import run_suite
from tuneval.evaluation.suite import load_suite, suite_of
from tuneval.runs.events import ItemDone, ignore
from tuneval.runs.find import list_runs


@pytest.fixture
def files_of_tasks(tmp_path) -> dict[str, str]:
    """A file for each of two tasks."""
    sums = [{"text": f"What is {n} plus 1?", "label": f"{n + 1}"} for n in range(6)]
    notes = [{"text": f"{n} is a number, and {n + 1} is one too."} for n in range(4)]
    paths = {}
    for name, rows in {"sums": sums, "notes": notes}.items():
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        paths[name] = str(path)
    return paths


@pytest.fixture
def asked(files_of_tasks, tiny_llama_folder) -> dict:
    return {
        "name": "small",
        "models": {"base": str(tiny_llama_folder), "again": str(tiny_llama_folder)},
        "tasks": [
            {"kind": "generation", "name": "sums", "path": files_of_tasks["sums"]},
            {"kind": "text", "name": "notes", "path": files_of_tasks["notes"]},
        ],
    }


class Opener:
    """Opens the real model, and remembers how often."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def __call__(self, model, config, **words):
        self.opened.append(Path(model).name)
        return open_respondent(model, config, **words)


class Stop(BaseException):
    """Stands for a kill: nothing catches it."""


def stop_at(task: str, count: int):
    def report(event):
        if isinstance(event, ItemDone) and task in event.stage and event.done == count:
            raise Stop

    return report


def carry_out(content, root, opener=None, *, report=ignore, **words):
    return run_suite(
        suite_of(content), root=root, open_model=opener or Opener(), report=report, **words
    )


def items(outcome, label: str, title: str) -> list[dict]:
    """The items without what the clock says."""
    found = [item.as_dict() for item in read_items(outcome.folder / "evaluation" / label / title)]
    for item in found:
        item["fields"] = {k: v for k, v in item["fields"].items() if "seconds" not in k}
    return found
