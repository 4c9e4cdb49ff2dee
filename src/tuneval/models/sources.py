"""Where a model's files lie: the folder of its base, and those of its adapters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from tuneval import files
from tuneval.catalog import near_names
from tuneval.errors import ModelError
from tuneval.models.bundled import bundled_model_folder
from tuneval.models.checksums import file_hash
from tuneval.models.convert import converted_folder
from tuneval.models.hub import hub_folder
from tuneval.models.quantization import Quantization
from tuneval.models.reference import (
    TRAINED_NOTE,
    ModelReference,
    parse_reference,
    trainings_of,
)
from tuneval.runs.events import Report, ignore


@dataclass(frozen=True, slots=True)
class Sources:
    """The folders a model is made of: the base, then adapters in the order they are applied."""

    base: Path
    adapters: tuple[Path, ...] = ()


def sources_of(
    text: str,
    *,
    adapter: str | None = None,
    parts: Literal["all", "tokenizer"] = "all",
    report: Report = ignore,
) -> Sources:
    """The folders behind the model that `text` names, and then `adapter`."""
    sources = find_sources(parse_reference(text), parts=parts, report=report)
    if adapter is None:
        return sources
    return Sources(sources.base, (*sources.adapters, _adapter_folder(adapter)))


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
        case "endpoint":
            raise ModelError(
                "A model behind an address has no weights here: only tasks can be put to it.",
                where=reference.location,
                mend=f"tuneval evaluate --model '{reference.text}' --task …",
            )
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


def trained_on(sources: Sources) -> Quantization | None:
    """How the base was stored when the last adapter was trained; None: as it is."""
    note = sources.adapters[-1] / "tuneval.json" if sources.adapters else None
    if note is None or not note.is_file():
        return None
    kept = files.read_json(note).get("quantization")
    try:
        return None if kept is None else Quantization.model_validate(kept)
    except ValidationError as error:
        raise ModelError(
            "The adapter's note of how its base was stored cannot be understood.",
            where=str(note),
            mend="train the adapter again, or take 'quantization' out of the file to use it on "
            "the base in full precision",
        ) from error


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
