"""What a training takes: memory at its peak, and energy where the driver tells.

Goes on counting after a kill from what the checkpoint says.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from tuneval.training.energy import Counter, energy_counters

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class Meter(TrainerCallback):
    """Measures from `on_train_begin` on; made before the model is loaded, as memory counts from it.

    On CUDA `peak_memory_bytes` is what torch's allocator held for tensors; on the CPU it is how far
    the process's resident memory rose, Linux only. `energy_joules` is that of the GPU or of the
    CPU's packages, other programs' share in it. Both are None where nothing can be read.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.peak_memory_bytes: int | None = None
        self.energy_joules: float | None = None
        self._counters: list[Counter] = []
        gc.collect()
        self._resident_before = _resident("VmRSS")

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Begin: the peak of what came before, loading for instance, is no part of training."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        elif _STATUS.exists():
            # proc(5): the peak resident size begins anew. Where that is not allowed, the peak since
            # the process began is the best there is.
            with suppress(OSError):
                _CLEAR.write_text("5")
        self._counters = energy_counters(self.device)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Read everything: counters of energy wrap, and the next checkpoint says what is known."""
        self._see_peak(self._peak())
        if self._counters:
            used = sum(counter.since_last() for counter in self._counters)
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

    def _peak(self) -> int | None:
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self.device))
        highest = _resident("VmHWM") if self.device.type == "cpu" else None
        if highest is None or self._resident_before is None:
            return None
        return max(0, highest - self._resident_before)


def _resident(field: str) -> int | None:
    """Bytes of this process that are in memory, now (VmRSS) or at most (VmHWM)."""
    if not _STATUS.exists():
        return None  # not Linux
    lines = _STATUS.read_text().splitlines()
    found = next((line for line in lines if line.startswith(field)), None)
    return None if found is None else int(found.split()[1]) * 1024
