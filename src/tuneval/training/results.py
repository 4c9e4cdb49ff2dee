"""The files a finished training run leaves, under the names people know from LLaMA-Factory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuneval import files


def write_results(folder: Path, split: str, values: Mapping[str, Any]) -> None:
    """`<split>_results.json`, merged into `all_results.json`; keys sorted."""
    _write_sorted(folder / f"{split}_results.json", values)
    everything = folder / "all_results.json"
    known = files.read_json(everything) if everything.exists() else {}
    _write_sorted(everything, {**known, **values})


def train_results(
    log: list[dict[str, Any]], *, total_flos: float, n_examples: int, steps: int
) -> dict[str, Any]:
    """The numbers of a training run. `train_loss` is the mean over logged steps."""
    seconds = max(float(log[-1]["elapsed_seconds"]), 1e-9)
    return {
        "epoch": log[-1]["epoch"],
        "total_flos": total_flos,
        "train_loss": sum(row["loss"] for row in log) / len(log),
        "train_runtime": round(seconds, 4),
        "train_samples_per_second": round(n_examples * log[-1]["epoch"] / seconds, 3),
        "train_steps_per_second": round(steps / seconds, 3),
        "num_input_tokens_seen": log[-1]["total_tokens"],
        "effective_tokens_per_sec": round(log[-1]["total_tokens"] / seconds, 3),
    }


def _write_sorted(path: Path, values: Mapping[str, Any]) -> None:
    files.write_json(path, dict(sorted(values.items())))
