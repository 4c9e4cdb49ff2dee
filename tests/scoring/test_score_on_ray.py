"""A set scored by workers of a Ray cluster has the scores of one process, whoever is lost."""

from __future__ import annotations

import os
import signal

import pytest
from ray_cluster import ray_cluster

from tuneval import files
from tuneval.data.example import Example, Message, Source
from tuneval.models.engines import ray_workers
from tuneval.runs.events import Step, Warned
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.measured import NAME
from tuneval.scoring.score import Meter, score

pytestmark = [
    pytest.mark.slow,
    # Ray's listeners and pipes, found by whatever test the garbage is collected in.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture(scope="module")
def examples():
    return [
        Example(
            (
                Message("user", f"What is {n} plus {m}?"),
                Message("assistant", f"The answer is {n + m}. " * (1 + n % 5)),
            ),
            Source("sums.jsonl", n * 8 + m + 1),
        )
        for n in range(8)
        for m in range(8)
    ]


@pytest.fixture(scope="module")
def config():
    return ScoreConfig(token_budget=512)


@pytest.fixture(scope="module")
def alone(config, examples, tiny_llama_folder, tmp_path_factory):
    """The rows that one process comes to."""
    folder = tmp_path_factory.mktemp("alone")
    return _rows(config, examples, tiny_llama_folder, folder)


def _rows(config, examples, model, folder, **more):
    tasks = {example.id: "sums" for example in examples}
    by = Meter(model=str(model), device="cpu", workers=more.pop("workers", None))
    scores = score(config, examples, by=by, folder=folder, tasks=tasks, **more)
    return [row.as_dict() for row in scores.rows]


def test_two_workers_give_the_scores_of_one_process(
    config, examples, tiny_llama_folder, alone, tmp_path
):
    with ray_cluster(1, 1) as cluster:
        found = _rows(config, examples, tiny_llama_folder, tmp_path, workers=cluster.address)
    assert found == alone


def test_a_killed_worker_costs_no_score(
    config, examples, tiny_llama_folder, alone, tmp_path, monkeypatch
):
    opened, killed, told = [], [], []
    real = ray_workers.open_ray

    def open_ray(*arguments, **more):
        opened.append(real(*arguments, **more))
        return opened[-1]

    def kill_one(event):
        if isinstance(event, Warned):
            told.append(event.message)
        in_the_middle = isinstance(event, Step) and event.total and event.done < event.total / 2
        if in_the_middle and not killed and len(opened[0].workers()) == 2:
            killed.append(opened[0].workers()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    monkeypatch.setattr(ray_workers, "open_ray", open_ray)
    with ray_cluster(1, 1) as cluster:
        found = _rows(
            config, examples, tiny_llama_folder, tmp_path,
            workers=cluster.address, report=kill_one,
        )  # fmt: skip
    assert killed
    assert any(f"(process {killed[0]})" in message for message in told)
    assert found == alone
    passes = [row["parts"] for row in files.read_jsonl(tmp_path / NAME) if "parts" in row]
    keys = [key for parts in passes for key, _, _ in parts]
    assert len(keys) == len(set(keys))
