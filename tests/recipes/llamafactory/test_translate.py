"""Flags become the recipe that does the same; what cannot be followed is said, all at once."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import yaml

from tuneval.errors import RecipeError, UsageError
from tuneval.recipes.llamafactory.arguments import Arguments
from tuneval.recipes.llamafactory.translate import translate
from tuneval.recipes.llamafactory.translation import Translation
from tuneval.recipes.load import recipe_from


def translated(values: dict[str, Any], *, form="file", verb="train") -> Translation:
    return translate(Arguments(values, verb, form, "small.yaml"))


def train_step(made: Translation) -> dict[str, Any]:
    assert made.recipe is not None
    return next(step for step in made.recipe["steps"] if step["kind"] == "train")


def faults(values: dict[str, Any], **more) -> str:
    with pytest.raises(RecipeError) as caught:
        translated(values, **more)
    return "\n".join(caught.value.faults)


def said_of(made: Translation, flag: str) -> str:
    return next(f"{note.fate}: {note.said}" for note in made.notes if note.flag == flag)


def test_what_the_flags_do_not_say_is_as_in_llama_factory(flags):
    step = train_step(translated(flags))
    assert step["method"] == {
        "kind": "lora",
        "rank": 8,
        "alpha": 16,
        "dropout": 0.0,
        "target_modules": "all-linear",
    }
    assert step["duration"] == {"epochs": 3.0}
    assert step["batches"] == {
        "max_length": 2048,
        "packing": False,
        "batch_size": 8,
        "gradient_accumulation_steps": 1,
    }
    assert step["optimizer"]["learning_rate"] == 5e-5
    assert step["schedule"] == {"kind": "linear", "warmup_ratio": 0.0}
    assert step["precision"]["kind"] == "float32"
    assert (step["record"]["save_steps"], step["seed"]) == (500, 42)


def test_what_older_flags_do_not_say_is_as_in_the_older_tool(flags):
    older = {name: value for name, value in flags.items() if name != "template"}
    made = translated(older, form="command")
    step = train_step(made)
    assert (step["method"]["alpha"], step["method"]["dropout"]) == (32.0, 0.1)
    assert step["batches"]["max_length"] == 1024
    assert said_of(made, "lora_target").startswith("changed: not given: all linear layers")
    frozen = train_step(translated(older | {"finetuning_type": "freeze"}, form="command"))
    assert frozen["method"] == {"kind": "freeze", "layers": 3, "modules": ["mlp"]}


@pytest.mark.parametrize(
    ("given", "section", "expected"),
    [
        ({"lora_rank": "4"}, "method", {"rank": 4, "alpha": 8}),
        ({"lora_target": "q_proj, v_proj"}, "method", {"target_modules": ["q_proj", "v_proj"]}),
        (
            {"use_dora": True, "use_rslora": "true"},
            "method",
            {"use_dora": True, "use_rslora": True},
        ),
        ({"loraplus_lr_ratio": 16}, "method", {"learning_rate_ratio": 16.0}),
        ({"pissa_init": True}, "method", {"init": "pissa_niter_16"}),
        ({"pissa_init": True, "pissa_iter": -1}, "method", {"init": "pissa"}),
        ({"quantization_bit": 8}, "method", {"kind": "qlora", "bits": 8}),
        (
            {"quantization_bit": 4, "double_quantization": False},
            "method",
            {"kind": "qlora", "quant_type": "nf4", "double_quant": False},
        ),
        ({"finetuning_type": "full"}, "method", {"kind": "full"}),
        (
            {"finetuning_type": "freeze", "freeze_extra_modules": "norm,lm_head"},
            "method",
            {"layers": 2, "modules": "all", "extra_modules": ["norm", "lm_head"]},
        ),
        (
            {"finetuning_type": "p_tuning", "pre_seq_len": 16},
            "method",
            {"kind": "p_tuning_v2", "virtual_tokens": 16},
        ),
        (
            {"finetuning_type": "p_tuning", "prefix_projection": True},
            "method",
            {"kind": "prefix", "virtual_tokens": 64},
        ),
        ({"max_steps": 7}, "duration", {"steps": 7}),
        ({"learning_rate": "1e-4"}, "optimizer", {"learning_rate": 1e-4}),
        ({"adam_beta2": 0.95}, "optimizer", {"betas": [0.9, 0.95]}),
        ({"warmup_ratio": 0.1}, "schedule", {"warmup_ratio": 0.1}),
        ({"warmup_steps": 20}, "schedule", {"warmup_steps": 20}),
        ({"warmup_steps": 0.1}, "schedule", {"warmup_ratio": 0.1}),
        ({"bf16": True}, "precision", {"kind": "bfloat16"}),
        ({"fp16": True}, "precision", {"kind": "bfloat16"}),
        ({"gradient_checkpointing": True}, "precision", {"gradient_checkpointing": True}),
        ({"packing": True}, "batches", {"packing": True}),
        ({"stage": "pt"}, "batches", {"packing": True}),
        ({"max_source_length": 100, "max_target_length": 50}, "batches", {"max_length": 150}),
        ({"save_total_limit": 5}, "record", {"keep_checkpoints": 5}),
        ({"save_total_limit": 1}, "record", {"keep_checkpoints": 2}),
        ({"save_strategy": "epoch"}, "record", {"save_steps": 5}),
        ({"report_to": ["tensorboard", "comet"]}, "record", {"trackers": ["tensorboard"]}),
        ({"pure_bf16": True}, "precision", {"kind": "bfloat16"}),
        (
            {"val_size": 0.1, "eval_strategy": "steps", "eval_steps": 10},
            "evaluation",
            {"share": 0.1, "every_steps": 10, "keep_best": False},
        ),
        (
            {
                "val_size": 10,
                "evaluation_strategy": "epoch",
                "load_best_model_at_end": True,
                "early_stopping_steps": 3,
            },
            "evaluation",
            {"share": 0.25, "every_steps": 4, "keep_best": True, "patience": 3},
        ),
    ],
    ids=str,
)
def test_a_flag_becomes_a_field(flags, given, section, expected):
    found = train_step(translated(flags | given))[section]
    assert {name: found[name] for name in expected} == expected


def test_an_epoch_is_counted_over_what_is_left_to_train_on(flags):
    half = flags | {"val_size": 0.5, "save_strategy": "epoch"}
    unused = train_step(translated(half))["record"]["save_steps"]
    probed = train_step(translated(half | {"eval_strategy": "epoch"}))
    twice = train_step(translated(half | {"eval_strategy": "epoch", "do_eval": True}))
    assert unused == 5  # val_size alone takes nothing away here
    assert probed["record"]["save_steps"] == probed["evaluation"]["every_steps"] == 3
    assert twice["record"]["save_steps"] == twice["evaluation"]["every_steps"] == 2


def test_the_recipe_trains_on_the_set_of_the_registry(flags, registry):
    recipe = translated(flags | {"max_samples": 12, "run_name": "first try"}).recipe
    assert recipe["data"] == {
        "file": f"{registry}/dataset_info.json#sums",
        "limit": 12,
        "held_out": 0.0,
    }
    assert (recipe["name"], recipe["template"]) == ("first-try", "chatml")


def test_what_is_printed_is_a_recipe_with_a_comment_for_each_flag_not_followed(flags):
    made = translated(flags | {"flash_attn": "fa2", "plot_loss": True, "use_unsloth": True})
    text = made.as_yaml()
    assert yaml.safe_load(text) == made.recipe
    assert recipe_from(yaml.safe_load(text)).name == "small"
    for flag in ("flash_attn", "plot_loss", "use_unsloth"):
        assert f"# ignored: {flag}: " in text


def test_every_given_flag_is_followed_or_named(flags):
    more = {
        "flash_attn": "auto",
        "top_p": 0.9,
        "use_galore": False,
        "model_revision": "main",
        "ddp_timeout": 1,
    }
    notes = {note.flag for note in translated(flags | more).notes}
    assert notes == {*more, "save_total_limit"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"lora_rnak": 8}, "lora_rnak: no such flag; did you mean 'lora_rank'"),
        ({"use_galore": True}, "use_galore: True: changes the optimizer"),
        ({"stage": "dpo"}, "stage: dpo: is not there yet"),
        ({"stage": "stf"}, "stage: stf: did you mean 'sft'"),
        ({"finetuning_type": "lore"}, "did you mean 'lora'"),
        ({"lora_rank": "eight"}, "lora_rank: eight: is a number"),
        ({"lora_rank": 8.5}, "lora_rank: 8.5: is a whole number"),
        ({"lora_rank": True}, "lora_rank: True: is a number"),
        ({"lora_target": True}, "lora_target: True: is a name"),
        ({"run_name": True}, "run_name: True: is one text"),
        ({"model_revision": "v2"}, "model_revision: v2: a revision is chosen"),
        ({"bf16": "ja"}, "bf16: ja: is true or false"),
        ({"optim": "adafactor"}, "optim: adafactor: AdamW is there"),
        ({"lr_scheduler_type": "cosin"}, "did you mean 'cosine'"),
        ({"quantization_bit": 3}, "quantization_bit: 3: 4 or 8"),
        ({"do_predict": True, "val_size": 0.1}, "do_predict: True: needs predict_with_generate"),
        ({"do_eval": True}, "do_eval: True: needs eval_dataset, or a val_size"),
        ({"do_eval": True, "stage": "pt", "val_size": 0.1}, "texts cannot be evaluated yet"),
        ({"eval_strategy": "steps"}, "eval_strategy: steps: is measured on a part"),
        ({"load_best_model_at_end": True}, "load_best_model_at_end: True: needs eval_strategy"),
        ({"adapter_name_or_path": "saves/a"}, "is not trained further"),
        ({"resume_from_checkpoint": "saves/a/checkpoint-5"}, "goes on by itself"),
        ({"packing": True, "save_strategy": "epoch"}, "the steps of an epoch are not known"),
    ],
    ids=str,
)
def test_what_cannot_be_followed_is_refused(flags, given, said):
    assert said in faults(flags | given)


def test_a_registry_on_a_hub_is_refused(flags):
    with pytest.raises(UsageError, match="A registry on a hub is not read"):
        translated(flags | {"dataset_dir": "REMOTE:me/sets"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pure_bf16": True}, "changed: as bf16: the weights stay float32"),
        ({"report_to": "all"}, "changed: without all; there are tensorboard"),
        ({"save_strategy": "no"}, "changed: no: checkpoints are kept"),
    ],
    ids=str,
)
def test_what_is_done_otherwise_is_said(flags, given, said):
    (flag,) = given
    assert said_of(translated(flags | given), flag).startswith(said)


@pytest.mark.parametrize(("top_k", "temperature"), [(1, 0.0), (50, 0.95), (None, 0.95)])
def test_a_choice_among_one_token_is_no_sampling(flags, top_k, temperature):
    given = {"do_train": False, "do_predict": True, "predict_with_generate": True, "top_k": top_k}
    made = translated(flags | given)
    assert made.evaluations[0].config.temperature == temperature
    assert any(note.flag == "top_k" for note in made.notes) == (top_k == 50)


def test_all_faults_are_named_at_once(flags):
    found = faults(flags | {"lora_rnak": 8, "use_muon": True, "lora_rank": "eight"})
    assert [line.split(":")[0] for line in found.splitlines()] == [
        "lora_rank",
        "lora_rnak",
        "use_muon",
    ]


def test_a_value_out_of_its_bounds_is_told_before_anything_runs(flags):
    with pytest.raises(RecipeError, match="learning_rate"):
        translated(flags | {"learning_rate": -1})


@pytest.mark.parametrize("name", ["model_name_or_path", "dataset", "output_dir", "do_train"])
def test_what_is_missing_is_said(flags, name):
    with pytest.raises(UsageError):
        translated({flag: value for flag, value in flags.items() if flag != name})


def test_several_sets_are_joined_as_many_of_each_as_asked(flags, registry):
    made = translated(flags | {"dataset": "sums,more", "max_samples": 20})
    (joined,) = made.joined
    assert joined.file == "saves/small/dataset.jsonl"
    assert [(place.rpartition("#")[2], weight) for place, weight in joined.sets] == [
        ("sums", 0.5),
        ("more", 1.0),
    ]
    assert made.recipe["data"]["file"] == joined.file
    assert "limit" not in made.recipe["data"]
    assert made.commands["before"][0].startswith("tuneval data mix ")
    assert said_of(made, "max_samples").startswith("changed")


def test_sets_are_interleaved_with_their_probabilities(flags):
    given = {
        "dataset": "sums,more",
        "mix_strategy": "interleave_over",
        "interleave_probs": "0.7,0.3",
    }
    (joined,) = translated(flags | given).joined
    assert (joined.strategy, [weight for _, weight in joined.sets]) == (
        "interleave_over",
        [0.7, 0.3],
    )


def test_a_part_held_out_is_evaluated_in_the_recipe(flags):
    made = translated(
        flags
        | {"val_size": 0.2, "do_predict": True, "predict_with_generate": True, "cutoff_len": 64}
    )
    assert made.recipe["data"]["held_out"] == 0.2
    assert made.recipe["steps"][-1] == {
        "kind": "evaluate",
        "name": "held-out",
        "model": "trained",
        "max_length": 64,
        "seed": 42,
        "max_new_tokens": 1024,
        "temperature": 0.95,
        "top_p": 0.7,
    }
    assert made.held_out == ("predict",)


def test_a_set_of_its_own_is_evaluated_after_training_with_what_was_trained(flags, registry):
    made = translated(flags | {"eval_dataset": "more", "do_eval": True, "max_samples": 5})
    (evaluation,) = made.evaluations
    assert made.recipe["data"]["held_out"] == 0
    assert evaluation.file == f"{registry}/dataset_info.json#more"
    assert (evaluation.model, evaluation.limit) == ("saves/small", 5)
    assert not evaluation.config.generate
    assert made.commands["after"] == [
        f"tuneval evaluate '{registry}/dataset_info.json#more' --model saves/small --template "
        "chatml --limit 5 --max-length 2048 --seed 42 --no-generate"
    ]


def test_an_adapter_is_evaluated_on_its_model_greedily_where_sampling_is_off(flags):
    made = translated(
        {
            **flags,
            "do_train": False,
            "do_predict": True,
            "predict_with_generate": True,
            "checkpoint_dir": "saves/lora",
            "do_sample": False,
            "max_target_length": 31,
        }
    )
    (evaluation,) = made.evaluations
    assert made.recipe is None
    assert (evaluation.model, evaluation.adapter) == ("bundled:smollm2-135m", "saves/lora")
    assert (evaluation.config.temperature, evaluation.config.max_new_tokens) == (0.0, 32)


def test_a_frozen_training_s_checkpoint_is_a_model_of_its_own(flags):
    made = translated(
        flags
        | {"do_train": False, "do_eval": True}
        | {"checkpoint_dir": "saves/freeze", "finetuning_type": "freeze"}
    )
    assert (made.evaluations[0].model, made.evaluations[0].adapter) == ("saves/freeze", None)


def test_beams_and_penalties_are_refused(flags):
    given = {"do_predict": True, "predict_with_generate": True, "do_train": False}
    found = faults(flags | given | {"num_beams": 4, "repetition_penalty": 1.2})
    assert "num_beams: 4: beam search is not there" in found
    assert "repetition_penalty: 1.2" in found


@pytest.mark.parametrize(
    ("given", "verb", "size"),
    [
        (
            {"adapter_name_or_path": "saves/a", "export_dir": "out", "export_size": 2},
            "train",
            "2GB",
        ),
        ({"checkpoint_dir": "saves/a", "output_dir": "out"}, "export", "1GB"),
    ],
)
def test_an_export_merges_the_adapter_into_shards_of_the_asked_size(given, verb, size):
    made = translated({"model_name_or_path": "base", "export_device": "cpu", **given}, verb=verb)
    assert made.recipe is None
    command = f"tuneval export saves/a --to out --shard-size {size} --replace"
    assert made.commands["after"] == [command]
    assert said_of(made, "export_device").startswith("ignored")


def test_translating_imports_no_torch():
    code = (
        "import sys; from tuneval.recipes.llamafactory.arguments import read_arguments as r; "
        "from tuneval.recipes.llamafactory.translate import translate as t; "
        "t(r('--model_name_or_path a --do_train --dataset b --output_dir c')); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
