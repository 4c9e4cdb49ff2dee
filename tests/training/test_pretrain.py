"""The stage pretrain: which tokens of texts are learnt, and a run through a recipe."""

from __future__ import annotations

import math
import re
import shutil
from itertools import pairwise

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from tuneval.cli.train import train
from tuneval.data.example import Source, Text
from tuneval.errors import DataError, RecipeError
from tuneval.files import read_json, read_jsonl
from tuneval.models.load import load_tokenizer
from tuneval.recipes.load import recipe_from
from tuneval.recipes.plan import plan_recipe
from tuneval.recipes.run import run_recipe
from tuneval.tokenization import load_template
from tuneval.training.batches import Collate, make_rows
from tuneval.training.stages import STAGES

LINES = [f"{n} is a number, and {n} plus {n} is {2 * n}. What is it?" for n in range(60)]


@pytest.fixture(scope="module")
def tokenizer(tiny_llama_folder):
    return load_tokenizer(str(tiny_llama_folder))


def encode(texts, tokenizer, max_length):
    items = [Text(text, Source("book.txt", n)) for n, text in enumerate(texts, 1)]
    template = load_template(tokenizer, "plain")
    return STAGES.load("pretrain").encode(items, template, max_length)


@pytest.mark.parametrize("max_length", [16, 17, 64, 1000])
def test_every_token_but_the_first_is_predicted_once_whatever_the_length(tokenizer, max_length):
    text = " ".join(LINES)
    encoded = encode([text], tokenizer, max_length)
    ids = [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]
    learnt = np.concatenate([t.ids[t.loss_mask] for t in encoded.tokens]).tolist()
    assert learnt == ids[1:]
    assert all(len(t) <= max_length for t in encoded.tokens)
    assert all(before.ids[-1] == after.ids[0] for before, after in pairwise(encoded.tokens))
    assert all(t.loss_mask[1:].all() and not t.loss_mask[0] for t in encoded.tokens)


@pytest.mark.parametrize("extra", [-1, 0, 1, 2])
def test_no_block_is_left_without_a_target(tokenizer, extra):
    words = (" yes" * 400).strip()
    n_tokens = len(tokenizer(words)["input_ids"]) + 1
    blocks = encode([words], tokenizer, n_tokens + extra).tokens
    assert sum(t.n_trained for t in blocks) == n_tokens - 1
    assert min(t.n_trained for t in blocks) >= 1


def test_blocks_are_packed_and_no_target_is_lost_on_the_way_to_the_batch(tokenizer):
    encoded = encode(LINES, tokenizer, 64)
    rows = make_rows(encoded.tokens, max_length=64, packing=True)
    assert len(rows) < len(encoded.tokens) / 2
    labels = torch.cat([Collate()([row])["labels"][0] for row in rows.rows])
    wanted = np.concatenate([t.ids[1:] for t in encoded.tokens])
    assert sorted(labels.tolist()) == sorted(wanted.tolist())


def test_a_tokenizer_that_begins_texts_with_bos_has_it_and_learns_the_first_token_too(
    tokenizer, tiny_llama_folder
):
    from tokenizers.processors import TemplateProcessing

    with_bos = load_tokenizer(str(tiny_llama_folder))
    with_bos.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", with_bos.bos_token_id)]
    )
    (tokens,) = encode(["yes no"], with_bos, 64).tokens
    plain = tokenizer("yes no")["input_ids"]
    assert tokens.ids.tolist() == [with_bos.bos_token_id, *plain, with_bos.eos_token_id]
    assert tokens.ids[tokens.loss_mask].tolist() == [*plain, with_bos.eos_token_id]


def test_a_text_is_one_example_however_many_blocks_it_has(tokenizer):
    encoded = encode([" ".join(LINES), "yes"], tokenizer, 32)
    assert len(encoded.tokens) > 10
    assert encoded.account()["examples"] == 2


def test_a_text_without_a_token_is_named(tokenizer):
    encoded = encode(["", "yes"], tokenizer, 32)
    assert [where for _, where, _ in encoded.unusable] == ["book.txt:1"]


def content(file, model, *steps, **train):
    step = {
        "kind": "train",
        "stage": "pretrain",
        "duration": {"steps": 6},
        "batches": {"max_length": 64},
        "optimizer": {"learning_rate": 5e-3},
    }
    return {
        "name": "read",
        "model": str(model),
        "data": {"file": str(file), "held_out": 0},
        "steps": [*steps, step | train],
    }


@pytest.fixture
def book(tmp_path):
    """A set of texts, one a record."""
    path = tmp_path / "book.jsonl"
    path.write_text("\n".join(f'{{"text": "{line}"}}' for line in LINES), encoding="utf-8")
    return path


def test_texts_are_trained_by_a_recipe_and_probed(tmp_path, tiny_llama_folder, book):
    asked = content(book, tiny_llama_folder, {"kind": "check"}, evaluation={"every_steps": 3})
    asked["steps"].append({"kind": "report"})
    root = tmp_path / "runs"
    outcome = run_recipe(plan_recipe(recipe_from(asked), root=root), root=root)
    result = outcome.as_dict()["steps"]["train"]
    log = read_jsonl(outcome.run.path("trainer_log.jsonl"))
    losses = [row["eval_loss"] for row in log if "eval_loss" in row]
    assert losses[-1] < losses[0]
    assert result["held_out"]["perplexity"] == pytest.approx(math.exp(min(losses)), rel=1e-4)
    assert result["held_out"]["examples"] + result["data"]["examples"] == len(LINES)
    said = read_json(outcome.run.path("eval_results.json"))
    assert said["perplexity"] == result["held_out"]["perplexity"]
    assert "probe: loss" in outcome.run.path("report.html").read_text(encoding="utf-8")
    assert "probe: perplexity" in outcome.run.path("report.md").read_text(encoding="utf-8")


def test_a_model_without_a_chat_template_learns_from_texts(tmp_path, tiny_llama_folder, book):
    base = tmp_path / "base"
    shutil.copytree(tiny_llama_folder, base)
    (base / "chat_template.jinja").unlink()
    plan = plan_recipe(recipe_from(content(book, base, duration={"steps": 1})), root=tmp_path)
    assert run_recipe(plan, root=tmp_path).steps[0].result["steps"] == 1


def test_the_command_line_trains_on_a_text_file(tmp_path, tiny_llama_folder, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text("\n\n".join(LINES), encoding="utf-8")
    arguments = ["book.txt", "--model", str(tiny_llama_folder), "--set", "stage=pretrain"]
    arguments += ["--set", "duration.steps=2", "--set", "batches.max_length=64"]
    arguments += ["--set", "evaluation.share=0.2"]
    done = CliRunner().invoke(train, arguments, catch_exceptions=False)
    assert "trained: lora" in done.output
    assert re.search(r"held-out loss \d\.\d+ with the weights of step 2,", done.output)


def test_conversations_are_refused_with_the_place_and_the_right_stage(tmp_path, tiny_llama_folder):
    chats = tmp_path / "chats.jsonl"
    chats.write_text('{"instruction": "Yes?", "input": "", "output": "No."}\n', encoding="utf-8")
    plan = plan_recipe(recipe_from(content(chats, tiny_llama_folder)), root=tmp_path)
    with pytest.raises(DataError, match="the kind text, and this is a conversation") as caught:
        run_recipe(plan, root=tmp_path)
    assert "chats.jsonl:1" in caught.value.where
    assert "conversations are learnt by `stage: sft`" in caught.value.mend


def test_texts_without_the_stage_are_refused_and_it_is_named(tmp_path, tiny_llama_folder, book):
    plan = plan_recipe(
        recipe_from(content(book, tiny_llama_folder, stage="sft")), root=tmp_path / "runs"
    )
    with pytest.raises(DataError, match="the kind conversation, and this is a text") as caught:
        run_recipe(plan, root=tmp_path / "runs")
    assert "plain texts are learnt by `stage: pretrain`" in caught.value.mend


@pytest.mark.parametrize(
    "step",
    [
        {"kind": "show"},
        {"kind": "score"},
        {"kind": "select", "random": True, "top": "10%"},
        {"kind": "evaluate", "name": "before", "model": "base"},
    ],
    ids=lambda step: step["kind"],
)
def test_steps_for_conversations_are_refused_in_a_recipe_of_texts(step):
    with pytest.raises(RecipeError) as caught:
        recipe_from(content("book.txt", "m", step))
    assert f"{step['kind']} steps need conversations; the stage pretrain reads texts" in str(
        caught.value.faults
    )


def test_trainings_of_one_recipe_read_the_same_kind_of_data():
    asked = content("book.txt", "m", name="first")
    asked["steps"].append({"kind": "train", "name": "second", "stage": "sft"})
    with pytest.raises(RecipeError) as caught:
        recipe_from(asked)
    assert "the stage sft reads other data than that of the first train step" in str(
        caught.value.faults
    )
