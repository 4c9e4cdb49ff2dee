"""Why a worker was lost, in a few words (Ray's own are a page long), and when to give up."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tuneval.errors import TunevalError
from tuneval.models.distributed.cluster import Room
from tuneval.models.distributed.hired import Hired

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


def given_up(n_losses: int, last: str, left: str) -> TunevalError:
    """For work that `n_losses` workers were lost at, the last one as told; `left` describes it."""
    return TunevalError(
        f"{n_losses} workers were lost at the same work, the last one {last}.",
        where=left,
        mend="leave it out or shorten it (max_length), or give the workers more memory",
    )


def no_luck(n_losses: int, last: str, room: Room) -> TunevalError:
    """For so many losses in a row that nothing will come of it."""
    return TunevalError(
        f"{n_losses} workers were lost in a row, and nothing came of it; the last one {last}.",
        where=str(room),
        mend="see Ray's logs of that machine (`ray logs` lists them)",
    )


def no_room(room: Room, options: Mapping[str, float], seconds: float) -> TunevalError:
    """For a cluster that had no place for a worker with such options."""
    names = {"num_gpus": "GPUs", "num_cpus": "CPUs"}
    needs = [f"{options[key]:g} {name}" for key, name in names.items() if options.get(key)]
    return TunevalError(
        f"The Ray cluster had no room for a worker in {seconds:g} seconds.",
        where=f"{room}; a worker needs {' and '.join(needs)}",
        mend="wait for other work on it to end, or ask for less (`ray status` shows it)",
    )


def other_tuneval(what: str) -> TunevalError:
    """For a machine that has no tuneval, or another version of it."""
    mend = "install the same version of tuneval on every machine of the cluster"
    return TunevalError(what, mend=mend)


def placed(error: TunevalError, worker: Hired) -> TunevalError:
    """The error as it is, and on which machine."""
    error.where = f"{error.where}, worker {worker}" if error.where else f"worker {worker}"
    return error
