"""A connection to a Ray cluster, and how much room there is in it."""

from __future__ import annotations

import math
import os
import re
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from tuneval.errors import TunevalError, UsageError
from tuneval.extras import require

ANSWER_SECONDS = 5.0
# Only token ids lie in the object store of a cluster of our own, and of the parts in hand.
OBJECT_STORE_BYTES = 256 * 2**20
_FORMS = "write ray (this machine, or $RAY_ADDRESS), HOST:PORT or ray://HOST:PORT"
# Time and source line before a message: [2026-01-31 12:00:00,000 W 123 123] gcs_client.cc:210:
_STAMP = re.compile(r"^\[[^]]*\] (\S+\.cc:\d+: )?")
_QUIET = {
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # what raylets have to say of lost workers, we say
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the future way; the present one warns
}


@dataclass(frozen=True, slots=True)
class Room:
    """What a cluster has now. `cpus` are those of each machine that has any."""

    cpus: tuple[int, ...]
    n_gpus: int

    def cpus_per_worker(self, n_workers: int) -> int:
        """CPUs for each of so many workers, spread evenly; at least 1."""
        if not self.cpus:
            return 1
        return max(1, min(self.cpus) // math.ceil(n_workers / len(self.cpus)))

    def __str__(self) -> str:
        return f"{len(self.cpus)} machines with {sum(self.cpus)} CPUs and {self.n_gpus} GPUs"


class Cluster:
    """A connection. `close` ends it, and with it the cluster if it was started for us."""

    def __init__(self, ray: Any, *, is_ours_to_leave: bool) -> None:
        self.ray = ray
        self._is_ours_to_leave = is_ours_to_leave

    def room(self) -> Room:
        """What there is in the machines that are alive."""
        resources = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        cpus = tuple(int(has["CPU"]) for has in resources if has.get("CPU", 0) >= 1)
        return Room(cpus, int(sum(has.get("GPU", 0) for has in resources)))

    def close(self) -> None:
        """Leave the cluster; a connection that was there before us stays."""
        if self._is_ours_to_leave:
            self._is_ours_to_leave = False
            self.ray.shutdown()


def join(address: str = "ray") -> Cluster:
    """Connect to a cluster: `ray`, `HOST:PORT` or `ray://HOST:PORT`.

    `ray` is what $RAY_ADDRESS names, else the cluster that runs on this machine, else one that
    is started for us. Raises UsageError for an address that can mean nothing, TunevalError where
    no cluster answers, MissingPackageError without Ray.
    """
    where = os.environ.get("RAY_ADDRESS", "") if address == "ray" else address
    if where not in ("", "auto", "local"):
        _knock(where)
    if "ray" not in sys.modules:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
    ray = require("ray", extra="ray", why="to work on several machines")
    if ray.is_initialized():
        if address != "ray":
            raise UsageError(
                "This process is already connected to a Ray cluster.",
                where=address,
                mend="leave it first (ray.shutdown()), or write ray to use that connection",
            )
        return Cluster(ray, is_ours_to_leave=False)
    with _explained(where or "this machine"):
        if where:
            _connect(ray, where)
        else:
            _connect_here(ray)
    return Cluster(ray, is_ours_to_leave=True)


def _connect_here(ray: Any) -> None:
    try:
        _connect(ray, "auto")
    except ConnectionError:
        _connect(ray, "local")


def _connect(ray: Any, address: str) -> None:
    more: dict[str, Any] = {}
    if address == "local":
        more = {"include_dashboard": False, "object_store_memory": OBJECT_STORE_BYTES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's about its own future
        ray.init(address, log_to_driver=False, logging_level="ERROR", **more)


def _knock(address: str) -> None:
    """Whether anybody listens there. Ray itself would try for a minute and may end the process."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise UsageError(f"'{address}' is not the address of a Ray cluster.", mend=_FORMS)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise TunevalError(
            f"No Ray cluster answers at {address}: {error}.",
            where=address,
            mend="start one (`ray start --head` prints its address), or look at the firewall",
        ) from error


@contextmanager
def _explained(address: str) -> Iterator[None]:
    """One clear error where Ray cannot connect, with what its C++ side wrote of it."""
    with TemporaryFile() as written:
        try:
            with _stderr_to(written):
                yield
        except (ConnectionError, RuntimeError, ValueError, OSError, ImportError) as error:
            written.seek(0)
            lines = written.read().decode(errors="replace").strip().splitlines()
            told = str(error).strip().splitlines()[:1] + [_STAMP.sub("", s) for s in lines[-1:]]
            raise TunevalError(
                f"The Ray cluster does not take us: {'; '.join(told) or type(error).__name__}",
                where=address,
                mend=_mend(address),
            ) from error


@contextmanager
def _stderr_to(file: IO[bytes]) -> Iterator[None]:
    """What any code of this process writes to standard error, C++ too, goes to a file."""
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def _mend(address: str) -> str:
    way = (
        "install ray[client] here and there"
        if address.startswith("ray://")
        else "be on a machine of the cluster, or write ray://HOST:10001"
    )
    return (
        f"{way}; use the cluster's versions of Ray and Python; "
        "where it asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
    )
