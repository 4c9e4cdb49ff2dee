"""A whole model: merged, measured, written, whole or not at all."""

from __future__ import annotations

import json
import shutil
import stat

import peft
import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from tuneval.errors import ModelError, TunevalError, UsageError
from tuneval.exporting import whole_model
from tuneval.exporting.config import ExportConfig
from tuneval.exporting.difference import difference, logits_of
from tuneval.exporting.export import export
from tuneval.models.load import load_model
from tuneval.runs.events import Saved, Step, Warned


def plain(folder, **more):
    return AutoModelForCausalLM.from_pretrained(folder, **more)


def test_the_files_say_in_plain_transformers_what_plain_peft_says(
    tuned_run, tiny_llama_folder, tmp_path, logits
):
    events = []
    result = export(
        ExportConfig(), source=str(tuned_run), to=tmp_path / "out", report=events.append
    )
    attached = peft.PeftModel.from_pretrained(plain(tiny_llama_folder), tuned_run / "adapter")
    before = logits(plain(tiny_llama_folder))
    ours = logits(plain(tmp_path / "out"))
    torch.testing.assert_close(ours, logits(attached), atol=1e-4, rtol=0)
    assert (ours - before).abs().max() > 0.1
    assert not list((tmp_path / "out").glob("adapter*"))
    assert result.folder == tmp_path / "out"
    assert [(e.done, e.total) for e in events if isinstance(e, Step)] == [(1, 3), (2, 3), (3, 3)]
    assert Saved("export", str(tmp_path / "out")) in events


def test_the_measured_differences_are_those_of_the_models(tuned_run, tmp_path, sums):
    export(ExportConfig(dtype="bfloat16"), source=str(tuned_run), to=tmp_path / "out")
    noted = json.loads((tmp_path / "out" / "export.json").read_text())["model"]
    attached = load_model(str(tuned_run), adapters="attached", device="cpu")
    merged = load_model(str(tuned_run), device="cpu")
    written = plain(tmp_path / "out", dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    rows = [json.loads(line) for line in sums.read_text().splitlines()]
    prompts = [
        tokenizer.apply_chat_template(
            [
                {"role": "user", "content": row["instruction"]},
                {"role": "assistant", "content": row["output"]},
            ],
            return_dict=False,
        )
        for row in rows[::5]  # eight, spread over the file
    ]
    said = logits_of(attached.model, prompts)
    assert noted["prompts"] == str(sums)
    assert noted["merged"] == difference(said, logits_of(merged.model, prompts)).as_dict()
    assert noted["written"] == difference(said, logits_of(written, prompts)).as_dict()
    assert noted["merged"]["largest"] < 1e-4 < noted["written"]["largest"] < 0.3
    assert noted["merged"]["prompts"] == 8
    assert noted["quantised"] is None


def test_weights_come_in_files_of_at_most_the_asked_size(tuned_run, tmp_path, logits):
    result = export(ExportConfig(shard_size="2MB"), source=str(tuned_run), to=tmp_path / "out")
    shards = sorted((tmp_path / "out").glob("*.safetensors"))
    assert len(shards) > 2
    assert all(path.stat().st_size < 2e6 + 10_000 for path in shards)
    index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
    assert set(index["weight_map"].values()) == {path.name for path in shards}
    assert {name: size for name, size in result.files.items() if name.endswith("safetensors")} == {
        path.name: path.stat().st_size for path in shards
    }
    merged = load_model(str(tuned_run), device="cpu").model
    assert torch.equal(logits(plain(tmp_path / "out")), logits(merged))


def dtypes(folder):
    with safe_open(folder / "model.safetensors", "pt") as file:
        return {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118


def test_weights_have_the_number_format_of_the_base_or_the_one_asked_for(
    tiny_llama_folder, tmp_path, adapter_on, lora
):
    half = tmp_path / "half"
    plain(tiny_llama_folder, dtype=torch.bfloat16).save_pretrained(half)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(tiny_llama_folder / name, half)
    source = str(adapter_on(half, lora))
    result = export(ExportConfig(), source=source, to=tmp_path / "a")
    assert result.model.dtype == "bfloat16"
    assert dtypes(tmp_path / "a") == {torch.bfloat16}
    assert json.loads((tmp_path / "a" / "config.json").read_text())["dtype"] == "bfloat16"
    export(ExportConfig(dtype="float32"), source=source, to=tmp_path / "b")
    assert dtypes(tmp_path / "b") == {torch.float32}


def test_the_template_of_the_training_and_its_end_of_turn_go_along(tuned_run, tmp_path):
    """The tokenizer may have another template of its own, or none."""
    run = shutil.copytree(tuned_run, tmp_path / "run")
    (run / "adapter" / "chat_template.jinja").write_text("{{ messages[0]['content'] }}")
    events = []
    export(ExportConfig(), source=str(run), to=tmp_path / "out", report=events.append)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    text = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
    assert text == "<|im_start|>user\nHi<|im_end|>\n"
    generation = GenerationConfig.from_pretrained(tmp_path / "out")
    assert generation.eos_token_id == [tokenizer.convert_tokens_to_ids("<|im_end|>")]
    assert generation.pad_token_id == tokenizer.pad_token_id
    assert "local_files_only" not in (tmp_path / "out" / "tokenizer_config.json").read_text()


def test_a_temperature_without_sampling_is_read_as_sampling(tiny_llama_folder, tmp_path):
    """Llama 2 was published so; transformers would refuse to write it."""
    base = shutil.copytree(tiny_llama_folder, tmp_path / "base")
    given = {"do_sample": False, "temperature": 0.6, "eos_token_id": [0, 1]}
    (base / "generation_config.json").write_text(json.dumps(given))
    export(ExportConfig(), source=str(base), to=tmp_path / "out")
    generation = GenerationConfig.from_pretrained(tmp_path / "out")
    assert (generation.do_sample, generation.temperature) == (True, 0.6)
    assert generation.eos_token_id == [2, 0, 1]  # the template's end of turn is told first


def test_an_adapter_on_an_adapter_is_merged_in_order(
    tiny_llama_folder, tmp_path, adapter_on, lora, logits
):
    first = adapter_on(tiny_llama_folder, lora, "first")
    middle = peft.PeftModel.from_pretrained(plain(tiny_llama_folder), first).merge_and_unload()
    middle.save_pretrained(tmp_path / "middle")
    second = adapter_on(tmp_path / "middle", lora, "second")
    note = json.loads((second / "adapter_config.json").read_text())
    note["base_model_name_or_path"] = str(first)
    (second / "adapter_config.json").write_text(json.dumps(note))
    export(ExportConfig(), source=str(second), to=tmp_path / "out")
    whole = peft.PeftModel.from_pretrained(plain(tmp_path / "middle"), second)
    torch.testing.assert_close(logits(plain(tmp_path / "out")), logits(whole), atol=1e-4, rtol=0)


def test_a_model_and_an_adapter_beside_it_can_be_named_apart(
    tiny_llama_folder, tmp_path, adapter_on, lora, logits
):
    adapter = adapter_on(tiny_llama_folder, lora)
    result = export(
        ExportConfig(), source=str(tiny_llama_folder), adapter=str(adapter), to=tmp_path / "out"
    )
    whole = peft.PeftModel.from_pretrained(plain(tiny_llama_folder), adapter)
    torch.testing.assert_close(logits(plain(tmp_path / "out")), logits(whole), atol=1e-4, rtol=0)
    assert result.model.merged is not None


def test_a_whole_model_is_written_as_it_is(tiny_llama_folder, tmp_path, logits):
    events = []
    result = export(
        ExportConfig(), source=str(tiny_llama_folder), to=tmp_path / "out", report=events.append
    )
    assert torch.equal(logits(plain(tmp_path / "out")), logits(plain(tiny_llama_folder)))
    assert result.model.merged is None
    assert result.model.written.largest == 0.0
    assert [e.total for e in events if isinstance(e, Step)] == [2, 2]


def test_from_a_quantised_base_it_is_merged_into_the_full_one_and_the_gap_is_told(
    tiny_llama_folder, tmp_path, adapter_on, lora, logits
):
    folder = adapter_on(tiny_llama_folder, lora)
    stored = {"bits": 4, "quant_type": "nf4", "double_quant": True}
    note = {"base": str(tiny_llama_folder), "quantization": stored, "template": "chatml"}
    (folder / "tuneval.json").write_text(json.dumps(note))
    events = []
    result = export(ExportConfig(), source=str(folder), to=tmp_path / "out", report=events.append)
    full = peft.PeftModel.from_pretrained(plain(tiny_llama_folder), folder)
    torch.testing.assert_close(logits(plain(tmp_path / "out")), logits(full), atol=1e-4, rtol=0)
    model = result.model
    assert model.merged.largest < 1e-4 < model.quantised.largest
    (told,) = [e.message for e in events if isinstance(e, Warned)]
    assert f"{model.quantised.same_choice} of {model.quantised.positions} positions" in told
    card = (tmp_path / "out" / "README.md").read_text()
    assert "It was trained on the base stored in 4 bits." in card
    assert "against attached to the quantised one" in card


def test_what_peft_cannot_merge_is_refused_with_the_way_out(
    tiny_llama_folder, tmp_path, adapter_on
):
    soft = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    folder = adapter_on(tiny_llama_folder, soft)
    with pytest.raises(ModelError) as caught:
        export(ExportConfig(), source=str(folder), to=tmp_path / "out")
    assert "PROMPT_TUNING cannot be merged" in caught.value.what
    assert "--adapter" in caught.value.mend
    assert not (tmp_path / "out").exists()


def test_a_merge_that_would_change_the_model_is_refused(tiny_llama_folder, tmp_path, adapter_on):
    """The embeddings are also the output head: attached, the adapter changes only the one."""
    tied = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["embed_tokens"])
    folder = adapter_on(tiny_llama_folder, tied)
    with pytest.raises(ModelError, match="Merging the adapter would change the model"):
        export(ExportConfig(), source=str(folder), to=tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["an-adapter"]


def test_weights_that_a_number_format_cannot_hold_are_refused(tiny_llama_folder, tmp_path):
    model = plain(tiny_llama_folder)
    model.model.layers[1].mlp.down_proj.weight.data[0, 0] = 1e6  # float16 ends at 65504
    model.save_pretrained(tmp_path / "big")
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(tiny_llama_folder / name, tmp_path / "big")
    with pytest.raises(ModelError, match="float16 cannot hold"):
        export(ExportConfig(dtype="float16"), source=str(tmp_path / "big"), to=tmp_path / "out")
    export(ExportConfig(dtype="bfloat16"), source=str(tmp_path / "big"), to=tmp_path / "out")


def test_a_folder_that_is_no_export_is_never_written_over(tiny_llama_folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for config in (ExportConfig(), ExportConfig(existing="replace")):
        with pytest.raises(UsageError, match="holds something else"):
            export(config, source=str(tiny_llama_folder), to=tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_an_export_is_replaced_only_when_told_to_and_only_by_a_whole_one(
    tiny_llama_folder, tmp_path, monkeypatch
):
    out = tmp_path / "out"
    out.mkdir()  # an empty folder is no obstacle
    export(ExportConfig(), source=str(tiny_llama_folder), to=out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(UsageError, match="an export already") as caught:
        export(ExportConfig(), source=str(tiny_llama_folder), to=out)
    assert "--replace" in caught.value.mend

    def fail(*_):
        raise KeyboardInterrupt

    replace = ExportConfig(existing="replace", dtype="bfloat16")
    with monkeypatch.context() as patch:
        patch.setattr(whole_model, "load_written", fail)
        with pytest.raises(KeyboardInterrupt):
            export(replace, source=str(tiny_llama_folder), to=out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    export(replace, source=str(tiny_llama_folder), to=out)
    assert dtypes(out) == {torch.bfloat16}


def test_every_file_can_be_read_by_those_who_may_read_the_card(tiny_llama_folder, tmp_path):
    export(ExportConfig(), source=str(tiny_llama_folder), to=tmp_path / "out")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    (tmp_path / "new").write_text("")
    assert modes == {stat.S_IMODE((tmp_path / "new").stat().st_mode)}


@pytest.mark.parametrize("size", ["2", "GB", "0GB", "-1GB", "2GiB"])
def test_a_size_without_a_number_or_a_unit_is_refused(size):
    with pytest.raises(ValueError, match="500MB or 2GB"):
        ExportConfig(shard_size=size)


def test_an_unknown_run_is_told_as_one(runs_here, tmp_path):
    with pytest.raises(TunevalError, match="There is no run 'sumz'"):
        export(ExportConfig(), source="sumz", to=tmp_path / "out")
