"""What a training takes: memory at its peak, and energy where the driver tells.

Goes on counting after a kill from what the checkpoint says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from transformers import TrainerCallback

from tuneval.models.consumption import Consumption


class Meter(TrainerCallback):
    """Measures from `on_train_begin` on; made before the model is loaded, as memory counts from it.

    `peak_memory_bytes` and `energy_joules` are as `Consumption` has them.
    """

    def __init__(self, device: torch.device) -> None:
        self.peak_memory_bytes: int | None = None
        self.energy_joules: float | None = None
        self._consumption = Consumption(device)

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Begin: the peak of what came before, loading for instance, is no part of training."""
        self._consumption.begin()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Read everything: counters of energy wrap, and the next checkpoint says what is known."""
        self._see_peak(self._consumption.peak_bytes())
        used = self._consumption.joules()
        if used is not None:
            self.energy_joules = (self.energy_joules or 0.0) + used

    def as_dict(self) -> dict[str, Any]:
        """For a checkpoint, and for `restore`."""
        return {"peak_memory_bytes": self.peak_memory_bytes, "energy_joules": self.energy_joules}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Go on from what `as_dict` gave."""
        self._see_peak(values["peak_memory_bytes"])
        self.energy_joules = values["energy_joules"]

    def _see_peak(self, peak: int | None) -> None:
        if peak is not None:
            self.peak_memory_bytes = max(self.peak_memory_bytes or 0, peak)
