"""The probe: what is set aside, what its loss is, when it stops a training and what it keeps."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from tuneval.data.example import Example, Message, Source
from tuneval.data.split import split
from tuneval.errors import DataError
from tuneval.files import read_json, read_jsonl
from tuneval.models.methods import FullConfig, LoraConfig
from tuneval.runs.events import Step, Warned
from tuneval.tokenization import load_template
from tuneval.training.config import Probe, TrainConfig
from tuneval.training.meter import Meter
from tuneval.training.probe import mean_loss, set_aside
from tuneval.training.results import train_results
from tuneval.training.train import train

SYSTEM = "Add the two numbers and say the sum, nothing else."


def sums(count: int = 30, *, answer=lambda n: f"The sum is {n + n * 5 % 7}.") -> list[Example]:
    """Questions with answers; each two of them are a group."""
    return [
        Example(
            (
                Message("system", SYSTEM),
                Message("user", f"{n} + {n * 5 % 7}"),
                Message("assistant", answer(n) + " Done." * (n % 3)),
            ),
            Source("sums.jsonl", n + 1),
            group=f"g{n // 2}",
        )
        for n in range(count)
    ]


def config(probe: dict | None = None, **changes) -> TrainConfig:
    settings = {
        "method": LoraConfig(rank=4),
        "duration": {"steps": 8},
        "optimizer": {"learning_rate": 5e-3},
        "schedule": {"warmup_ratio": 0.0},
        "batches": {"max_length": 128},
        "record": {"save_steps": 4},
        "evaluation": {"share": 0.3, "every_steps": 2} | (probe or {}),
    }
    return TrainConfig(**(settings | changes))


OVERFITS = {
    # Memorises noise: the held-out loss falls, turns and rises.
    "optimizer": {"learning_rate": 3e-2},
    "schedule": {"kind": "constant"},
    "duration": {"steps": 24},
    "record": {"save_steps": 1},
}


def run(folder: Path, model: Path, cfg: TrainConfig, *, data=None, report=None):
    events: list[object] = []
    result = train(
        cfg,
        model=str(model),
        examples=sums() if data is None else data,
        folder=folder,
        template="chatml",
        report=events.append if report is None else report,
    )
    return result, events


def weights(folder: Path) -> bytes:
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def eval_rows(folder: Path) -> list[dict]:
    return [row for row in read_jsonl(folder / "trainer_log.jsonl") if "eval_loss" in row]


def test_groups_stay_whole_and_both_parts_are_the_data_in_its_order():
    data = sums(200)
    parts = set_aside(data, Probe(share=0.3), seed=17)
    assert {e.group for e in parts.train}.isdisjoint({e.group for e in parts.held_out})
    assert sorted([*parts.train, *parts.held_out], key=lambda e: e.source.line) == data
    assert [e.source.line for e in parts.train] == sorted(e.source.line for e in parts.train)
    assert 0.2 < len(parts.held_out) / len(data) < 0.4


def test_the_training_side_of_a_split_with_the_same_seed_is_parted_again():
    side = split(sums(400), held_out=0.25, seed=17).train
    held_out = set_aside(side, Probe(share=0.2), seed=17).held_out
    assert 0.1 < len(held_out) / len(side) < 0.3


def test_a_probe_that_leaves_a_part_empty_is_refused_with_the_share():
    with pytest.raises(DataError, match="leaves no held-out example out of 2") as caught:
        set_aside(sums(2), Probe(share=0.0001), seed=17)
    assert "evaluation.share 0.0001" in str(caught.value)
    with pytest.raises(DataError, match="leaves no training example"):
        set_aside(sums(2), Probe(share=0.9999), seed=17)


@pytest.mark.parametrize("batches", [{"batch_size": 2}, {"packing": False}])
def test_the_held_out_loss_is_that_of_plain_transformers_over_all_answer_tokens(
    tmp_path, tiny_llama_folder, batches
):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    cfg = config(
        {"keep_best": False}, method=FullConfig(), batches={"max_length": 128} | batches,
        optimizer={"learning_rate": 1e-3}, duration={"steps": 4},
    )  # fmt: skip
    result, _ = run(tmp_path, tiny_llama_folder, cfg)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model").eval()
    template = load_template(AutoTokenizer.from_pretrained(tmp_path / "model"), "chatml")
    nats, n_labels = 0.0, 0
    for example in set_aside(sums(), cfg.evaluation, seed=cfg.seed).held_out:
        tokens = template.encode(example).tokens
        ids = torch.tensor(tokens.ids[None].astype("int64"))
        targets = torch.where(torch.from_numpy(tokens.loss_mask), ids[0], -100)[1:]
        with torch.no_grad():
            logits = model(ids).logits[0, :-1]
        nats += F.cross_entropy(logits, targets, ignore_index=-100, reduction="sum").item()
        n_labels += tokens.n_trained
    assert result.held_out.loss == pytest.approx(nats / n_labels, rel=1e-4)
    assert result.held_out.perplexity == pytest.approx(math.exp(nats / n_labels), rel=1e-4)
    assert result.held_out.step == result.held_out.last_step == 4


def test_its_numbers_stand_where_the_users_of_llama_factory_look(tmp_path, tiny_llama_folder):
    result, events = run(tmp_path, tiny_llama_folder, config(duration={"steps": 5}))
    rows = eval_rows(tmp_path)
    assert [row["current_steps"] for row in rows] == [2, 4, 5]
    assert rows[0].keys().isdisjoint({"loss", "lr", "grad_norm"})
    assert rows[0]["total_steps"] == 5
    told = [
        e.values["held_out_loss"] for e in events if isinstance(e, Step) and "loss" not in e.values
    ]
    assert [row["eval_loss"] for row in rows] == pytest.approx(told, abs=1e-6)
    found = read_json(tmp_path / "eval_results.json")
    assert {"epoch", "eval_loss", "eval_runtime", "eval_samples_per_second"} <= set(found)
    assert found["eval_loss"] == result.held_out.loss
    everything = read_json(tmp_path / "all_results.json")
    assert everything["epoch"] == read_json(tmp_path / "train_results.json")["epoch"]
    assert everything["eval_loss"] == found["eval_loss"]
    assert (tmp_path / "training_eval_loss.png").stat().st_size > 0
    train_rows = [r for r in read_jsonl(tmp_path / "trainer_log.jsonl") if "loss" in r]
    assert result.train_loss == pytest.approx(sum(r["loss"] for r in train_rows) / 5)
    parts = set_aside(sums(), Probe(share=0.3), seed=17)
    assert result.data["examples"] == len(parts.train)
    assert result.held_out.examples == len(parts.held_out)


def test_the_mean_loss_counts_every_step_however_often_it_is_logged():
    losses = [4.0, 3.0, 2.0, 1.0]
    every_step = [{"current_steps": n, "loss": loss} for n, loss in enumerate(losses, 1)]
    some = [
        {"current_steps": 1, "loss": 4.0},
        {"current_steps": 2, "eval_loss": 9.0},
        {"current_steps": 4, "loss": 2.0},
    ]
    for log in (every_step, some):
        rows = [row | {"elapsed_seconds": 1.0, "epoch": 1.0, "total_tokens": 8} for row in log]
        meter = Meter(torch.device("cpu"))
        found = train_results(rows, total_flos=0.0, n_examples=4, steps=4, meter=meter)
        assert found["train_loss"] == 2.5


def test_measuring_more_often_changes_no_weight(tmp_path, tiny_llama_folder):
    for name, steps in (("often", 1), ("once", 100)):
        method = LoraConfig(rank=4, dropout=0.3)
        probe = {"every_steps": steps, "keep_best": False}
        cfg = config(probe, method=method, duration={"steps": 3})
        run(tmp_path / name, tiny_llama_folder, cfg)
    assert weights(tmp_path / "often") == weights(tmp_path / "once")


class Dropping(torch.nn.Module):
    """Loses half of its output while it is trained."""

    def forward(self, labels: torch.Tensor) -> torch.Tensor:
        return F.dropout(torch.ones(labels.numel()), 0.5, self.training).sum()


def test_nothing_is_dropped_while_the_loss_is_measured():
    model = Dropping().train()
    assert mean_loss(model, [{"labels": torch.zeros(1, n)} for n in (31, 100)]) == 1.0
    assert model.training


@pytest.fixture(scope="module")
def overfitted(tmp_path_factory, tiny_llama_folder):
    """A run whose held-out loss rises again, kept and stopped: its folder and result."""
    folder = tmp_path_factory.mktemp("overfitted")
    cfg = config({"patience": 3, "every_steps": 1}, **OVERFITS)
    result, _ = run(folder, tiny_llama_folder, cfg)
    return cfg, folder, result


def test_training_stops_when_the_held_out_loss_has_not_fallen_for_so_long(overfitted):
    _, folder, result = overfitted
    losses = [row["eval_loss"] for row in eval_rows(folder)]
    best = min(losses)
    assert len(losses) == losses.index(best) + 1 + 3 < 24
    assert result.steps == result.held_out.last_step == len(losses)
    assert result.held_out.stopped_early
    assert result.held_out.last_loss > result.held_out.loss == pytest.approx(best, abs=1e-6)


def test_the_weights_that_are_kept_are_those_of_the_lowest_held_out_loss(overfitted, tmp_path):
    _, folder, result = overfitted
    best = folder / "checkpoints" / f"checkpoint-{result.held_out.step}"
    last = folder / "checkpoints" / f"checkpoint-{result.steps}"
    kept = load_file(folder / "adapter" / "adapter_model.safetensors")
    for name, value in load_file(best / "adapter_model.safetensors").items():
        assert torch.equal(kept[name], value)
    differ = load_file(last / "adapter_model.safetensors")
    assert any(not torch.equal(kept[name], value) for name, value in differ.items())


def test_without_keep_best_the_last_weights_are_kept(tmp_path, tiny_llama_folder, overfitted):
    _, folder, stopped = overfitted
    cfg = config({"keep_best": False, "patience": 3, "every_steps": 1}, **OVERFITS)
    result, _ = run(tmp_path, tiny_llama_folder, cfg)
    assert result.held_out.step == result.steps == stopped.steps
    last = folder / "checkpoints" / f"checkpoint-{stopped.steps}" / "adapter_model.safetensors"
    assert weights(tmp_path) == last.read_bytes()


def stop_at(step: int):
    def report(event):
        if isinstance(event, Step) and event.done == step and "loss" in event.values:
            raise KeyboardInterrupt

    return report


def copy_cut(folder: Path, model: Path, cfg: TrainConfig, *, at: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(folder, model, cfg, report=stop_at(at))


@pytest.mark.parametrize("steps_after_best", [1, 3])
def test_a_resumed_run_counts_its_patience_on_and_ends_with_the_same_bytes(
    tmp_path, tiny_llama_folder, overfitted, steps_after_best
):
    cfg, folder, whole = overfitted
    copy_cut(tmp_path, tiny_llama_folder, cfg, at=whole.held_out.step + steps_after_best)
    result, _ = run(tmp_path, tiny_llama_folder, cfg)
    assert weights(tmp_path) == weights(folder)
    assert result.held_out == whole.held_out
    logs = [read_jsonl(each / "trainer_log.jsonl") for each in (tmp_path, folder)]
    steps = [[(row["current_steps"], row.get("eval_loss")) for row in log] for log in logs]
    assert steps[0] == steps[1]


def test_a_run_killed_after_it_stopped_early_does_not_go_on(
    tmp_path, tiny_llama_folder, overfitted
):
    cfg, folder, whole = overfitted
    shutil.copytree(folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "adapter")
    result, events = run(tmp_path / "run", tiny_llama_folder, cfg)
    assert not [e for e in events if isinstance(e, Step)]
    assert weights(tmp_path / "run") == weights(folder)
    assert result.held_out == whole.held_out


def test_a_damaged_best_checkpoint_is_made_again(tmp_path, tiny_llama_folder, overfitted):
    cfg, folder, whole = overfitted
    shutil.copytree(folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "adapter")
    best = f"checkpoint-{whole.held_out.step}"
    file = tmp_path / "run" / "checkpoints" / best / "trained_state.safetensors"
    file.write_bytes(file.read_bytes()[:-4] + b"oops")
    _, events = run(tmp_path / "run", tiny_llama_folder, cfg)
    told = [e.message for e in events if isinstance(e, Warned)]
    assert f"the best one until then, {best}: trained_state.safetensors has changed" in told[0]
    assert weights(tmp_path / "run") == weights(folder)


def test_examples_that_are_also_trained_on_are_told(tmp_path, tiny_llama_folder):
    twice = [Example(e.messages, e.source, group=f"again {e.group}") for e in sums()]
    _, events = run(
        tmp_path, tiny_llama_folder, config(duration={"steps": 1}), data=[*sums(), *twice]
    )
    told = [e.message for e in events if isinstance(e, Warned)]
    assert any("of the probe's examples are also trained on" in message for message in told)


def test_what_is_best_and_where_it_stops_is_saved_between_the_usual_checkpoints(
    tmp_path, tiny_llama_folder, overfitted
):
    _, folder, whole = overfitted
    changes = OVERFITS | {"record": {"save_steps": 100}}
    run(tmp_path, tiny_llama_folder, config({"patience": 3, "every_steps": 1}, **changes))
    assert weights(tmp_path) == weights(folder)
    losses = [row["eval_loss"] for row in eval_rows(folder)]
    best_so_far = {n for n, loss in enumerate(losses, 1) if loss == min(losses[:n])}
    kept = {int(p.name.split("-")[1]) for p in (tmp_path / "checkpoints").iterdir()}
    assert kept == {whole.steps, *best_so_far}


def test_the_best_checkpoint_is_kept_beside_the_newest(overfitted):
    cfg, folder, result = overfitted
    kept = {int(p.name.split("-")[1]) for p in (folder / "checkpoints").iterdir()}
    assert cfg.record.keep_checkpoints == 2
    assert kept == {result.held_out.step, result.steps - 1, result.steps}


def test_the_card_says_what_was_held_out_and_which_weights_these_are(overfitted):
    _, folder, result = overfitted
    card = (folder / "adapter" / "README.md").read_text(encoding="utf-8")
    probe = result.held_out
    assert f"| loss of {probe.examples} held-out examples | {probe.loss:.4f} nats" in card
    assert f"the weights are of step {probe.step} |" in card


def test_the_result_is_json(overfitted):
    _, _, result = overfitted
    assert json.loads(json.dumps(result.as_dict()))["held_out"]["stopped_early"] is True
