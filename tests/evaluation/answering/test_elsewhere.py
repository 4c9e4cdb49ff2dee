"""Questions answered by vLLM (a stand-in) and by Ray's workers: the answers of one process here."""

from __future__ import annotations

import os
import signal
import sys

import numpy as np
import pytest
import vllm_stand_in
from ray_cluster import quiet_ray, ray_cluster

from tuneval.data.example import Message
from tuneval.errors import ModelError
from tuneval.evaluation.answering.asked import Writing
from tuneval.evaluation.answering.kept import Kept
from tuneval.evaluation.answering.local import LocalRespondent
from tuneval.evaluation.answering.opening import open_respondent
from tuneval.evaluation.answering.ray import open_on_ray, parts_of
from tuneval.evaluation.answering.vllm import VllmWriter
from tuneval.evaluation.answering.writing import TorchWriter
from tuneval.evaluation.asking.answered import MEASURED
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.models.engines.engine import EngineConfig
from tuneval.models.engines.vllm import open_engine
from tuneval.models.sequences import Request
from tuneval.runs.events import ItemDone, Warned

TOOK = (*MEASURED, "elapsed_seconds")


def written(name, text, **more):
    fields = {"way": "generate", "max_new_tokens": 8, "source": "x"}
    return Question(**{**fields, "id": name, "prompt": (Message("user", text),), **more})


QUESTIONS = [
    *(written(f"write {n}", f"What is {n} plus {n}? " * (1 + n % 4)) for n in range(24)),
    *(written(f"drawn {n}", "Again?", temperature=0.8) for n in range(4)),
    *(written(f"stop {n}", f"{n}", stop=("a", "?"), prompt=f"It is {n}. ") for n in range(4)),
    *(
        Question(
            id=f"choose {n}", source="x", way="choose", prompt=f"What is {n} plus {n}?",
            choices=(" A", " yes it is", f" {n}"), gold=(1,),
        )
        for n in range(12)
    ),
    *(Question(id=f"read {n}", source="x", way="read", prompt=f"It is {n}. " * n) for n in (2, 5)),
]  # fmt: skip


def answered(respondent, config, path, questions=QUESTIONS, report=lambda event: None):
    ready = respondent.prepare(questions, config)
    kept = Kept(path, wanted=ready.asked.keys())
    respondent.answer(ready, kept=kept, stage="answers", report=report)
    return {
        name: {key: value for key, value in row.items() if key not in TOOK}
        for name, row in kept.rows.items()
    }


@pytest.fixture
def here(tiny_llama, tmp_path):
    """A function that gives the rows of one process."""

    def rows(config, questions=QUESTIONS):
        return answered(LocalRespondent(tiny_llama), config, tmp_path / "here.jsonl", questions)

    return rows


@pytest.fixture
def vllm(monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", vllm_stand_in.module())
    return sys.modules["vllm"]


def test_vllm_gives_the_answers_of_this_process(vllm, tiny_llama_folder, here, tmp_path):
    config = EvaluateConfig(engine="vllm")
    greedy = [question for question in QUESTIONS if not question.temperature]
    wanted = here(EvaluateConfig(), greedy)
    with open_respondent(str(tiny_llama_folder), config) as respondent:
        found = answered(respondent, config, tmp_path / "there.jsonl", greedy)
        assert respondent.facts.precision == "float32"
        ready = respondent.prepare(greedy, config)
        invariance = respondent.check_invariance(ready, found, n_items=4)
    assert invariance.n_changed == 0
    assert set(found) == set(wanted)
    for name, row in wanted.items():
        for key, value in row.items():
            close = pytest.approx(value, rel=1e-5) if key in ("logprobs", "nll") else value
            assert found[name][key] == close, (name, key)


def test_what_vllm_draws_depends_on_the_prompt_and_how_often_it_came(
    vllm, tiny_llama_folder, tmp_path
):
    config = EvaluateConfig(engine="vllm", temperature=0.8)
    drawn = [written(f"drawn {n}", "Again?") for n in range(6)]
    with open_respondent(str(tiny_llama_folder), config) as respondent:
        first = answered(respondent, config, tmp_path / "a.jsonl", drawn)
        answered(respondent, config, tmp_path / "b.jsonl", drawn[:2])
        again = answered(respondent, config, tmp_path / "b.jsonl", drawn)
    assert again == first
    assert len({row["predict"] for row in first.values()}) > 1
    path = tmp_path / "a.jsonl"
    assert '"seconds": null' in path.read_text() or '"seconds":null' in path.read_text()


def test_what_vllm_raises_while_writing_is_one_clear_error(
    vllm, tiny_llama_folder, tmp_path, monkeypatch
):
    def fail(self, *args, **more):
        raise RuntimeError("EngineCore encountered an issue.")

    config = EvaluateConfig(engine="vllm")
    with open_respondent(str(tiny_llama_folder), config) as respondent:
        monkeypatch.setattr(vllm.LLM, "generate", fail)
        with pytest.raises(ModelError, match="vLLM failed on 24 prompts: EngineCore"):
            answered(respondent, config, tmp_path / "a.jsonl", QUESTIONS[:24])


def test_parts_are_even_and_keep_equal_prompts_together():
    lengths = [5, 90, 5, 30, 60, 30, 5, 45]
    questions = [
        Writing(ids=[length] * length, max_new_tokens=10, temperature=0.0) for length in lengths
    ]
    parts = parts_of(questions, 3)
    assert sorted(place for part in parts for place in part) == list(range(8))
    assert [part for part in parts if 0 in part] == [part for part in parts if 6 in part]
    assert parts[0] == [1, 4]  # the longest first
    assert 1 < len(parts) <= 3


def test_equal_prompts_are_never_parted():
    texts = [[1], [2], [3], [4], [5], [1]]
    questions = [Writing(ids=ids * 40, max_new_tokens=10, temperature=0.9) for ids in texts]
    assert parts_of(questions, 3) == [[0, 5], [1, 2], [3, 4]]


def test_the_token_that_ends_an_answer_is_no_part_of_it(vllm, tiny_llama_folder, tiny_llama):
    config = EvaluateConfig()
    asked = [Writing(ids=np.array([5, 6, 7]), max_new_tokens=6, temperature=0.0)]
    plain, here, there = {}, {}, {}
    TorchWriter(tiny_llama.model, tiny_llama.tokenizer, ())(
        asked, config, on_done=plain.__setitem__
    )
    end = plain[0].ids[3]
    n_said = plain[0].ids.index(end)
    TorchWriter(tiny_llama.model, tiny_llama.tokenizer, (end,))(
        asked, config, on_done=here.__setitem__
    )
    with open_engine(EngineConfig(model=str(tiny_llama_folder))) as engine:
        VllmWriter(engine, (end,))(asked, config, on_done=there.__setitem__)
    for found in (here[0], there[0]):
        assert (found.ids, found.finish_reason) == (plain[0].ids[:n_said], "stop")


RAY = [
    # Ray's listeners and pipes, found by whatever test the garbage is collected in.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.mark.slow
class TestOnRay:
    pytestmark = RAY

    def test_two_workers_give_the_answers_of_one_process(
        self, tiny_llama_folder, here, tmp_path, monkeypatch
    ):
        quiet_ray()
        monkeypatch.setenv("RAY_ADDRESS", "local")
        config = EvaluateConfig(workers="ray", token_budget=512)
        wanted = here(EvaluateConfig(token_budget=512))
        with open_on_ray(str(tiny_llama_folder), config, workers=2, device="cpu") as respondent:
            path = tmp_path / "there.jsonl"
            some = answered(respondent, config, path, QUESTIONS[:10])
            found = answered(respondent, config, path)
            ready = respondent.prepare(QUESTIONS, config)
            assert respondent.check_invariance(ready, found, n_items=4).n_changed == 0
        assert {name: found[name] for name in some} == some
        assert found == wanted

    def test_a_killed_worker_costs_no_answer(self, tiny_llama_folder, here, tmp_path):
        config = EvaluateConfig(workers="ray", token_budget=256)
        wanted = here(EvaluateConfig(token_budget=256))
        killed, told = [], []

        def kill_one(event):
            if isinstance(event, Warned):
                told.append(event.message)
            is_written = isinstance(event, ItemDone) and event.item_id.startswith("write")
            if is_written and not killed:
                killed.append(engine.workers()[0].pid)
                os.kill(killed[0], signal.SIGKILL)

        model = str(tiny_llama_folder)
        with (
            ray_cluster(1, 1) as cluster,
            open_on_ray(model, config, address=cluster.address, device="cpu") as respondent,
        ):
            engine, _ = respondent._opened()
            while len(engine.workers()) < 2:  # the first one begins alone
                engine.measure([Request([5], [6])], on_batch=lambda batch: None)
            found = answered(respondent, config, tmp_path / "there.jsonl", report=kill_one)
        assert any(f"(process {killed[0]})" in message for message in told)
        assert found == wanted
