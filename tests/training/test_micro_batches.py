"""When memory runs out: smaller passes, the same optimizer steps."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from sums import sums

from tuneval.data.example import Example
from tuneval.errors import RunError
from tuneval.files import read_json
from tuneval.models.methods import LoraConfig
from tuneval.runs.events import Step, Warned
from tuneval.tokenization import Tokens
from tuneval.training.batches import Row
from tuneval.training.body import WholeBody
from tuneval.training.config import Steps, TrainConfig
from tuneval.training.micro_batches import MicroBatches
from tuneval.training.train import train

N_ROWS = 16
SHORTEST = 23  # tokens of the first example


def examples() -> list[Example]:
    return sums(N_ROWS, instructed=False)


CONFIG = TrainConfig(
    method=LoraConfig(rank=4),
    duration=Steps(steps=4),
    optimizer={"learning_rate": 1e-3},
    batches={"packing": False, "batch_size": 4, "gradient_accumulation_steps": 2},
    record={"save_steps": 2},
)


def document(length: int) -> Tokens:
    return Tokens(np.arange(length, dtype=np.int32), np.ones(length, dtype=bool), str(length))


def collate(rows):
    return {"documents": tuple(d for row in rows for d in row.documents)}


@pytest.fixture
def small_memory(monkeypatch):
    """Passes over more than so many tokens run out of memory, forward or amid backward."""
    passes = []

    def allow(limit: int, *, where: str = "forward"):
        hidden = WholeBody.hidden

        def limited(self, inputs):
            n_tokens = inputs["input_ids"].numel()
            states = hidden(self, inputs)
            if n_tokens > limit:
                if where == "forward":
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
                states.register_hook(_out_of_memory_on_a_cpu)
            elif torch.is_grad_enabled() and inputs["labels"].numel() > 0:
                passes.append(n_tokens)
            return states

        monkeypatch.setattr(WholeBody, "hidden", limited)
        return passes

    return allow


def _out_of_memory_on_a_cpu(gradient):
    raise RuntimeError(
        "[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"
    )


def run(folder: Path, model: Path, config: TrainConfig = CONFIG, report=None):
    events = []
    result = train(
        config,
        model=str(model),
        examples=examples(),
        folder=folder,
        template="chatml",
        report=report or events.append,
    )
    return result, events


def weights(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "adapter" / "adapter_model.safetensors")


def test_earlier_micro_batches_of_the_step_are_taken_again_and_those_of_other_steps_are_not():
    """The second micro-batch of a step is too much after half of its gradients were made."""
    gradients: list[int] = []

    def run(inputs) -> torch.Tensor:
        lengths = [len(document) for document in inputs["documents"]]
        if sum(lengths) > 10:
            gradients.append(-1)
            raise torch.OutOfMemoryError("out of memory")
        gradients.extend(lengths)
        return torch.tensor(float(sum(lengths)))

    def micro_batch(*lengths: int):
        return collate([Row(tuple(document(length) for length in lengths))])

    micro_batches = MicroBatches(collate, report=lambda event: None)
    take = partial(micro_batches.take, run=run, drop_gradients=gradients.clear)
    take(micro_batch(4, 5))
    micro_batches.begin_step()
    gradients.clear()
    assert take(micro_batch(2, 3)) == 5
    assert take(micro_batch(6, 7, 4)) == 17
    assert gradients == [2, 3, 6, 7, 4]
    assert micro_batches.largest_tokens == 8


@pytest.mark.parametrize("where", ["forward", "backward"])
def test_out_of_memory_takes_less_at_once_and_learns_the_same(
    tmp_path, tiny_llama_folder, small_memory, where
):
    whole, _ = run(tmp_path / "whole", tiny_llama_folder)
    passes = small_memory(120, where=where)
    halved, events = run(tmp_path / "halved", tiny_llama_folder)
    assert max(passes) <= 120
    assert (whole.halvings, halved.halvings) == (0, 1)
    assert halved.steps == whole.steps
    assert halved.train_loss == pytest.approx(whole.train_loss, rel=1e-5)
    for name, value in weights(tmp_path / "whole").items():
        torch.testing.assert_close(weights(tmp_path / "halved")[name], value, rtol=1e-3, atol=2e-5)
    (warning,) = [e.message for e in events if isinstance(e, Warned)]
    assert "memory ran out on a micro-batch of" in warning


def test_what_fits_was_found_out_once_for_all_steps(tmp_path, tiny_llama_folder, small_memory):
    small_memory(45)
    result, events = run(tmp_path, tiny_llama_folder)
    halvings = [e for e in events if isinstance(e, Warned) and "memory ran out" in e.message]
    assert result.halvings == len(halvings) == 2
    assert events.index(halvings[-1]) < next(i for i, e in enumerate(events) if isinstance(e, Step))


def test_a_single_example_that_does_not_fit_is_an_error(tmp_path, tiny_llama_folder, small_memory):
    small_memory(SHORTEST + 1)
    with pytest.raises(RunError, match="Memory ran out on a single example of") as caught:
        run(tmp_path, tiny_llama_folder)
    assert "max_length" in caught.value.mend


def test_a_resumed_training_knows_what_fits(tmp_path, tiny_llama_folder, small_memory):
    def stop(event):
        if isinstance(event, Step) and event.done == 3:
            raise KeyboardInterrupt

    small_memory(120)
    run(tmp_path / "whole", tiny_llama_folder)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", tiny_llama_folder, report=stop)
    measured = read_json(tmp_path / "cut" / "checkpoints" / "checkpoint-2" / "measured.json")
    assert measured["micro_batches"]["halvings"] == 1
    result, events = run(tmp_path / "cut", tiny_llama_folder)
    assert result.halvings == 1
    assert not [e for e in events if isinstance(e, Warned)]
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(weights(tmp_path / "cut")[name], value)


def test_other_errors_are_not_taken_for_a_lack_of_memory(tmp_path, tiny_llama_folder, monkeypatch):
    passes = []

    def broken(self, inputs):
        if torch.is_grad_enabled() and inputs["documents"] and len(inputs["documents"]) > 1:
            passes.append(inputs)
            raise RuntimeError("shapes cannot be multiplied")
        return hidden(self, inputs)

    hidden = WholeBody.hidden
    monkeypatch.setattr(WholeBody, "hidden", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        run(tmp_path, tiny_llama_folder)
    assert len(passes) == 1


def test_no_memory_outside_a_pass_is_an_error_in_words(tmp_path, tiny_llama_folder, monkeypatch):
    def no_room(self, *_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(torch.optim.AdamW, "step", no_room)
    with pytest.raises(RunError, match="Memory ran out in training") as caught:
        run(tmp_path, tiny_llama_folder)
    assert "--plan" in caught.value.mend
