"""Tells the story of a training run: events for people, `trainer_log.jsonl` for tools.

The log has LLaMA-Factory's keys. After a resume its lines beyond the checkpoint are taken back,
so every step stands there once.
"""

from __future__ import annotations

import math
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from tuneval import files
from tuneval.errors import RunError
from tuneval.runs.events import Report, Saved, Started, Step

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
        """One line and one event; stops at a loss that is no number."""
        if not logs or "loss" not in logs:
            return
        step, total = state.global_step, state.max_steps
        if not math.isfinite(logs["loss"]):
            raise RunError(
                f"The loss became {logs['loss']} at step {step}.",
                where=str(self.path),
                mend="lower learning_rate, or train in float32; the last checkpoint is kept",
            )
        seconds_here = time.monotonic() - self.began
        done_here = max(1, step - self.first_step)
        tokens_per_second = self.tokens_per_step * done_here / max(seconds_here, 1e-9)
        row = {
            "current_steps": step,
            "total_steps": total,
            "loss": round(logs["loss"], 6),
            "lr": logs["learning_rate"],
            "epoch": round(state.epoch or 0.0, 2),
            "percentage": round(100 * step / max(1, total), 2),
            "elapsed_time": _clock(self.elapsed_seconds),
            "remaining_time": _clock((total - step) * seconds_here / done_here),
            "throughput": round(tokens_per_second, 2),
            "total_tokens": round(self.tokens_per_step * step),
            "grad_norm": logs.get("grad_norm"),
            "elapsed_seconds": round(self.elapsed_seconds, 3),
        }
        files.append_jsonl(self.path, row)
        values = {
            "loss": logs["loss"],
            "learning_rate": logs["learning_rate"],
            "tokens_per_second": tokens_per_second,
        }
        self.report(Step("train", step, total, values))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Name the checkpoint."""
        self.report(Saved("train", f"{args.output_dir}/checkpoint-{state.global_step}"))


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))
