"""What work on a device takes: memory at its peak, and energy where the driver tells."""

from __future__ import annotations

import gc
from contextlib import suppress
from pathlib import Path

import torch

from tuneval.models.energy import Counter, energy_counters

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class Consumption:
    """Measures from `begin` on; memory counts from when it was made, before a model is loaded.

    On CUDA memory is what torch's allocator held for tensors; on the CPU it is how far the
    process's resident memory rose, Linux only. Energy is that of the GPU or of the CPU's packages,
    other programs' share in it. Both are None where nothing can be read.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._counters: list[Counter] = []
        gc.collect()
        self._resident_before = _resident("VmRSS")

    def begin(self) -> None:
        """Begin: the peak of what came before, loading for instance, is no part of the work."""
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        elif _STATUS.exists():
            # proc(5): the peak resident size begins anew. Where that is not allowed, the peak since
            # the process began is the best there is.
            with suppress(OSError):
                _CLEAR.write_text("5")
        self._counters = energy_counters(self.device)

    def joules(self) -> float | None:
        """Energy since the last look; look more often than the counters wrap."""
        if not self._counters:
            return None
        return sum(counter.since_last() for counter in self._counters)

    def peak_bytes(self) -> int | None:
        """The most memory since the beginning."""
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
