"""A run that trained and evaluated a tiny model, and adapters as plain peft leaves them."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM

from tuneval.recipes.load import recipe_from
from tuneval.recipes.plan import plan_recipe
from tuneval.recipes.run import run_recipe


@pytest.fixture(scope="session")
def sums(tmp_path_factory) -> Path:
    """Forty examples in a file."""
    path = tmp_path_factory.mktemp("data") / "sums.jsonl"
    rows = [
        {"instruction": f"What is {n} plus {n}?", "input": "", "output": f"It is {2 * n}, yes."}
        for n in range(40)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tuned_run(tmp_path_factory, tiny_llama_folder, sums) -> Path:
    """A run: LoRA, evaluated before and after, compared. Leave it as it is."""
    evaluations = [
        {"kind": "evaluate", "name": name, "model": model, "generate": False}
        for name, model in (("before", "base"), ("after", "trained"))
    ]
    train = {
        "kind": "train",
        "method": {"kind": "lora", "rank": 4},
        "duration": {"steps": 6},
        "optimizer": {"learning_rate": 1e-2},
        "batches": {"max_length": 128},
    }
    recipe = recipe_from(
        {
            "name": "sums",
            "model": str(tiny_llama_folder),
            "template": "chatml",
            "data": {"file": str(sums), "held_out": 0.3, "by": "id"},
            "steps": [
                train,
                *evaluations,
                {"kind": "compare", "name": "change", "a": "before", "b": "after"},
            ],
        }
    )
    root = tmp_path_factory.mktemp("runs")
    return run_recipe(plan_recipe(recipe, root=root), root=root).run.folder


@pytest.fixture
def runs_here(tuned_run, monkeypatch) -> Path:
    """The run's id means something."""
    monkeypatch.setenv("TUNEVAL_RUNS", str(tuned_run.parent))
    return tuned_run


@pytest.fixture
def adapter_on(tmp_path):
    """A function from a base's folder and a peft config to the folder of an adapter on it."""

    def make(base: Path, config: peft.PeftConfig, name: str = "an-adapter") -> Path:
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peft's advice on what some tests do on purpose
            torch.manual_seed(3)
            plain = AutoModelForCausalLM.from_pretrained(base)
            model = peft.get_peft_model(plain, copy.deepcopy(config))
            for parameter in model.parameters():
                if parameter.requires_grad:
                    torch.nn.init.normal_(parameter, std=0.05)
            model.save_pretrained(tmp_path / name)
        return tmp_path / name

    return make


@pytest.fixture(scope="session")
def lora() -> peft.LoraConfig:
    return peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "down_proj"])


@pytest.fixture(scope="session")
def logits():
    """A function: what a model says to a fixed line, (T, V) float32."""

    def get(model) -> torch.Tensor:
        ids = torch.arange(5, 65)[None] * 7 % 490
        with torch.no_grad():
            return model.eval()(input_ids=ids).logits[0].float()

    return get
