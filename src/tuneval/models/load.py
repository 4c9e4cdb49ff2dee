"""From a reference to a model that is ready to use, with its tokenizer."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuneval import files
from tuneval.errors import ModelError, StorageError
from tuneval.models.checksums import file_hashes
from tuneval.models.convert import LONGEST_BELIEVABLE
from tuneval.models.precision import Precision, choose_device, torch_dtype
from tuneval.models.quantization import (
    Quantization,
    loading_options,
    refuse_where_it_cannot_work,
    settle,
)
from tuneval.models.quiet import quiet_libraries
from tuneval.models.reference import ModelReference, parse_reference
from tuneval.models.sources import Sources, sources_of, trained_on
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

    `adapter` is the folder of the last adapter that went into it, or None. `quantization` is how
    the base's weights are stored; None: as they are.
    """

    model: Any
    tokenizer: Any
    reference: ModelReference
    adapter: str | None
    hash: str
    quantization: Quantization | None = None


def load_model(
    text: str,
    *,
    adapter: str | None = None,
    dtype: Precision = "float32",
    device: str = "auto",
    adapters: Literal["merged", "attached"] = "merged",
    quantization: Quantization | Literal["as trained"] | None = "as trained",
    report: Report = ignore,
) -> LoadedModel:
    """The model that `text` names, with the adapters that belong to it and then `adapter`.

    Merged adapters cost nothing later; those that cannot be merged stay attached, and so does an
    adapter that was trained on a quantised base: it is put on such a base again, unless
    `quantization` says otherwise. Only the last adapter is ever "attached", as in its training;
    those below it are merged. Raises ModelError when something is missing, does not fit together
    or cannot be loaded.
    """
    sources = sources_of(text, adapter=adapter, report=report)
    place = choose_device(device)
    stored = trained_on(sources) if quantization == "as trained" else quantization
    with quiet_libraries():
        if stored is None:
            model = _load_base(sources.base, {"dtype": torch_dtype(dtype)})
        else:
            _refuse_adapters_below(sources, is_new=quantization != "as trained")
            model = _load_quantised(sources.base, stored, torch_dtype(dtype), place)
            adapters = "attached"  # merged, they would be rounded to the base's few bits
        for folder in sources.adapters[:-1]:
            model = _load_adapter(model, folder, "merged")
            _refuse_unmerged(model, folder)
        for folder in sources.adapters[-1:]:
            model = _load_adapter(model, folder, adapters)
        tokenizer = _load_tokenizer(sources)
    model = model.to(place).eval()
    last = str(sources.adapters[-1]) if sources.adapters else None
    return LoadedModel(
        model, tokenizer, parse_reference(text), last, _hash(sources, stored), stored
    )


def load_tokenizer(text: str, *, adapter: str | None = None, report: Report = ignore) -> Any:
    """The tokenizer of the model that `text` names, without loading its weights."""
    sources = sources_of(text, adapter=adapter, parts="tokenizer", report=report)
    with quiet_libraries():
        return _load_tokenizer(sources)


def model_hash(text: str, *, adapter: str | None = None, report: Report = ignore) -> str:
    """`LoadedModel.hash` of the model that `text` names, without loading it."""
    sources = sources_of(text, adapter=adapter, report=report)
    return _hash(sources, trained_on(sources))


def _refuse_adapters_below(sources: Sources, *, is_new: bool) -> None:
    """A quantised base carries one adapter, and none before it is to be trained on."""
    below = sources.adapters if is_new else sources.adapters[:-1]
    if below:
        raise ModelError(
            "A model that has an adapter already cannot be quantised: the adapter would have to be "
            "merged first.",
            where=str(below[-1]),
            mend="export it as a whole model first (tuneval export), and name that one",
        )


def _refuse_unmerged(model: Any, folder: Path) -> None:
    """An adapter's weights are a change of the model under it, so that has to be a plain one."""
    from tuneval.models.methods import carries_adapter

    if carries_adapter(model):
        raise ModelError(
            "This adapter cannot be merged into its base, so no other one goes on top of it.",
            where=str(folder),
            mend="name the model under it, and one adapter",
        )


def _load_quantised(folder: Path, quantization: Quantization, dtype: Any, device: str) -> Any:
    refuse_where_it_cannot_work(device)
    model = _load_base(folder, loading_options(quantization, dtype, device))
    settle(model, dtype)
    return model


def _load_base(folder: Path, options: dict[str, Any]) -> Any:
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    try:
        model, told = AutoModelForCausalLM.from_pretrained(
            folder, output_loading_info=True, **options, **_FROM_DISK
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

    from tuneval.models.methods import bottleneck_layers

    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            if bottleneck_layers.is_written_in(folder):
                bottleneck_layers.read(model, folder)
                return model
            attached = PeftModel.from_pretrained(model, str(folder), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise _unloadable("adapter", folder, error) from error
    for warning in told:
        if "missing adapter keys" in str(warning.message):  # peft would go on without them
            raise _unloadable("adapter", folder, str(warning.message))
    return attached.merge_and_unload() if how == "merged" and _can_merge(attached) else attached


def _can_merge(attached: Any) -> bool:
    """Whether the adapter's changes can go into the base's weights.

    Trap: where the embeddings are the output head too, peft merges what changes one into both.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    core = attached.get_base_model()
    ends = (core.get_input_embeddings(), core.get_output_embeddings())
    changed = [end for end in ends if isinstance(end, BaseTunerLayer)]
    embeddings, head = (
        (end.get_base_layer() if isinstance(end, BaseTunerLayer) else end) for end in ends
    )
    is_tied = getattr(head, "weight", None) is embeddings.weight
    return hasattr(attached.base_model, "merge_and_unload") and not (changed and is_tied)


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


def _hash(sources: Sources, quantization: Quantization | None) -> str:
    """16 hex digits over the content of every file that shapes what the model says."""
    content: list[Any] = [] if quantization is None else [quantization.model_dump()]
    for folder in (sources.base, *sources.adapters):
        patterns = (*_WEIGHTS, *_CONFIGS, *_TOKENIZER)
        content.append(file_hashes({path for p in patterns for path in folder.glob(p)}))
    return files.sha256_json(content)[:16]
