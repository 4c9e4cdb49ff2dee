"""Every tuning method on the real model: trained, killed, resumed, loaded, merged, asked.

On SmolLM2 with `make test-all`; what each method does in detail is tested in its own room on
small models.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tuneval.files import read_jsonl

pytestmark = [pytest.mark.slow, pytest.mark.journey]
STEPS, SAVE_STEPS, KILL_AFTER = 8, 2, 5
# The method, its learning rate, and whether its weights can go into the base's.
METHODS = {
    "full": ({"kind": "full"}, 1e-4, "is a model"),
    "freeze": ({"kind": "freeze", "layers": 2}, 5e-4, "is a model"),
    "lora": ({"kind": "lora", "dropout": 0.1}, 2e-3, "merges"),
    "rslora": ({"kind": "lora", "alpha": 8, "use_rslora": True}, 2e-3, "merges"),
    "dora": ({"kind": "lora", "use_dora": True}, 2e-3, "merges"),
    "lora+": ({"kind": "lora", "learning_rate_ratio": 8}, 5e-4, "merges"),
    "pissa": ({"kind": "lora", "init": "pissa_niter_4", "alpha": 8}, 5e-4, "merges"),
    "qlora-8bit": ({"kind": "qlora", "bits": 8}, 2e-3, "quantised"),
    "qlora-4bit": ({"kind": "qlora", "bits": 4}, 2e-3, "quantised"),
    "houlsby": ({"kind": "bottleneck", "placement": "houlsby"}, 2e-3, "refuses"),
    "pfeiffer": ({"kind": "bottleneck", "placement": "pfeiffer"}, 2e-3, "refuses"),
    "ia3": ({"kind": "ia3"}, 2e-2, "merges"),
    "prefix": ({"kind": "prefix"}, 2e-3, "refuses"),
    "p_tuning_v2": ({"kind": "p_tuning_v2"}, 2e-2, "refuses"),
    "p_tuning-mlp": ({"kind": "p_tuning"}, 2e-3, "refuses"),
    "p_tuning-lstm": ({"kind": "p_tuning", "encoder": "lstm"}, 2e-3, "refuses"),
    "prompt": ({"kind": "prompt"}, 5e-2, "refuses"),
}
# In a process of its own: the trained model attached, merged where it can be, and as plain peft
# or transformers load it; then its likelihoods and an answer.
LOADED = """
import json, sys
import numpy as np, torch
from tuneval.models.generation import generate
from tuneval.models.likelihood import Request, measure_likelihood
from tuneval.models.load import load_model

folder, base, plain_loader = sys.argv[1:]
ids = list(range(1000, 1040))
requests = [Request(ids[:n], ids[n:]) for n in (5, 20, 38)]

def likelihoods(model):
    found = measure_likelihood(model, requests)
    return [float(value) for likelihood in found for value in likelihood.logprobs]

attached = load_model(folder, adapters="attached").model
said = {"attached": likelihoods(attached)}
(answer,) = generate(attached, [ids[:8]], stop_ids=[0], max_new_tokens=6)
said["answer"] = list(answer.ids)
said["merged"] = likelihoods(load_model(folder, adapters="merged").model)
if plain_loader == "peft":
    from peft import PeftModel
    plain = PeftModel.from_pretrained(load_model(base).model, folder).eval()
elif plain_loader == "transformers":
    from transformers import AutoModelForCausalLM
    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
if plain_loader != "none":
    tensor = torch.tensor([ids])
    with torch.no_grad():
        logits = plain(input_ids=tensor, attention_mask=torch.ones_like(tensor)).logits
    logprobs = logits[0, -len(ids):].double().log_softmax(-1)
    own = [float(logprobs[i - 1, ids[i]]) for i in range(1, len(ids))]
    said["plain"] = [value for n in (5, 20, 38) for value in own[n - 1 :]]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data") / "sums.jsonl"
    rows = []
    for number in range(8):
        turns = [("user", f"{number} + {number * 5 % 7}"), ("assistant", f"Sum: {number}")]
        rows.append({"messages": [{"role": role, "content": text} for role, text in turns]})
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def start(data: Path, runs: Path, name: str) -> subprocess.Popen[str]:
    method, learning_rate, _ = METHODS[name]
    settings = {
        "method": method,
        "duration": {"steps": STEPS},
        "optimizer": {"learning_rate": learning_rate},
        "schedule": {"kind": "constant", "warmup_ratio": 0.0},
        "batches": {"max_length": 256},
        "record": {"save_steps": SAVE_STEPS},
    }
    options = [f"{field}={json.dumps(value)}" for field, value in settings.items()]
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tuneval", "train", str(data), "--json"),
            *(part for option in options for part in ("--set", option)),
        ],
        env={**os.environ, "TUNEVAL_RUNS": str(runs), "PYTHONHASHSEED": "random"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Path:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return Path(json.loads(out)["folder"])


def kill_after_step(process: subprocess.Popen[str], runs: Path, step: int) -> None:
    deadline = time.monotonic() + 300
    while sum(len(p.read_bytes().splitlines()) for p in runs.glob("*/trainer_log.jsonl")) < step:
        assert process.poll() is None, f"ended before it was killed: {process.communicate()[1]}"
        assert time.monotonic() < deadline, "never came to the place to kill it"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def weights_of(folder: Path) -> Path:
    (found,) = [folder / kind for kind in ("adapter", "model") if (folder / kind).is_dir()]
    return found


def digests(folder: Path) -> dict[str, str]:
    names = sorted(p for p in weights_of(folder).iterdir() if p.suffix in (".safetensors", ".json"))
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in names}


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", METHODS)
def test_trained_killed_resumed_loaded_and_merged(name, data, tmp_path):
    whole = finish(start(data, tmp_path / "whole", name))
    log = read_jsonl(whole / "trainer_log.jsonl")
    assert [row["current_steps"] for row in log] == list(range(1, STEPS + 1))
    assert log[-1]["loss"] < log[0]["loss"], [row["loss"] for row in log]

    cut = start(data, tmp_path / "cut", name)
    kill_after_step(cut, tmp_path / "cut", KILL_AFTER)
    resumed = finish(start(data, tmp_path / "cut", name))
    assert digests(resumed) == digests(whole)

    method, _, merging = METHODS[name]
    loader = {"is a model": "transformers", "quantised": "none"}.get(merging, "peft")
    loader = "none" if method["kind"] == "bottleneck" else loader
    folder = str(weights_of(whole))
    done = subprocess.run(
        [sys.executable, "-c", LOADED, folder, "bundled:smollm2-135m", loader],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["answer"]
    if loader != "none":
        assert said["plain"] == pytest.approx(said["attached"], abs=1e-4)
    if merging != "quantised":
        assert said["merged"] == pytest.approx(said["attached"], abs=1e-4)
