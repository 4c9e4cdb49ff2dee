"""The files a finished training run leaves, under the names people know from LLaMA-Factory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.training.meter import Meter
from tuneval.training.probe import LOSS, HeldOut


def write_results(folder: Path, split: str, values: Mapping[str, Any]) -> None:
    """`<split>_results.json`, merged into `all_results.json`; keys sorted."""
    _write_sorted(folder / f"{split}_results.json", values)
    everything = folder / "all_results.json"
    known = files.read_json(everything) if everything.exists() else {}
    _write_sorted(everything, {**known, **values})


def train_results(
    log: list[dict[str, Any]], *, total_flos: float, n_examples: int, steps: int, meter: Meter
) -> dict[str, Any]:
    """The numbers of a training run. `train_loss` is the mean over all steps.

    Memory and energy are left out where nothing tells them.
    """
    seconds = max(float(log[-1]["elapsed_seconds"]), 1e-9)
    measured = {f"train_{name}": value for name, value in meter.as_dict().items()}
    return {
        **{name: value for name, value in measured.items() if value is not None},
        "epoch": log[-1]["epoch"],
        "total_flos": total_flos,
        "train_loss": _mean_loss(log),
        "train_runtime": round(seconds, 4),
        "train_samples_per_second": round(n_examples * log[-1]["epoch"] / seconds, 3),
        "train_steps_per_second": round(steps / seconds, 3),
        "num_input_tokens_seen": log[-1]["total_tokens"],
        "effective_tokens_per_sec": round(log[-1]["total_tokens"] / seconds, 3),
    }


def eval_results(log_history: Sequence[Mapping[str, Any]], held_out: HeldOut) -> dict[str, Any]:
    """The probe's last look at the weights that were kept, in the Trainer's words."""
    (entry, *_) = (e for e in log_history if LOSS in e and e["step"] == held_out.step)
    measured = {key: value for key, value in entry.items() if key != "step"}
    return measured | {"perplexity": held_out.perplexity}


def _mean_loss(log: Sequence[Mapping[str, Any]]) -> float:
    """Each logged loss is a mean since the one before: it counts for so many steps."""
    total, last = 0.0, 0
    for row in log:
        if "loss" in row:
            total += row["loss"] * (row["current_steps"] - last)
            last = row["current_steps"]
    return total / last


def _write_sorted(path: Path, values: Mapping[str, Any]) -> None:
    files.write_json(path, dict(sorted(values.items())))
