"""Why a worker was lost, in a few words: Ray's own are a page long."""

from __future__ import annotations

import re

_CAUSES = (
    (r"low on memory|OUT_OF_MEMORY", "its machine ran low on memory"),
    (r"actor .{0,60}is (temporarily )?unavailable", "it no longer answers"),
    (r"[Nn]ode .{0,80}(died|dead)|NODE_DIED|node was terminated", "its machine is gone"),
)
_DETAIL = re.compile(r"Worker exit detail: ([^.]+)\.")
_COLOR = re.compile(r"\x1b\[\d+m")


def reason_of(error: Exception) -> str:
    """What happened to the worker that Ray raised `error` for."""
    text = _COLOR.sub("", str(error)).strip()
    for pattern, cause in _CAUSES:
        if re.search(pattern, text):
            return cause
    if detail := _DETAIL.search(text):
        return f"its process ended ({detail[1]})"
    lines = text.splitlines()
    return lines[-1].strip() if lines else type(error).__name__
