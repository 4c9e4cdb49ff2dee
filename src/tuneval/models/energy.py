"""Electric energy of this machine's processors, where their drivers tell.

NVIDIA's driver counts millijoules of a whole GPU since it was loaded (Volta and later); Intel's and
AMD's processors count microjoules of a package (RAPL), which many systems show to root only.
Neither knows processes: what else runs there is counted too.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

RAPL = Path("/sys/class/powercap")


@dataclass(slots=True)
class Counter:
    """A driver's counter: `read` gives joules, which begin at 0 again after `wraps_at`."""

    read: Callable[[], float]
    wraps_at: float | None
    last: float

    def since_last(self) -> float:
        """Joules since the last call; call it more often than the counter wraps."""
        now = self.read()
        used = now - self.last
        if used < 0 and self.wraps_at is not None:
            used += self.wraps_at
        self.last = now
        return max(0.0, used)


def energy_counters(device: torch.device) -> list[Counter]:
    """Of the GPU that works, or else of the CPU's packages; empty where nothing can be read."""
    if device.type == "cuda":
        return _gpu_counters(device)
    return _package_counters(RAPL) if device.type == "cpu" else []


def _package_counters(root: Path) -> list[Counter]:
    """`intel-rapl:0`, `intel-rapl:1`, …; their parts (`intel-rapl:0:1`) are in them already."""
    counters = []
    for folder in sorted(root.glob("*-rapl:*")):
        if folder.name.count(":") != 1:
            continue
        path = folder / "energy_uj"
        try:
            read = _microjoules(path)
            wraps_at = int((folder / "max_energy_range_uj").read_text()) / 1e6
            counters.append(Counter(read, wraps_at, read()))
        except (OSError, ValueError):
            continue
    return counters


def _microjoules(path: Path) -> Callable[[], float]:
    return lambda: int(path.read_text()) / 1e6


def _gpu_counters(device: torch.device) -> list[Counter]:
    try:
        driver = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return []
    uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}".encode()
    handle = ctypes.c_void_p()
    if driver.nvmlInit_v2() or driver.nvmlDeviceGetHandleByUUID(uuid, ctypes.byref(handle)):
        return []
    millijoules = ctypes.c_ulonglong()

    def read() -> float:
        driver.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules))
        return millijoules.value / 1e3

    if driver.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules)):
        return []  # the GPU is older than the counter
    return [Counter(read, None, read())]
