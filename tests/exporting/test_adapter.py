"""The adapter alone, for those that cannot be merged and those who want it small."""

from __future__ import annotations

import json

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tuneval.errors import UsageError
from tuneval.exporting.config import ExportConfig
from tuneval.exporting.export import export
from tuneval.models.methods import BottleneckConfig

ALONE = ExportConfig(what="adapter")


def test_peft_reads_the_adapter_and_transformers_its_tokenizer(
    tuned_run, tiny_llama_folder, tmp_path, logits
):
    out = tmp_path / "out"
    result = export(ALONE, source=str(tuned_run), to=out)
    weights = "adapter_model.safetensors"
    assert (out / weights).read_bytes() == (tuned_run / "adapter" / weights).read_bytes()

    def attached(folder):
        base = AutoModelForCausalLM.from_pretrained(tiny_llama_folder)
        return logits(peft.PeftModel.from_pretrained(base, folder))

    assert torch.equal(attached(out), attached(tuned_run / "adapter"))
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert "<|im_start|>" in tokenizer.chat_template
    assert result.model is None
    noted = json.loads((out / "export.json").read_text())
    assert (noted["what"], noted["method"], noted["model"]) == ("adapter", "lora", None)
    assert {path.name for path in out.iterdir()} == {"export.json", *result.files}


def test_an_adapter_that_cannot_be_merged_can_be_exported_alone(
    tiny_llama_folder, tmp_path, adapter_on
):
    soft = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    folder = adapter_on(tiny_llama_folder, soft)
    export(ALONE, source=str(folder), to=tmp_path / "out")
    base = AutoModelForCausalLM.from_pretrained(tiny_llama_folder)
    assert peft.PeftModel.from_pretrained(base, tmp_path / "out")


def test_the_card_says_what_loads_it(tuned_run, tiny_llama_folder, tmp_path, adapter_on, lora):
    export(ALONE, source=str(tuned_run), to=tmp_path / "a")
    card = (tmp_path / "a" / "README.md").read_text()
    assert "library_name: peft" in card
    assert "PeftModel.from_pretrained(base, FOLDER)" in card
    own = adapter_on(tiny_llama_folder, lora)
    method = BottleneckConfig().model_dump(mode="json")
    (own / "tuneval.json").write_text(
        json.dumps({"base": str(tiny_llama_folder), "method": method})
    )
    export(ALONE, source=str(own), to=tmp_path / "b")
    card = (tmp_path / "b" / "README.md").read_text()
    assert "library_name: tuneval" in card
    assert "load_model(FOLDER)" in card
    assert "peft" not in card


def test_a_whole_model_has_no_adapter_to_export(tiny_llama_folder, tmp_path):
    with pytest.raises(UsageError, match="no adapter to export"):
        export(ALONE, source=str(tiny_llama_folder), to=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_adapter_on_an_adapter_is_no_use_alone(tiny_llama_folder, tmp_path, adapter_on, lora):
    first = adapter_on(tiny_llama_folder, lora, "first")
    second = adapter_on(tiny_llama_folder, lora, "second")
    with pytest.raises(UsageError, match="stands on another one"):
        export(ALONE, source=str(first), adapter=str(second), to=tmp_path / "out")


@pytest.mark.parametrize("given", [{"dtype": "bfloat16"}, {"shard_size": "1GB"}])
def test_what_would_change_nothing_is_refused(tuned_run, tmp_path, given):
    with pytest.raises(UsageError, match=f"{next(iter(given))} would change nothing"):
        export(ExportConfig(what="adapter", **given), source=str(tuned_run), to=tmp_path / "out")
