"""The classic commands of LLaMA-Factory's users work as they are, and leave the files they expect.

On a small random model with every test, and on the real one with `make test-all`.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import pytest
import torch

from tuneval.cli.main import main

TRAINED_FILES = {
    *("README.md", "adapter_config.json", "adapter_model.safetensors", "all_results.json"),
    *("train_results.json", "trainer_log.jsonl", "trainer_state.json", "training_args.bin"),
    *("training_loss.png", "tokenizer_config.json", "checkpoint-2"),
}
N_RECORDS = 12


def registry_in(folder: Path) -> Path:
    rows = [
        {"instruction": f"What is {n} plus 4?", "input": "", "output": f"It is {n + 4}."}
        for n in range(N_RECORDS)
    ]
    (folder / "sums.json").write_text(json.dumps(rows), encoding="utf-8")
    sha1 = hashlib.sha1((folder / "sums.json").read_bytes(), usedforsecurity=False).hexdigest()
    entries = {
        "sums": {"file_name": "sums.json", "file_sha1": sha1},
        "changed": {"file_name": "sums.json", "file_sha1": "0" * 40},
    }
    (folder / "dataset_info.json").write_text(json.dumps(entries), encoding="utf-8")
    return folder


class Bench:
    """A person's working folder: a model, a registry and the folders that commands fill."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder, self.model = folder, model
        self.registry = registry_in(folder)

    def place(self, name: str) -> Path:
        return self.folder / "saves" / name

    def tell(self, *flags: str, verb: str = "src/train_bash.py", run: bool = True) -> int:
        frame = f"python {verb} --model_name_or_path {self.model} --finetuning_type lora"
        command = " ".join([frame, *flags])
        return main(["import", "llamafactory", command, *(["--run"] if run else [])])

    def train(self, *more: str, to: str, dataset: str = "sums") -> int:
        """The classic command; with the two flags of every command it has 17."""
        flags = [
            *("--stage sft", "--do_train", f"--dataset {dataset}"),
            *(f"--dataset_dir {self.registry}", f"--output_dir {self.place(to)}"),
            *("--overwrite_cache", "--per_device_train_batch_size 4"),
            *("--gradient_accumulation_steps 4", "--lr_scheduler_type cosine"),
            *("--logging_steps 1", "--save_steps 2", "--learning_rate 5e-5"),
            *("--num_train_epochs 3.0", "--plot_loss", "--fp16"),
        ]
        assert len(flags) + 2 == 17
        return self.tell(*flags, *more)

    def evaluate(self, *more: str, to: str) -> int:
        return self.tell(
            f"--stage sft --dataset sums --dataset_dir {self.registry}",
            f"--checkpoint_dir {self.place('sft')} --output_dir {self.place(to)}",
            "--per_device_eval_batch_size 8 --max_samples 5 --max_target_length 8",
            *more,
        )


@pytest.fixture(
    scope="module",
    params=[
        "tiny",
        pytest.param("bundled:smollm2-135m", marks=[pytest.mark.slow, pytest.mark.journey]),
    ],
)
def bench(request, tmp_path_factory, tiny_llama_folder):
    folder = tmp_path_factory.mktemp("llamafactory")
    model = str(tiny_llama_folder) if request.param == "tiny" else request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEVAL_RUNS", str(folder / "runs"))
        yield Bench(folder, model)


@pytest.fixture(scope="module")
def trained(bench) -> Path:
    assert bench.train(to="sft") == 0
    return bench.place("sft")


def read(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def inodes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


@pytest.mark.timeout(600)
def test_the_classic_command_leaves_every_file_its_users_expect(trained):
    assert {path.name for path in trained.iterdir()} >= TRAINED_FILES
    results = read(trained / "train_results.json")
    assert results.items() <= read(trained / "all_results.json").items()
    assert {"train_loss", "train_runtime", "total_flos", "epoch"} <= results.keys()
    assert results["epoch"] == 3.0
    log = rows(trained / "trainer_log.jsonl")
    assert [row["current_steps"] for row in log] == [1, 2, 3]
    assert {"total_steps", "loss", "lr", "epoch", "percentage", "elapsed_time"} <= log[0].keys()
    assert read(trained / "trainer_state.json")["global_step"] == 3
    assert (trained / "training_loss.png").read_bytes().startswith(b"\x89PNG")
    assert (trained / "checkpoint-2" / "adapter_model.safetensors").is_file()


@pytest.mark.timeout(600)
def test_the_same_command_again_trains_nothing_and_leaves_the_files(bench, trained, capsys):
    before = inodes(trained)
    assert bench.train(to="sft") == 0
    assert "(done before)" in capsys.readouterr().out
    assert inodes(trained) == before, "no file was written again"


def test_a_folder_with_other_files_is_not_written_to_unless_told_to(bench, trained, capsys):
    assert bench.train("--learning_rate 1e-3", to="sft") == 2
    assert "add overwrite_output_dir" in capsys.readouterr().err


def test_a_set_that_is_not_the_one_of_its_hash_stops_the_command(bench, capsys):
    assert bench.train(to="other", dataset="changed") == 1
    assert "sha1" in capsys.readouterr().err.lower()
    assert not (bench.place("other") / "adapter_config.json").exists()


@pytest.mark.timeout(600)
def test_do_eval_writes_the_loss_that_plain_peft_has(bench, trained):
    from peft import PeftModel

    from tuneval.data.read import read as read_examples
    from tuneval.models.load import load_model
    from tuneval.tokenization import load_template

    assert bench.evaluate("--do_eval --compute_accuracy", to="eval") == 0
    results = read(bench.place("eval") / "eval_results.json")
    assert results.items() <= read(bench.place("eval") / "all_results.json").items()
    base = load_model(bench.model, device="cpu")
    model = PeftModel.from_pretrained(base.model, str(trained)).eval()
    template = load_template(base.tokenizer)
    losses, shares = [], []
    for example in list(read_examples(bench.registry / "sums.json"))[:5]:
        tokens = template.encode(example).tokens
        ids = torch.tensor(tokens.ids[None].astype("int64"))
        with torch.no_grad():
            logits = model(input_ids=ids).logits[0, :-1]
        wanted = torch.tensor(tokens.loss_mask[1:])
        found = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none")[wanted]
        losses.append(found)
        shares.append((logits.argmax(-1) == ids[0, 1:])[wanted].double().mean())
    assert results["eval_loss"] == pytest.approx(torch.cat(losses).mean().item(), rel=1e-4)
    assert results["eval_accuracy"] == pytest.approx(torch.stack(shares).mean().item(), abs=1e-9)


@pytest.mark.timeout(600)
def test_do_predict_writes_predictions_and_their_metrics(bench, trained):
    assert bench.evaluate("--do_predict --predict_with_generate", to="predict") == 0
    results = read(bench.place("predict") / "predict_results.json")
    names = {f"predict_{name}" for name in ("rouge-1", "rouge-2", "rouge-l", "bleu-4", "runtime")}
    assert names <= results.keys()
    predictions = rows(bench.place("predict") / "generated_predictions.jsonl")
    assert [row["label"] for row in predictions] == [f"It is {n + 4}." for n in range(5)]
    assert all({"prompt", "predict", "label"} <= row.keys() for row in predictions)
    assert all(row["n_tokens"] <= 9 for row in predictions)
    mean = sum(row["scores"]["bleu-4"] for row in predictions) / 5
    assert math.isclose(results["predict_bleu-4"], mean, abs_tol=1e-4)


@pytest.mark.timeout(600)
def test_the_export_command_writes_a_model_that_plain_transformers_loads(bench, trained):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tuneval.models.load import load_model

    to = bench.place("export")
    flags = (f"--checkpoint_dir {trained}", f"--output_dir {to}")
    assert bench.tell(*flags, verb="src/export_model.py") == 0
    model = AutoModelForCausalLM.from_pretrained(to, dtype=torch.float32)
    ids = AutoTokenizer.from_pretrained(to)("What is 3 plus 4?", return_tensors="pt").input_ids
    expected = load_model(str(trained), device="cpu").model
    with torch.no_grad():
        gap = (model(input_ids=ids).logits - expected(input_ids=ids).logits).abs().max()
    assert gap < 1e-3


def test_the_printed_recipe_is_what_runs(bench, capsys):
    assert (
        bench.tell(
            f"--do_train --dataset sums --dataset_dir {bench.registry} --output_dir out", run=False
        )
        == 0
    )
    printed = capsys.readouterr().out
    (bench.folder / "printed.yaml").write_text(printed, encoding="utf-8")
    assert main(["plan", str(bench.folder / "printed.yaml")]) == 0
    assert not Path("out").exists()
