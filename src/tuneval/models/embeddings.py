"""Sentence embeddings: texts as vectors of unit length, near one another when alike in meaning.

What an encoder gives is what its publisher's own pipeline gives: the same tokens, the same
pooling, float32.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.catalog import did_you_mean
from tuneval.errors import ModelError
from tuneval.models.bundled import BUNDLED, BUNDLED_ENCODERS, bundled_encoder_folder
from tuneval.models.checksums import file_hashes
from tuneval.models.convert import LONGEST_BELIEVABLE
from tuneval.models.encoder import Encoder, Vectors
from tuneval.models.encoder_folder import EncoderFolder, read_encoder_folder
from tuneval.models.forward import core_model, longest_input
from tuneval.models.hub import hub_folder
from tuneval.models.load import load_model
from tuneval.models.precision import choose_device
from tuneval.models.quiet import quiet_libraries
from tuneval.models.reference import parse_reference
from tuneval.models.virtual_tokens import has_virtual_tokens
from tuneval.runs.events import Report, ignore

__all__ = ["Encoder", "Vectors", "load_encoder"]

AUTO = "bundled:minilm-l6"
_MODEL = "model:"
_SHAPES_VECTORS = (
    "*.safetensors",
    "*.bin",
    "config.json",
    "tokenizer*",
    "*.model",
    "vocab.*",
    "merges.txt",
    "special_tokens_map.json",
)


def load_encoder(text: str, *, device: str = "auto", report: Report = ignore) -> Encoder:
    """The encoder that `text` names, float32.

    `auto` is `bundled:minilm-l6`: all-MiniLM-L6-v2, small, fast and English only; texts in other
    languages get vectors that say little. A folder or a hub id is a sentence encoder as
    sentence-transformers writes it. `model:REFERENCE` averages the last hidden states of a
    language model: as multilingual as the model; its cosines lie close together, so they rank
    pairs of texts, while their size means little. Raises ModelError when it cannot be had or read.
    """
    text = text.strip()
    if text.startswith(_MODEL):
        return _language_model(text.removeprefix(_MODEL), device, report)
    name, folder = _find_folder(AUTO if text == "auto" else text, report)
    return _sentence_encoder(name, read_encoder_folder(folder), choose_device(device))


def _find_folder(text: str, report: Report) -> tuple[str, Path]:
    """The encoder's name, good from anywhere, and its folder."""
    scheme, _, name = text.partition(":")
    if scheme == "bundled" and name not in BUNDLED:
        if name in BUNDLED_ENCODERS:
            return text, bundled_encoder_folder(name)
        raise ModelError(
            f"There is no bundled sentence encoder called '{name}'.",
            mend=did_you_mean(name, list(BUNDLED_ENCODERS)),
        )
    path = Path(text).expanduser()
    if text and (path / "modules.json").is_file():
        return str(path.resolve()), path.resolve()
    reference = parse_reference(text)
    match reference.kind:
        case "folder":
            return reference.text, Path(reference.location)
        case "hub":
            return reference.text, hub_folder(reference.location, report=report)
        case _:
            raise ModelError(
                f"'{text}' is a language model, not a sentence encoder.",
                mend=f"write {_MODEL}{text} to average its hidden states, or "
                f"{AUTO} for a small encoder of English",
            )


def _sentence_encoder(name: str, found: EncoderFolder, device: str) -> Encoder:
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoTokenizer

    folder = found.transformer
    from_disk: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet_libraries():
            tokenizer = AutoTokenizer.from_pretrained(folder, **from_disk)
            model, told = AutoModel.from_pretrained(
                folder, dtype="float32", output_loading_info=True, **from_disk
            )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise _unloadable(folder, " ".join(str(error).split())[:400]) from error
    # A pooler of the model's own comes after the hidden states, and nobody asks it.
    absent = sorted(key for key in told["missing_keys"] if "pooler." not in key)
    if absent:  # transformers would go on with random numbers in their place
        raise _unloadable(folder, f"{len(absent)} weights are missing, first {absent[0]}")
    settings = {key: value for key, value in asdict(found).items() if key != "transformer"}
    content = file_hashes({path for pattern in _SHAPES_VECTORS for path in folder.glob(pattern)})
    return Encoder(
        _ready(model.to(device)),
        tokenizer,
        name=name,
        hash=files.sha256_json([content, settings])[:16],
        pooling=found.pooling,
        max_length=_shortest(found.max_length or tokenizer.model_max_length, longest_input(model)),
        lower_case=found.lower_case,
        prompt=found.prompt,
    )


def _language_model(text: str, device: str, report: Report) -> Encoder:
    loaded = load_model(text, device=device, report=report)
    core = core_model(loaded.model)
    if has_virtual_tokens(loaded.model) or core.base_model is core:
        raise ModelError(
            "The hidden states of this model cannot be read apart from its output head.",
            where=loaded.reference.text,
            mend="name a model without prompt tuning, or a sentence encoder",
        )
    return Encoder(
        _ready(core.base_model),
        loaded.tokenizer,
        name=_MODEL + loaded.reference.text,
        hash=files.sha256_json([loaded.hash, "mean"])[:16],
        max_length=_shortest(loaded.tokenizer.model_max_length, longest_input(loaded.model)),
        skipped=loaded.tokenizer.bos_token_id,
    )


def _ready(model: Any) -> Any:
    """The model as it reads batches: nothing of a batch is kept for a next one."""
    model.config.use_cache = False
    return model.eval()


def _shortest(*lengths: int | None) -> int | None:
    """The least of what is known; None when nothing is."""
    known = [length for length in lengths if length is not None and length < LONGEST_BELIEVABLE]
    return min(known) if known else None


def _unloadable(folder: Path, why: str) -> ModelError:
    return ModelError(
        f"The sentence encoder cannot be loaded: {why}.",
        where=str(folder),
        mend="check that all its files are there and whole, and that it is a sentence encoder",
    )
