"""How long a training goes on, and what its numbers say of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

from tuneval.data.example import Example, Message, Source
from tuneval.files import read_jsonl
from tuneval.tokenization import Tokens
from tuneval.training.arguments import max_steps, tokens_per_step
from tuneval.training.batches import Row, Rows
from tuneval.training.config import Epochs, TrainConfig
from tuneval.training.config import Tokens as ForTokens
from tuneval.training.train import train


def rows_of(n_rows: int, n_tokens: int = 100) -> Rows:
    ids, mask = np.zeros(n_tokens, np.int32), np.ones(n_tokens, np.bool_)
    return Rows([Row((Tokens(ids, mask, str(index)),)) for index in range(n_rows)])


@pytest.mark.parametrize("epochs", [1, 10])
@pytest.mark.parametrize(
    ("n_rows", "batch_size", "accumulation"),
    [(5, 1, 4), (5, 4, 1), (7, 2, 3), (2, 1, 8), (8, 2, 2)],
)
def test_so_many_tokens_are_read_although_an_epochs_last_step_has_fewer(
    n_rows, batch_size, accumulation, epochs
):
    batches = {"batch_size": batch_size, "gradient_accumulation_steps": accumulation}
    rows = rows_of(n_rows)
    cfg = TrainConfig(duration=ForTokens(tokens=epochs * rows.n_tokens), batches=batches)
    starts = range(0, n_rows, batch_size * accumulation)
    assert max_steps(cfg, rows) == epochs * len(starts)
    assert tokens_per_step(cfg, rows) * len(starts) == pytest.approx(rows.n_tokens)


def test_after_an_epoch_all_tokens_were_seen_once(tmp_path, tiny_llama_folder):
    examples = [
        Example((Message("user", "1 + " * n), Message("assistant", "2")), Source("sums.jsonl", n))
        for n in range(1, 6)
    ]
    cfg = TrainConfig(
        duration=Epochs(epochs=1), batches={"packing": False, "gradient_accumulation_steps": 4}
    )
    model = str(tiny_llama_folder)
    result = train(cfg, model=model, examples=examples, folder=tmp_path, template="chatml")
    assert result.steps == 2
    log = read_jsonl(tmp_path / "trainer_log.jsonl")
    assert log[-1]["total_tokens"] == result.data["tokens"]
    values = json.loads((tmp_path / "train_results.json").read_text())
    assert values["num_input_tokens_seen"] == result.data["tokens"]


@pytest.mark.parametrize("betas", [(0.9, 1.0), (-0.1, 0.999)])
def test_betas_that_no_optimizer_takes_are_refused(betas):
    with pytest.raises(ValidationError, match="betas"):
        TrainConfig(optimizer={"betas": betas})
