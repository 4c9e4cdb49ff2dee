"""Likelihood through vLLM, against a stand-in that answers in vLLM's own shapes."""

from __future__ import annotations

import sys
from pathlib import Path

import peft
import pytest
import vllm_stand_in

from tuneval.errors import MissingPackageError, ModelError, UsageError
from tuneval.models.engines import ENGINES
from tuneval.models.engines.engine import EngineConfig
from tuneval.models.likelihood import measure_likelihood
from tuneval.models.load import load_model
from tuneval.models.methods import LoraConfig, attach
from tuneval.models.sequences import Request
from tuneval.runs.events import Finished, Started, Step


@pytest.fixture
def vllm(monkeypatch):
    """The stand-in, where vLLM would be imported from."""
    monkeypatch.setitem(sys.modules, "vllm", vllm_stand_in.module())
    return sys.modules["vllm"]


def opened(folder, **more):
    return ENGINES.load("vllm")(EngineConfig(model=str(folder), **more))


def measured(engine, requests, **more):
    found = {}
    engine.measure(requests, on_batch=found.update, **more)
    return found


def assert_same(found, likelihoods):
    assert sorted(found) == [*range(len(likelihoods))]
    for index, likelihood in enumerate(likelihoods):
        assert found[index].n_tokens == len(likelihood.logprobs)
        assert found[index].total == pytest.approx(-likelihood.logprobs.sum(), rel=1e-6)


def test_sums_equal_those_of_the_model_itself(vllm, tiny_llama, tiny_llama_folder, requests):
    with opened(tiny_llama_folder) as engine:
        found = measured(engine, requests)
    assert_same(found, measure_likelihood(tiny_llama.model, requests))


def test_a_sequence_that_begins_another_is_read_off_it(vllm, tiny_llama_folder):
    requests = [
        Request([5, 6, 7], [8, 9, 10]),
        Request([5, 6, 7], [8, 9]),
        Request([5], [6, 7]),
        Request([5, 6, 7], [11]),
        Request([5, 6, 7], []),
    ]
    with opened(tiny_llama_folder) as engine:
        found = measured(engine, requests)
        # The choices 8 and 11 are two sequences: vLLM tells of a prompt's own tokens only.
        assert engine._llm.asked == [[[5, 6, 7, 8, 9, 10], [5, 6, 7, 11]]]
    assert found[0].total > found[1].total
    assert [found[index].n_tokens for index in range(5)] == [3, 2, 2, 1, 0]
    assert found[4].total == 0.0


def test_results_come_as_they_are_known(vllm, tiny_llama_folder, monkeypatch):
    monkeypatch.setattr("tuneval.models.engines.vllm.PROMPTS_AT_ONCE", 2)
    batches, events = [], []
    requests = [Request([5, 6], [token]) for token in (7, 8, 9)]
    with opened(tiny_llama_folder) as engine:
        engine.measure(requests, on_batch=batches.append, report=events.append)
    assert [[index for index, _ in batch] for batch in batches] == [[0, 1], [2]]
    assert [type(event) for event in events] == [Started, Step, Step, Finished]
    assert (events[2].done, events[2].total) == (9, 9)


def test_what_is_known_is_not_asked_again(vllm, tiny_llama_folder):
    requests = [Request([5, 6], [7]), Request([5, 6], [7, 8]), Request([9], [5]), Request([9], [])]
    with opened(tiny_llama_folder) as engine:
        found = measured(engine, requests, known=[0, 2, 3])
        assert engine._llm.asked == [[[5, 6, 7, 8]]]
    assert sorted(found) == [1]


def test_it_reads_two_tokens_less_than_vllm_has_room_for(vllm, tiny_llama_folder):
    with opened(tiny_llama_folder) as engine:
        assert engine.longest_input == 2046
        measured(engine, [Request([5] * 2000, [6] * 47)])
        with pytest.raises(ModelError, match="longer than the 2046 tokens"):
            measured(engine, [Request([5] * 2000, [6] * 48)])


@pytest.mark.parametrize(("max_length", "longest"), [(100, 100), (2047, 2046), (9999, 2046)])
def test_max_length_is_what_vllm_makes_room_for(vllm, tiny_llama_folder, max_length, longest):
    with opened(tiny_llama_folder, max_length=max_length) as engine:
        assert engine.longest_input == longest
        assert engine._llm.llm_engine.model_config.max_model_len == longest + 2


def test_an_adapter_is_merged_into_a_copy_that_is_gone_at_the_end(
    vllm, tiny_llama_folder, requests, tmp_path
):
    base = load_model(str(tiny_llama_folder), device="cpu").model
    tuned = attach(base, LoraConfig(rank=4))
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.05)
    tuned.save_pretrained(tmp_path / "adapter")
    likelihoods = measure_likelihood(tuned, requests)
    with opened(tiny_llama_folder, adapter=str(tmp_path / "adapter")) as engine:
        folder = Path(engine._llm.model.config._name_or_path)
        found = measured(engine, requests)
    assert_same(found, likelihoods)
    assert folder != tiny_llama_folder
    assert not folder.exists()


def test_an_adapter_that_cannot_be_merged_is_refused(vllm, tiny_llama_folder, tmp_path):
    base = load_model(str(tiny_llama_folder), device="cpu").model
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    peft.get_peft_model(base, config).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="cannot be merged") as caught:
        opened(tiny_llama_folder, adapter=str(tmp_path))
    assert caught.value.where == str(tmp_path)


def test_fewer_log_probabilities_than_tokens_are_an_error(vllm, tiny_llama_folder, monkeypatch):
    answer = vllm.LLM._answer

    def cut(self, ids, sampling):
        output = answer(self, ids, sampling)
        del output.prompt_logprobs[-1]
        return output

    monkeypatch.setattr(vllm.LLM, "_answer", cut)
    with opened(tiny_llama_folder) as engine, pytest.raises(ModelError, match="gave 2 log-prob"):
        measured(engine, [Request([5, 6], [7])])


def test_what_vllm_raises_becomes_one_clear_error(vllm, tiny_llama_folder, monkeypatch):
    def fail(self, *args, **kwargs):
        raise RuntimeError("EngineCore encountered an issue.")

    with opened(tiny_llama_folder) as engine:
        monkeypatch.setattr(vllm.LLM, "generate", fail)
        with pytest.raises(ModelError, match="failed on 1 prompts, the longest of them of 3"):
            measured(engine, [Request([5, 6], [7])])
    monkeypatch.setattr(vllm.LLM, "__init__", fail)
    with pytest.raises(ModelError, match="cannot load this model: EngineCore") as caught:
        opened(tiny_llama_folder)
    assert "max_length" in caught.value.mend


@pytest.mark.parametrize("asked", [{"precision": "float64"}, {"device": "cpu"}])
def test_what_vllm_has_not_is_refused_before_it_is_imported(tiny_llama_folder, asked):
    with pytest.raises(UsageError, match="vLLM"):
        opened(tiny_llama_folder, **asked)


def test_without_vllm_the_error_says_what_to_install(tiny_llama_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(MissingPackageError, match="vllm") as caught:
        opened(tiny_llama_folder)
    assert caught.value.mend == "pip install 'tuneval[vllm]'"
