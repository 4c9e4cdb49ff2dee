"""What a training leaves: the weights with all that is needed to use them, and their card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuneval import __version__, files
from tuneval.models.load import LoadedModel
from tuneval.models.methods import MethodConfig, save
from tuneval.models.reference import TRAINED_NOTE
from tuneval.tokenization import Template

ORIGIN_NOTE = "tuneval.json"


def save_weights(
    model: Any, method: MethodConfig, loaded: LoadedModel, template: Template, folder: Path
) -> str:
    """`adapter/` or `model/` in `folder`, whole or absent; which of the two."""
    kind = method.saved_as
    with files.atomic_folder(folder / kind) as target:
        save(model, method, Path(target))
        loaded.tokenizer.save_pretrained(str(target))
        if kind == "adapter":
            _sort_lists(Path(target) / "adapter_config.json")
        stored = loaded.quantization
        files.write_json(
            Path(target) / ORIGIN_NOTE,
            {
                "base": loaded.reference.text,
                "method": method.model_dump(mode="json"),
                "quantization": None if stored is None else stored.model_dump(mode="json"),
                "template": template.name,
                "template_hash": template.hash,
                "tuneval": __version__,
            },
        )
    files.write_json(folder / TRAINED_NOTE, {"base": loaded.reference.text, "kind": kind})
    return kind


def _sort_lists(path: Path) -> None:
    """peft writes sets in the order of the process's hash seed; equal runs get equal files."""
    config = files.read_json(path)
    ordered = {
        key: sorted(value)
        if isinstance(value, list) and all(isinstance(v, str) for v in value)
        else value
        for key, value in config.items()
    }
    files.write_json(path, ordered)
