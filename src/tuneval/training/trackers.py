"""Programs that show the numbers of many trainings, through transformers' own callbacks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tuneval.extras import require
from tuneval.training.config import Tracker


@contextmanager
def tracked(trackers: Sequence[Tracker], folder: Path) -> Iterator[None]:
    """Inside, each tracker writes into a folder of its own in `folder`, and sends nothing away.

    What the environment says already holds: a server of mlflow's, WANDB_MODE=online. Raises
    MissingPackageError for one that is not installed.
    """
    for tracker in trackers:
        require(tracker, extra=tracker, why=f"for record.trackers={tracker}")
    places = {
        "tensorboard": {"TENSORBOARD_LOGGING_DIR": str(folder / "tensorboard")},
        # wandb makes its folder in WANDB_DIR by itself.
        "wandb": {"WANDB_MODE": "offline", "WANDB_DIR": str(folder), "WANDB_PROJECT": "tuneval"},
        "mlflow": {"MLFLOW_TRACKING_URI": f"sqlite:///{folder.resolve() / 'mlflow' / 'runs.db'}"},
    }
    missing = {
        name: value
        for tracker in trackers
        for name, value in places[tracker].items()
        if name not in os.environ
    }
    if "MLFLOW_TRACKING_URI" in missing:
        (folder / "mlflow").mkdir(parents=True, exist_ok=True)
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            os.environ.pop(name, None)
