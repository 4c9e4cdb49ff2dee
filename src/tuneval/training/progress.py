"""Tells the story of a training run: events for people, `trainer_log.jsonl` for tools.

The log has LLaMA-Factory's keys. After a resume its lines beyond the checkpoint are taken back,
so every step stands there once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from tuneval import files
from tuneval.runs.events import Report, Saved, Started, Step
from tuneval.training.probe import LOSS

LOG_NAME = "trainer_log.jsonl"


class Progress(TrainerCallback):
    """Writes one log line and reports one event at each logging step."""

    def __init__(self, folder: Path, *, tokens_per_step: float, report: Report) -> None:
        self.path = folder / LOG_NAME
        self.tokens_per_step = tokens_per_step
        self.report = report
        self.seconds_before = 0.0
        self.began = 0.0
        self.first_step = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Take back log lines that a resume will write again."""
        kept = []
        if self.path.exists():
            rows = files.read_jsonl(self.path, tolerate_torn_tail=True)
            kept = [row for row in rows if row["current_steps"] <= state.global_step]
        files.write_jsonl(self.path, kept)
        self.seconds_before = float(kept[-1]["elapsed_seconds"]) if kept else 0.0
        self.began = time.monotonic()
        self.first_step = state.global_step
        self.report(Started("train", state.max_steps, "steps"))

    @property
    def elapsed_seconds(self) -> float:
        """Training time over all starts of this run, without what a kill threw away."""
        return self.seconds_before + time.monotonic() - self.began

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any
    ) -> None:
        """One line and one event, for a training loss and for one of the probe."""
        if not logs or not logs.keys() & {"loss", LOSS}:
            return
        step, total = state.global_step, state.max_steps
        seconds_here = time.monotonic() - self.began
        done_here = max(1, step - self.first_step)
        tokens_per_second = self.tokens_per_step * done_here / max(seconds_here, 1e-9)
        row = {
            "current_steps": step,
            "total_steps": total,
            **_losses(logs),
            "epoch": round(state.epoch or 0.0, 2),
            "percentage": round(100 * step / max(1, total), 2),
            "elapsed_time": _clock(self.elapsed_seconds),
            "remaining_time": _clock((total - step) * seconds_here / done_here),
            "throughput": round(tokens_per_second, 2),
            "total_tokens": round(self.tokens_per_step * step),
            "elapsed_seconds": round(self.elapsed_seconds, 3),
        }
        if "grad_norm" in logs:
            row["grad_norm"] = logs["grad_norm"]
        files.append_jsonl(self.path, row)
        names = {"loss": "loss", LOSS: "held_out_loss", "learning_rate": "learning_rate"}
        values = {ours: logs[theirs] for theirs, ours in names.items() if theirs in logs}
        values["tokens_per_second"] = tokens_per_second
        self.report(Step("train", step, total, values))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Name the checkpoint."""
        self.report(Saved("train", f"{args.output_dir}/checkpoint-{state.global_step}"))


def _losses(logs: Mapping[str, float]) -> dict[str, float]:
    """What a line says of the loss: of the training with its rate, or of the held-out examples."""
    if LOSS in logs:
        return {LOSS: round(logs[LOSS], 6)}
    return {"loss": round(logs["loss"], 6), "lr": logs["learning_rate"]}


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))
