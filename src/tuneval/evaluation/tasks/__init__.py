"""The tasks, one file each, chosen by name.

`task_from({"kind": "cmmlu", "path": …})` gives a task with its options checked; `catalog()`
what there is to know of every one. A plugin adds rows through the entry-point group
`tuneval.task`.
May import: data, catalog, config, files, errors. No torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tuneval.catalog import Catalog
from tuneval.config import config_of
from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.evaluation.task import Task, TaskAbout

_HERE = "tuneval.evaluation.tasks"
TASKS = Catalog(
    "task",
    {
        "ceval": f"{_HERE}.ceval:CEval",
        "cmmlu": f"{_HERE}.cmmlu:Cmmlu",
        "mmlu": f"{_HERE}.mmlu:Mmlu",
        "agieval": f"{_HERE}.agieval:AgiEval",
        "generation": f"{_HERE}.generation:Generation",
        "classification": f"{_HERE}.classification:Classification",
        "regression": f"{_HERE}.regression:Regression",
        "ranking": f"{_HERE}.ranking:Ranking",
        "multi_label": f"{_HERE}.multi_label:MultiLabel",
        "multiple_choice": f"{_HERE}.multiple_choice:MultipleChoice",
        "gsm8k": f"{_HERE}.gsm8k:Gsm8k",
        "mt_bench": f"{_HERE}.mt_bench:MtBench",
        "pandalm": f"{_HERE}.pandalm:PandaLm",
        "text": f"{_HERE}.text:HeldOutText",
        "instructions": f"{_HERE}.instructions:Instructions",
        "capability": f"{_HERE}.capability.task:CapabilitySuite",
        "lm_eval": f"{_HERE}.lm_eval:LmEval",
    },
)


def task_from(content: Mapping[str, Any]) -> Task:
    """The task that the options describe. Raises UsageError that names a wrong option."""
    kind = content.get("kind")
    if not isinstance(kind, str):
        raise UsageError("A task needs its kind.", mend="known: " + ", ".join(sorted(TASKS)))
    row: type[Task] = TASKS.load(kind)
    return config_of(row, dict(content), refusal=f"The task {kind} cannot be asked so")


def catalog() -> list[TaskAbout]:
    """What there is to know of every task, in the table's order."""
    return [TASKS.load(name).about for name in TASKS]
