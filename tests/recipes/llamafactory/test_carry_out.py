"""A translation is carried out: sets are joined, results laid side by side, nothing is lost."""

from __future__ import annotations

import json

import pytest

from tuneval.errors import TunevalError, UsageError
from tuneval.recipes.llamafactory.arguments import Arguments
from tuneval.recipes.llamafactory.carry_out import carry_out
from tuneval.recipes.llamafactory.translate import translate


@pytest.fixture
def do(flags, tiny_llama_folder, tmp_path):
    """Carry out the small training with more flags; what was done."""
    frame = flags | {
        "model_name_or_path": str(tiny_llama_folder),
        "output_dir": str(tmp_path / "out"),
        "max_steps": 2,
        "per_device_train_batch_size": 2,
        "logging_steps": 1,
        "max_new_tokens": 4,
    }

    def carried_out(**more):
        values = {name: value for name, value in (frame | more).items() if value is not None}
        made = translate(Arguments(values, "train", "file", "small.yaml"))
        return carry_out(made, root=tmp_path / "runs")

    return carried_out


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_part_held_out_is_looked_at_on_the_way_and_another_evaluated(do):
    done = do(
        val_size=0.3,
        eval_strategy="steps",
        eval_steps=1,
        do_eval=True,
        do_predict=True,
        predict_with_generate=True,
    )
    log = (done.output_dir / "trainer_log.jsonl").read_text().splitlines()
    assert sum("eval_loss" in json.loads(line) for line in log) >= 2
    assert (done.output_dir / "training_eval_loss.png").is_file()
    results = read(done.output_dir / "eval_results.json")
    assert {"eval_loss", "eval_rouge-1", "eval_bleu-4", "eval_runtime"} <= results.keys()
    everything = read(done.output_dir / "all_results.json")
    for name in ("train", "eval", "predict"):
        results = read(done.output_dir / f"{name}_results.json")
        assert results.items() <= everything.items()
    lines = (done.output_dir / "generated_predictions.jsonl").read_text().splitlines()
    assert len(lines) == read(done.evaluations[0] / "result.json")["n_items"] > 3


def test_joined_sets_are_trained_on_and_a_set_of_its_own_is_evaluated(do):
    done = do(dataset="sums,more", max_samples=8, eval_dataset="more", do_eval=True)
    joined = (done.output_dir / "dataset.jsonl").read_text().splitlines()
    assert len(joined) == 16
    assert done.evaluations == (done.run / "evaluation" / "eval",)
    assert read(done.evaluations[0] / "result.json")["n_items"] == 8


def test_results_of_other_commands_stay_when_the_training_is_told_again(do):
    done = do()
    do(do_train=None, do_eval=True, checkpoint_dir=str(done.output_dir), max_samples=3)
    assert do().run == done.run
    everything = read(done.output_dir / "all_results.json")
    assert {"train_loss", "eval_loss"} <= everything.keys()


def test_another_method_in_the_same_folder_leaves_nothing_of_the_one_before(do):
    do(val_size=0.3, eval_strategy="steps", eval_steps=1)
    done = do(finetuning_type="full", overwrite_output_dir=True)
    names = {path.name for path in done.output_dir.iterdir()}
    assert {"config.json", "model.safetensors"} <= names
    assert (
        not {"adapter_config.json", "adapter_model.safetensors", "training_eval_loss.png"} & names
    )
    again = {path.name for path in do(overwrite_output_dir=True).output_dir.iterdir()}
    assert "adapter_config.json" in again
    assert not {"config.json", "model.safetensors"} & again


@pytest.mark.slow
def test_the_last_checkpoint_of_a_quantised_training_is_evaluated_as_its_result_is(do):
    done = do(quantization_bit=4)
    losses = []
    for folder in (done.output_dir, done.output_dir / "checkpoint-2"):
        found = do(do_train=None, do_eval=True, checkpoint_dir=str(folder))
        losses.append(read(found.output_dir / "eval_results.json")["eval_loss"])
    assert losses[0] == losses[1]


def test_a_start_that_failed_does_not_keep_the_mended_one_out(do):
    for sets in ("smus", "sums,smus"):
        with pytest.raises(TunevalError, match="no entry 'smus'"):
            do(dataset=sets)
    assert (do(dataset="sums,more").output_dir / "adapter_config.json").is_file()
    with pytest.raises(UsageError, match="not empty"):
        do()


def test_an_export_is_written_over_an_earlier_one_and_over_nothing_else(do):
    done = do()
    merge = {"do_train": None, "dataset": None, "checkpoint_dir": str(done.output_dir)}
    folder = done.output_dir.with_name("merged")
    for _ in range(2):
        do(**merge, export_dir=str(folder))
    assert (folder / "model.safetensors").is_file()
    with pytest.raises(UsageError, match="something else"):
        do(**merge, export_dir=str(done.output_dir))


def test_new_weights_in_the_same_folder_are_evaluated_anew(do):
    evaluate = {"do_train": None, "do_eval": True, "max_samples": 3}
    done = do()
    first = do(**evaluate, checkpoint_dir=str(done.output_dir))
    do(learning_rate=0.01, overwrite_output_dir=True)
    second = do(**evaluate, checkpoint_dir=str(done.output_dir))
    assert first.evaluations != second.evaluations
    assert do(**evaluate, checkpoint_dir=str(done.output_dir)).evaluations == second.evaluations
