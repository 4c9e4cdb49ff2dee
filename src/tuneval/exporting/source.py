"""What is to be exported: its folders, the method that made it, and the run it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from tuneval import files
from tuneval.errors import TunevalError
from tuneval.models.load import model_hash
from tuneval.models.methods import MethodConfig, TuningMethod
from tuneval.models.reference import TRAINED_NOTE, ModelReference, parse_reference
from tuneval.models.sources import Sources, find_sources
from tuneval.runs.events import Report, ignore

ORIGIN_NOTE = "tuneval.json"
"""Beside the weights of a training: base, method and template, as `training` writes it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A model to export.

    `adapter` is the folder of an adapter that was named besides `reference`, `root` the model below
    every training. `origin` is what the last training noted beside its
    weights, {} when tuneval did not make them. `training` is the folder of that training, `run`
    the run's: the same but where a run trained several.
    `hash` is `LoadedModel.hash`, by which evaluations name the model they measured.
    """

    reference: ModelReference
    adapter: str | None
    root: ModelReference
    folders: Sources
    origin: dict[str, Any]
    training: Path | None
    run: Path | None
    hash: str

    @property
    def weights(self) -> Path:
        """The folder with the newest weights."""
        return self.folders.adapters[-1] if self.folders.adapters else self.folders.base

    @property
    def base(self) -> str:
        """The reference of the model that was tuned, or of this one where none was."""
        return str(self.origin.get("base") or self.reference.text)

    @property
    def is_adapted(self) -> bool:
        """Whether there is an adapter on the base."""
        return bool(self.folders.adapters)

    @property
    def is_quantised(self) -> bool:
        """Whether the last adapter was trained on a base of few bits."""
        return bool(self.origin.get("quantization"))

    @property
    def method(self) -> str | None:
        """The kind of tuning method, where tuneval did the tuning."""
        method = self.origin.get("method")
        return str(method["kind"]) if isinstance(method, dict) else None

    @property
    def template(self) -> str:
        """The name by which `load_template` finds the template it was trained with."""
        name = str(self.origin.get("template") or "auto")
        return "auto" if name == "tokenizer" else name


def method_of(folder: Path) -> type[TuningMethod] | None:
    """The method that left its weights in `folder`; None when it is not one of tuneval's."""
    note = folder / ORIGIN_NOTE
    said = files.read_json(note).get("method") if note.is_file() else None
    kind = said.get("kind") if isinstance(said, dict) else None
    known = {config.model_fields["kind"].default: config for config in get_args(MethodConfig)}
    return known.get(kind)


def find_source(text: str, *, adapter: str | None = None, report: Report = ignore) -> Source:
    """The source that `text` means: a run's id, `latest`, a folder, or any model reference.

    `adapter` is the folder of one more adapter to put onto it. Raises ModelError or RunError.
    """
    reference = _reference(text)
    digest = model_hash(reference.text, adapter=adapter, report=report)
    folders = find_sources(reference, report=report)
    if adapter is not None:
        on_top = Path(adapter).expanduser().resolve()
        folders = Sources(folders.base, (*folders.adapters, on_top))
    weights = folders.adapters[-1] if folders.adapters else folders.base
    note = weights / ORIGIN_NOTE
    training = weights.parent if (weights.parent / TRAINED_NOTE).is_file() else None
    return Source(
        reference=reference,
        adapter=adapter,
        root=_root(reference),
        folders=folders,
        origin=files.read_json(note) if note.is_file() else {},
        training=training,
        run=None if training is None else _run_of(training),
        hash=digest,
    )


def _reference(text: str) -> ModelReference:
    """A bare name is a run; a path, a scheme or `owner/name` is what it is everywhere."""
    is_elsewhere = text.partition(":")[0] in ("bundled", "hub", "run") or "/" in text
    if is_elsewhere or text.endswith(".gguf") or Path(text).expanduser().exists():
        return parse_reference(text)
    return parse_reference(f"run:{text}")


def _root(reference: ModelReference) -> ModelReference:
    """The model that the first training began with, as far back as the notes lead."""
    if reference.kind in ("bundled", "hub", "gguf"):
        return reference
    folders = find_sources(reference)
    weights = folders.adapters[-1] if folders.adapters else folders.base
    for name, key in ((ORIGIN_NOTE, "base"), ("adapter_config.json", "base_model_name_or_path")):
        path = weights / name
        if path.is_file() and (base := files.read_json(path).get(key)):
            try:
                return _root(parse_reference(str(base)))
            except TunevalError:  # a whole model needs what it was made from no more
                return reference
    return reference


def _run_of(training: Path) -> Path | None:
    for folder in (training, training.parent.parent):
        if (folder / "run.json").is_file():
            return folder
    return None
