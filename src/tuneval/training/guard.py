"""Watches the loss while a training goes on, and says what to try when it goes wrong.

A loss that is no number ends the training before anything of it is saved; a spike and a loss
that does not fall are told, once each time, and the training goes on.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, median, variance
from typing import Any

from transformers import TrainerCallback

from tuneval.errors import RunError
from tuneval.runs.events import Report, Warned
from tuneval.training.probe import LOSS

RECENT = 20
"""Logged losses that a new one is compared with."""

SPIKE_RATIO = 1.5
SPIKE_DEVIATIONS = 8.0
"""A spike is above the recent median by both: by this factor, and by so many of their spread."""

SPREAD_OF_NORMAL = 1.4826
"""Median absolute deviation -> standard deviation, where losses scatter normally."""

STALL_AFTER = 60
"""Logged losses after which, and then again and again, a fall from the first ones is looked for."""

LEAST_FALL = 0.03
"""Of the first losses; a fall that is smaller even with its noise is none."""

LOW_LOSS = 0.1
"""Nats per token, below which there is little left to learn."""


class Guard(TrainerCallback):
    """Looks at every logged loss and at the gradient's length beside it."""

    def __init__(self, folder: Path, *, report: Report) -> None:
        self.folder = folder
        self.report = report
        self.first: list[float] = []
        self.recent: deque[float] = deque(maxlen=RECENT)
        self.n_seen = 0
        self.quiet_until = 0
        self.told_of_stall = False
        self.told_of_zero = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Know what a resumed training has seen before."""
        for entry in state.log_history:
            if "loss" in entry:
                self._take_in(entry["loss"])

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """What will or may be saved is looked at first; and a resumed log has the same lines."""
        if control.should_save or control.should_evaluate:
            control.should_log = True

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any
    ) -> None:
        """Stop at what is no number; warn of a spike, a stall, and a gradient of zero."""
        found, step = logs or {}, state.global_step
        self._refuse_no_number(found, step)
        if "loss" not in found:
            return
        loss = found["loss"]
        if step > self.quiet_until and is_spike(loss, self.recent):
            self.quiet_until = step + RECENT * args.logging_steps
            self._warn(
                f"the loss jumped to {loss:.4g} at step {step}, from about "
                f"{median(self.recent):.4g} before. If it does not come down again: a lower "
                "optimizer.learning_rate, a longer schedule.warmup_ratio or a lower "
                "optimizer.max_grad_norm; and look at the examples of that step"
            )
        self._take_in(loss)
        is_time = self.n_seen % STALL_AFTER == 0 and not self.told_of_stall
        if is_time and is_past_warmup(args, state) and is_stall(self.first, self.recent):
            self.told_of_stall = True
            self._warn(
                f"the loss has not fallen: {fmean(self.first):.4g} in the first {RECENT} logged "
                f"steps, {fmean(self.recent):.4g} in the latest ones, at step {step}. Try a higher "
                "optimizer.learning_rate or a method with more trained parameters, and look with "
                "a show step at which tokens are trained"
            )
        if found.get("grad_norm") == 0.0 and not self.told_of_zero:
            self.told_of_zero = True
            self._warn(
                f"the gradient is exactly zero at step {step}: nothing is learnt. The trained "
                "parameters have no influence on the loss, or the numbers are too small for the "
                "precision; try precision.kind=float32 or another method"
            )

    def _take_in(self, loss: float) -> None:
        self.n_seen += 1
        self.recent.append(loss)
        if len(self.first) < RECENT:
            self.first.append(loss)

    def _warn(self, message: str) -> None:
        self.report(Warned("train", message))

    def _refuse_no_number(self, logs: Mapping[str, float], step: int) -> None:
        named = {"loss": "loss", "grad_norm": "gradient", LOSS: "held-out loss"}
        for key, name in named.items():
            if key in logs and not math.isfinite(logs[key]):
                raise RunError(
                    f"The {name} became {logs[key]} at step {step}.",
                    where=str(self.folder),
                    mend="lower optimizer.learning_rate, raise schedule.warmup_ratio, or train in "
                    "float32; the last checkpoint is kept",
                )


def is_spike(loss: float, recent: Sequence[float] | deque[float]) -> bool:
    """Whether a loss stands out of those before it; never before there are `RECENT` of them."""
    if len(recent) < RECENT:
        return False
    middle = median(recent)
    spread = SPREAD_OF_NORMAL * median(abs(each - middle) for each in recent)
    return loss > SPIKE_RATIO * middle and loss > middle + SPIKE_DEVIATIONS * spread


def is_stall(first: Sequence[float], recent: Sequence[float] | deque[float]) -> bool:
    """Whether losses that are not low have surely not fallen from the first to the latest ones.

    Surely: two standard errors of the difference of the means are taken off.
    """
    before, after = fmean(first), fmean(recent)
    error = math.sqrt(variance(first) / len(first) + variance(recent) / len(recent))
    return before > LOW_LOSS and before - after + 2 * error < LEAST_FALL * before


def is_past_warmup(args: Any, state: Any) -> bool:
    """Whether the rate has been at its height for at least as long as it took to get there."""
    return bool(state.global_step >= 2 * args.get_warmup_steps(state.max_steps))
