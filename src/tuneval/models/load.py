"""From a reference to a model that is ready to use, with its tokenizer."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuneval import files
from tuneval.catalog import near_names
from tuneval.errors import ModelError, StorageError
from tuneval.models.bundled import bundled_model_folder
from tuneval.models.checksums import file_hash, file_hashes
from tuneval.models.convert import LONGEST_BELIEVABLE, converted_folder
from tuneval.models.hub import hub_folder
from tuneval.models.precision import Precision, choose_device, torch_dtype
from tuneval.models.quiet import quiet_libraries
from tuneval.models.reference import (
    TRAINED_NOTE,
    ModelReference,
    parse_reference,
    trainings_of,
)
from tuneval.runs.events import Report, ignore

# Never ask the network, never run a program that came with the weights, never ask whether to.
_FROM_DISK: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_WEIGHTS = ("*.safetensors", "*.bin")
_CONFIGS = ("config.json", "adapter_config.json", "generation_config.json")
_TOKENIZER = (
    "tokenizer*",
    "*.jinja",
    "*.model",
    "vocab.*",
    "merges.txt",
    "special_tokens_map.json",
)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in evaluation mode. `hash` names its weights, config, tokenizer and adapters.

    `adapter` is the folder of the last adapter that went into it, or None.
    """

    model: Any
    tokenizer: Any
    reference: ModelReference
    adapter: str | None
    hash: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The folders a model is made of: the base, then adapters in the order they are applied."""

    base: Path
    adapters: tuple[Path, ...] = ()


def load_model(
    text: str,
    *,
    adapter: str | None = None,
    dtype: Precision = "float32",
    device: str = "auto",
    adapters: Literal["merged", "attached"] = "merged",
    report: Report = ignore,
) -> LoadedModel:
    """The model that `text` names, with the adapters that belong to it and then `adapter`.

    Merged adapters cost nothing later; those that cannot be merged stay attached. Raises
    ModelError when something is missing, does not fit together or cannot be loaded.
    """
    reference = parse_reference(text)
    sources = find_sources(reference, report=report)
    if adapter is not None:
        sources = Sources(sources.base, (*sources.adapters, _adapter_folder(adapter)))
    place = choose_device(device)
    with quiet_libraries():
        model = _load_base(sources.base, torch_dtype(dtype))
        for folder in sources.adapters:
            model = _load_adapter(model, folder, adapters)
        tokenizer = _load_tokenizer(sources)
    model = model.to(place).eval()
    last = str(sources.adapters[-1]) if sources.adapters else None
    return LoadedModel(model, tokenizer, reference, last, _hash(sources))


def load_tokenizer(text: str, *, adapter: str | None = None, report: Report = ignore) -> Any:
    """The tokenizer of the model that `text` names, without loading its weights."""
    sources = find_sources(parse_reference(text), parts="tokenizer", report=report)
    if adapter is not None:
        sources = Sources(sources.base, (*sources.adapters, _adapter_folder(adapter)))
    with quiet_libraries():
        return _load_tokenizer(sources)


def model_hash(text: str, *, adapter: str | None = None, report: Report = ignore) -> str:
    """`LoadedModel.hash` of the model that `text` names, without loading it."""
    sources = find_sources(parse_reference(text), report=report)
    if adapter is not None:
        sources = Sources(sources.base, (*sources.adapters, _adapter_folder(adapter)))
    return _hash(sources)


def find_sources(
    reference: ModelReference,
    *,
    parts: Literal["all", "tokenizer"] = "all",
    report: Report = ignore,
) -> Sources:
    """The folders behind a reference; converts or downloads what is not there yet."""
    match reference.kind:
        case "bundled":
            return Sources(bundled_model_folder(reference.location, report))
        case "gguf":
            path = Path(reference.location)
            sha256 = file_hash(path)
            return Sources(converted_folder(lambda: path, path.stem, sha256=sha256, report=report))
        case "hub":
            folder = hub_folder(reference.location, parts=parts, report=report)
        case "run":
            folder = _run_weights(Path(reference.location))
        case "folder":
            folder = Path(reference.location)
    if not (folder / "adapter_config.json").is_file():
        return Sources(folder)
    base = find_sources(parse_reference(_base_of(folder)), parts=parts, report=report)
    return Sources(base.base, (*base.adapters, folder))


def _run_weights(run: Path) -> Path:
    """`adapter/` or `model/` of a finished training."""
    note = run / TRAINED_NOTE
    if names := trainings_of(run):
        raise ModelError(
            "This run trained several models.",
            where=str(run),
            mend="name one: " + ", ".join(f"run:{run.name}:{name}" for name in names),
        )
    if not note.is_file():
        raise ModelError(
            "This run has no trained model: it was not a training run, or it is not finished.",
            where=str(run),
            mend="run the same command again to finish it, or name another run",
        )
    folder = run / str(files.read_json(note).get("kind"))
    if not folder.is_dir():
        raise ModelError(
            "The run's trained model is gone.", where=str(folder), mend="train it again"
        )
    return folder


def _base_of(folder: Path) -> str:
    """The reference of the model that an adapter belongs to."""
    for name, key in (("tuneval.json", "base"), ("adapter_config.json", "base_model_name_or_path")):
        path = folder / name
        base = files.read_json(path).get(key) if path.is_file() else None
        if base:
            return str(base)
    raise ModelError(
        "The adapter does not say which model it belongs to.",
        where=str(folder / "adapter_config.json"),
        mend="name the base model, and give this folder as its adapter",
    )


def _adapter_folder(text: str) -> Path:
    path = Path(text).expanduser().resolve()
    if (path / "adapter_config.json").is_file():
        return path
    beside = [p.parent.name for p in path.parent.glob("*/adapter_config.json")]
    inside = [p.parent.name for p in path.glob("*/adapter_config.json")]
    near = [str(path / name) for name in inside]
    near += [str(path.parent / name) for name in near_names(path.name, beside)]
    raise ModelError(
        "There is no adapter here: no adapter_config.json.",
        where=str(path),
        mend=f"did you mean {near[0]}?" if near else "name the folder that peft saved",
    )


def _load_base(folder: Path, dtype: Any) -> Any:
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        model, told = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, output_loading_info=True, **_FROM_DISK
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise _unloadable("model", folder, error) from error
    absent = sorted(told["missing_keys"])
    if absent:  # transformers would go on with random numbers in their place
        raise _unloadable(
            "model", folder, f"{len(absent)} of its weights are missing, first {absent[0]}"
        )
    return model


def _load_adapter(model: Any, folder: Path, how: Literal["merged", "attached"]) -> Any:
    from peft import PeftModel
    from safetensors import SafetensorError

    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            attached = PeftModel.from_pretrained(model, str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise _unloadable("adapter", folder, error) from error
    for warning in told:
        if "missing adapter keys" in str(warning.message):  # peft would go on without them
            raise _unloadable("adapter", folder, str(warning.message))
    can_merge = hasattr(attached.base_model, "merge_and_unload")
    return attached.merge_and_unload() if how == "merged" and can_merge else attached


def _load_tokenizer(sources: Sources) -> Any:
    """The newest adapter's own tokenizer if it has one, else the base's."""
    from transformers import AutoConfig, AutoTokenizer

    owners = [f for f in reversed(sources.adapters) if (f / "tokenizer_config.json").is_file()]
    folder = owners[0] if owners else sources.base
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **_FROM_DISK)
        if tokenizer.model_max_length > LONGEST_BELIEVABLE:
            config = AutoConfig.from_pretrained(sources.base, **_FROM_DISK)
            longest = getattr(config.get_text_config(), "max_position_embeddings", None)
            tokenizer.model_max_length = longest or tokenizer.model_max_length
    except (OSError, ValueError, KeyError) as error:
        raise _unloadable("tokenizer", folder, error) from error
    return tokenizer


def _unloadable(what: str, folder: Path, error: Exception | str) -> ModelError:
    if isinstance(error, StorageError):
        return ModelError(error.what, where=error.where, mend=error.mend)
    return ModelError(
        f"The {what} cannot be loaded: {' '.join(str(error).split())[:400]}",
        where=str(folder),
        mend="check that all its files are there and whole, and that it is a causal language model",
    )


def _hash(sources: Sources) -> str:
    """16 hex digits over the content of every file that shapes what the model says."""
    content = []
    for folder in (sources.base, *sources.adapters):
        patterns = (*_WEIGHTS, *_CONFIGS, *_TOKENIZER)
        content.append(file_hashes({path for p in patterns for path in folder.glob(p)}))
    return files.sha256_json(content)[:16]
