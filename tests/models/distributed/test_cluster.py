from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

from tuneval.errors import TunevalError, UsageError
from tuneval.models.distributed.cluster import Room, join
from tuneval.models.distributed.loss import reason_of


@pytest.fixture
def ray(monkeypatch):
    """A module in Ray's place that remembers how it was asked to connect."""
    module = ModuleType("ray")
    module.asked = []
    module.running_here = False

    def init(address, **options):
        module.asked.append(address)
        if address == "auto" and not module.running_here:
            raise ConnectionError("Could not find any running Ray instance.")

    module.init = init
    module.is_initialized = lambda: False
    module.shutdown = lambda: module.asked.append("left")
    monkeypatch.setitem(sys.modules, "ray", module)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return module


def test_ray_is_the_cluster_that_runs_here(ray):
    ray.running_here = True
    join("ray").close()
    assert ray.asked == ["auto", "left"]


def test_ray_is_a_cluster_of_our_own_where_none_runs(ray):
    join("ray").close()
    assert ray.asked == ["auto", "local", "left"]


def test_ray_is_what_the_environment_names(ray, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "local")
    join("ray").close()
    assert ray.asked == ["local", "left"]
    monkeypatch.setenv("RAY_ADDRESS", "nonsense")
    with pytest.raises(UsageError, match="'nonsense' is not the address"):
        join("ray")


def test_a_connection_that_was_there_is_used_and_left_alone(ray, monkeypatch):
    ray.is_initialized = lambda: True
    join("ray").close()
    assert ray.asked == []
    monkeypatch.setattr("tuneval.models.distributed.cluster._knock", lambda address: None)
    with pytest.raises(UsageError, match="already connected"):
        join("10.0.0.1:6379")


def test_why_it_cannot_connect_is_told_once_and_nothing_is_written(ray, monkeypatch, capfd):
    def init(address, **options):
        stamp = "[2026-01-31 12:00:00,123 W 7 7] gcs_client.cc:210: "
        os.write(2, f"{stamp}first\n{stamp}InvalidAuthToken\n".encode())
        raise ConnectionError("Failed to connect\nand more")

    ray.init = init
    monkeypatch.setattr("tuneval.models.distributed.cluster._knock", lambda address: None)
    with pytest.raises(TunevalError) as caught:
        join("10.0.0.1:6379")
    assert caught.value.what == (
        "The Ray cluster does not take us: Failed to connect; InvalidAuthToken"
    )
    assert "RAY_AUTH_MODE=token" in caught.value.mend
    print("heard again", file=sys.stderr, flush=True)
    assert capfd.readouterr().err == "heard again\n"


def test_without_ray_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(TunevalError, match="'ray' is needed") as caught:
        join("ray")
    assert caught.value.mend == "pip install 'tuneval[ray]'"


@pytest.mark.parametrize(
    ("cpus", "n_workers", "each"),
    [((8,), 1, 8), ((8,), 3, 2), ((8, 16), 2, 8), ((8, 16), 4, 4), ((2, 2), 9, 1), ((), 2, 1)],
)
def test_cpus_are_shared_out_evenly(cpus, n_workers, each):
    assert Room(cpus, 0).cpus_per_worker(n_workers) == each


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "The actor died unexpectedly before finishing this task.\n\tpid: 5\nThe actor is dead "
            "because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit "
            "detail: Worker unexpectedly exits with a connection error code 2. End of file. Some "
            "common causes include: (1) the process was killed by the OOM killer due to high "
            "memory usage",
            "its process ended (Worker unexpectedly exits with a connection error code 2)",
        ),
        (
            "The actor 2d996079b57ac5f2ae94007701000000 is unavailable: The actor is temporarily "
            "unavailable: RpcError: RPC error: Socket closed rpc_code: 14.",
            "it no longer answers",
        ),
        (
            "Worker exit type: NODE_OUT_OF_MEMORY Worker exit detail: Task was killed due to the "
            "node running low on memory.",
            "its machine ran low on memory",
        ),
        (
            "\x1b[36mray::W.__init__()\x1b[39m\nModuleNotFoundError: No module named 'tuneval'",
            "ModuleNotFoundError: No module named 'tuneval'",
        ),
    ],
)
def test_the_reason_of_a_loss_is_a_few_words(text, reason):
    assert reason_of(RuntimeError(text)) == reason
