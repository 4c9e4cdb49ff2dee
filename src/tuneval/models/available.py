"""How much memory there is for work on a device, here and now."""

from __future__ import annotations

from pathlib import Path

import torch

_MEMINFO = Path("/proc/meminfo")
# What a container may use, what it uses, and its account of that: cgroup v2, then v1.
_CGROUPS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    (
        "/sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)


def available_bytes(device: torch.device) -> int | None:
    """What is free on the GPU, or in memory within the container's limit; None when unknown."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    known = [found for found in (_free_memory(), _free_in_container()) if found is not None]
    return min(known, default=None)


def _free_memory() -> int | None:
    if not _MEMINFO.exists():
        return None  # not Linux
    lines = _MEMINFO.read_text().splitlines()
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else int(found.split()[1]) * 1024


def _free_in_container() -> int | None:
    """The limit less what is used; files that were read and may be dropped are free too."""
    for folder, limit_name, used_name, droppable_name in _CGROUPS:
        root = Path(folder)
        try:
            limit = int((root / limit_name).read_text())
            used = int((root / used_name).read_text())
            account = dict(line.split() for line in (root / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # none of this kind, or "max": no limit
            continue
        return max(0, limit - used + int(account.get(droppable_name, 0)))
    return None
