"""A model's folder as plain transformers reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.errors import ModelError, StorageError
from tuneval.exporting.config import size_in_bytes
from tuneval.models.load import LoadedModel
from tuneval.tokenization import Template


def stored_dtype(folder: Path) -> str:
    """In which number format a model's files say they are; float32 where they do not say."""
    config = files.read_json(folder / "config.json")
    return str(config.get("dtype") or config.get("torch_dtype") or "float32")


def write_model(
    loaded: LoadedModel, template: Template | None, folder: Path, *, dtype: str, shard_size: str
) -> None:
    """Weights, config, generation config, tokenizer and chat template. Changes the given model."""
    import torch
    from safetensors import SafetensorError

    model = loaded.model.to(getattr(torch, dtype))
    _settle_generation(model, loaded.tokenizer, template)
    try:
        model.save_pretrained(str(folder), max_shard_size=size_in_bytes(shard_size))
    except SafetensorError as error:
        raise StorageError(
            f"The weights cannot be written: {error}",
            where=str(folder.parent),
            mend="see that the disk has room for them",
        ) from error
    write_tokenizer(loaded.tokenizer, template, folder)


def write_tokenizer(tokenizer: Any, template: Template | None, folder: Path) -> None:
    """The tokenizer's files with the template of the training. Changes the given tokenizer."""
    if template is not None:
        tokenizer.chat_template = template.source
    for name in ("local_files_only", "is_local"):  # how we loaded it is nobody else's rule
        tokenizer.init_kwargs.pop(name, None)
    tokenizer.save_pretrained(str(folder))


def load_written(folder: Path, device: str) -> Any:
    """The written model in plain transformers, float32 arithmetic, to be compared."""
    import torch
    from transformers import AutoModelForCausalLM

    model, told = AutoModelForCausalLM.from_pretrained(
        str(folder), dtype=torch.float32, local_files_only=True, output_loading_info=True
    )
    faults = [*told["missing_keys"], *told["unexpected_keys"], *told["mismatched_keys"]]
    if faults:
        raise ModelError(
            f"transformers would not load the export whole: {len(faults)} weights, "
            f"first {sorted(map(str, faults))[0]}.",
            where=str(folder),
            mend="export the adapter alone, and report the model",
        )
    return model.to(device).eval()


def _settle_generation(model: Any, tokenizer: Any, template: Template | None) -> None:
    """Answers end where training ended them; settings that transformers refuses are put right."""
    config = model.generation_config
    if template is not None:
        own = config.eos_token_id
        known = [] if own is None else own if isinstance(own, list) else [own]
        config.eos_token_id = list(dict.fromkeys([*template.stop_ids, *known]))
    if config.pad_token_id is None:
        config.pad_token_id = tokenizer.pad_token_id
    # What only follows from config.json would be made from it anew, without our end of turn.
    config._from_model_config = False
    try:
        config.validate(strict=True)
    except ValueError:
        # Some models are published with a temperature and no sampling: transformers reads that and
        # refuses to write it. The temperature says what was meant.
        config.do_sample = True
