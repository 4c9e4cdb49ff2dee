"""What it took to train the model that answers, as its run says."""

from __future__ import annotations

from pathlib import Path

from tuneval import files
from tuneval.models.reference import parse_reference

RESULTS_NAME = "train_results.json"


def train_seconds(model: str, adapter: str | None) -> float | None:
    """Seconds of training, over all starts; None for a model that no run of tuneval trained.

    A run's results lie beside its `adapter/` or `model/`.
    """
    folder = Path(parse_reference(model).location) if model.startswith("run:") else None
    if adapter is not None:
        folder = Path(adapter).parent
    if folder is None or not (folder / RESULTS_NAME).is_file():
        return None
    seconds = files.read_json(folder / RESULTS_NAME).get("train_runtime")
    return None if seconds is None else float(seconds)
