"""Likelihood measured by workers of a Ray cluster equals that of one process, whoever is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from ray_cluster import quiet_ray, ray_cluster

from tuneval.errors import ModelError, TunevalError, UsageError
from tuneval.models.engines.engine import EngineConfig
from tuneval.models.engines.ray_workers import open_ray
from tuneval.models.engines.torch import open_engine
from tuneval.models.likelihood import Nll
from tuneval.models.sequences import Request
from tuneval.runs.events import Finished, Started, Step, Warned

pytestmark = [
    # Ray's listeners and pipes, found by whatever test the garbage is collected in.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture(scope="module")
def config(tiny_llama_folder):
    return EngineConfig(model=str(tiny_llama_folder), device="cpu", token_budget=256)


@pytest.fixture(scope="module")
def many_requests():
    """Enough for a few dozen passes; some share a beginning, some are equal, one has no target."""
    source = np.random.default_rng(3)
    shots = [source.integers(3, 290, 60).tolist() for _ in range(4)]
    made = []
    for number in range(160):
        own = source.integers(3, 290, 12 + number % 30).tolist()
        context = shots[number % 4] + own if number % 3 == 0 else own
        made.append(Request(context, source.integers(3, 290, 1 + number % 9).tolist()))
    return [*made, made[0], Request(made[5].context, [])]


@pytest.fixture(scope="module")
def alone(config, many_requests):
    """What one process measures."""
    found: dict[int, Nll] = {}
    with open_engine(config) as engine:
        engine.measure(many_requests, on_batch=found.update)
    return found


class Once(dict):
    """Nlls by request; refuses to hear of one twice, and tells `then` after each batch."""

    def __init__(self, then=lambda: None):
        self.then = then

    def hear(self, batch):
        for index, nll in batch:
            assert index not in self
            self[index] = nll
        self.then()


def test_two_workers_measure_what_one_process_measures(
    config, many_requests, alone, monkeypatch, capfd
):
    quiet_ray()
    monkeypatch.setenv("RAY_ADDRESS", "local")
    events, found = [], Once()
    with open_ray(config, workers=2, report=events.append) as engine:
        assert engine.longest_input == 2048
        half = set(range(0, len(many_requests), 2))
        engine.measure(many_requests, known=half, on_batch=found.hear, report=events.append)
        # The same rows as in one process: not a bit differs.
        assert found == {index: nll for index, nll in alone.items() if index not in half}
        rest = Once()
        engine.measure(many_requests, on_batch=rest.hear)
        assert rest == alone
        with pytest.raises(ModelError, match="longer than the 2048 tokens"):
            engine.measure([Request([5] * 2040, [7] * 10)], on_batch=rest.hear)
    started, *_, finished = [e for e in events if getattr(e, "stage", "") == "likelihood"]
    wanted = [r for i, r in enumerate(many_requests) if i not in half]
    assert started == Started(
        "likelihood", sum(len(r.context) + len(r.target) for r in wanted), "tokens"
    )
    assert isinstance(finished, Finished)
    assert finished.values["lost"] == 0
    assert finished.values["computed"] > 0
    steps = [event for event in events if isinstance(event, Step)]
    assert steps[-1].done == steps[-1].total == started.total
    written = capfd.readouterr()
    assert written.out == written.err == ""


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_where_nobody_listens_is_an_error_in_seconds(config, scheme):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{closed.getsockname()[1]}"
        before = time.monotonic()
        with pytest.raises(TunevalError, match=f"No Ray cluster answers at {address}"):
            open_ray(config, address=address)
    assert time.monotonic() - before < 30


@pytest.mark.parametrize("address", ["somewhere", "host:port", ":6379"])
def test_what_is_no_address_is_refused(config, address):
    with pytest.raises(UsageError, match="is not the address of a Ray cluster"):
        open_ray(config, address=address)


def test_an_engine_that_is_not_there_is_refused_before_a_cluster_is_joined(config):
    with pytest.raises(UsageError, match="no engine called 'toch'"):
        open_ray(config, engine="toch", address="127.0.0.1:1")


@pytest.fixture
def two_nodes():
    with ray_cluster(1, 1) as cluster:
        yield cluster


@pytest.mark.slow
def test_a_killed_worker_changes_nothing(two_nodes, config, many_requests, alone):
    events, killed = [], []

    def kill_one():
        if not killed and len(engine.workers()) == 2:
            killed.append(engine.workers()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    found = Once(kill_one)
    with open_ray(config, address=two_nodes.address) as engine:
        wait_for_both(engine, many_requests)
        engine.measure(many_requests, on_batch=found.hear, report=events.append)
    assert killed
    assert found == alone
    told = [event.message for event in events if isinstance(event, Warned)]
    assert len(told) == 1
    assert f"(process {killed[0]}): its process ended" in told[0]
    assert next(e for e in events if isinstance(e, Finished)).values["lost"] == 1


@pytest.mark.slow
def test_a_node_that_goes_changes_nothing(config, many_requests, alone):
    events, gone = [], []

    def remove_one():
        if not gone and len(engine.workers()) == 2:
            gone.append(second)
            cluster.remove_node(second, allow_graceful=False)

    found = Once(remove_one)
    with ray_cluster(1) as cluster:
        second = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        with open_ray(config, address=cluster.address) as engine:
            wait_for_both(engine, many_requests)
            engine.measure(many_requests, on_batch=found.hear, report=events.append)
    assert gone
    assert found == alone
    told = [event.message for event in events if isinstance(event, Warned)]
    assert len(told) == 1
    assert told[0].endswith("starting another")


def wait_for_both(engine, requests):
    """The first worker begins alone; measure until the second is there."""
    while len(engine.workers()) < 2:
        engine.measure(requests[:4], on_batch=lambda batch: None)


@pytest.mark.slow
def test_a_model_that_no_worker_finds_is_the_models_error(two_nodes, config, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    broken = EngineConfig(model=str(tmp_path), device="cpu")
    with pytest.raises(ModelError) as caught:
        open_ray(broken, address=two_nodes.address)
    assert "worker on " in caught.value.where


SCRIPT = """
    from tuneval.models.engines.engine import EngineConfig
    from tuneval.models.engines.ray_workers import open_ray
    from tuneval.models.sequences import Request

    config = EngineConfig(model={model!r}, device="cpu", token_budget=128)
    requests = [Request([3 + i % 90, 4 + i % 70, i // 90 + 3] * 30, [5, 6]) for i in range(4000)]
    with open_ray(config, workers=2) as engine:
        for worker in engine.workers():
            print(worker.pid, flush=True)
        engine.measure(requests, on_batch=lambda batch: print("batch", flush=True))
    print("all", flush=True)
"""


@pytest.mark.slow
def test_an_interrupt_ends_the_work_and_the_workers(config):
    program = textwrap.dedent(SCRIPT).format(model=config.model)
    driver = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "RAY_ADDRESS": "local"},
    )
    with driver:
        pid = int(driver.stdout.readline())
        assert driver.stdout.readline() == "batch\n"
        driver.send_signal(signal.SIGINT)
        out, err = driver.communicate(timeout=60)
    assert "all" not in out
    assert err.strip().endswith("KeyboardInterrupt")
    assert "raylet" not in out + err
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
