"""lm-evaluation-harness's own tasks, loaded as it would load them to ask them."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

from tuneval.catalog import did_you_mean
from tuneval.errors import DataError, TunevalError, UsageError
from tuneval.extras import require

EXTRA = "lm-eval"


@contextmanager
def asking(tasks: Sequence[str]) -> Iterator[Any]:
    """The package, without its advice and bars; what it raises becomes an error of ours.

    Raises MissingPackageError without it, DataError for whatever a task's code and data raise.
    """
    for bars in ("HF_HUB_DISABLE_PROGRESS_BARS", "TQDM_DISABLE"):  # read when they are imported
        os.environ.setdefault(bars, "1")
    logger = logging.getLogger("lm_eval")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield require("lm_eval", extra=EXTRA, why="to ask lm-eval's own tasks")
    except TunevalError:
        raise
    except Exception as error:
        raise DataError(
            f"lm-eval cannot ask {', '.join(tasks)}: {type(error).__name__}: {error}",
            mend="where its data cannot be downloaded, write a task with local files "
            "(dataset_path: json, data_files: …) and name its folder as include",
        ) from error
    finally:
        logger.setLevel(level)


def task_manager(names: Sequence[str], include: Path | None) -> Any:
    """lm-eval's manager of its tasks and those in a folder. Raises UsageError for others."""
    from lm_eval import tasks
    from lm_eval.utils import pattern_match

    manager = tasks.TaskManager(include_path=include)
    unknown = [name for name in names if not pattern_match([name], manager.all_tasks)]
    if unknown:
        raise UsageError(
            f"lm-eval has no task called '{unknown[0]}'.",
            mend=did_you_mean(unknown[0], manager.all_tasks),
        )
    return manager


def load_tasks(
    name: str, *, include: Path | None, shots: int | None, seed: int
) -> Mapping[str, Any]:
    """The tasks that a name of a task, group or tag stands for, with their demonstrations drawn.

    `shots` and `seed` count as in lm-eval's own `simple_evaluate`: a task that fixes its number
    of demonstrations at 0 keeps it.
    """
    loaded: dict[str, Any] = task_manager([name], include).load([name])["tasks"]
    for task in loaded.values():
        own = task.get_config("num_fewshot")
        if own is None or (shots is not None and own != 0):
            task.set_config(key="num_fewshot", value=shots or 0)
        task.set_fewshot_seed(seed=seed)
        with redirect_stderr(StringIO()):  # a bar for each task
            task.build_all_requests()
    return loaded
