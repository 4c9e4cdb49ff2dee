"""What a person may write to name a model, and what it means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tuneval import files
from tuneval.catalog import did_you_mean, near_names
from tuneval.errors import ModelError
from tuneval.models.bundled import BUNDLED
from tuneval.models.endpoint import is_endpoint, parse_endpoint
from tuneval.runs.find import find_run, list_runs, runs_root
from tuneval.runs.run import Run

Kind = Literal["bundled", "folder", "hub", "gguf", "run", "endpoint"]

# What huggingface_hub accepts: `name` or `owner/name`, 96 characters.
_HUB_ID = re.compile(r"(?=.{1,96}$)([A-Za-z0-9][\w.-]*/)?[A-Za-z0-9][\w.-]*")
_FORMS = "bundled:NAME, a folder, a .gguf file, a hub id (owner/name), run:ID or run:ID:NAME"
TRAINED_NOTE = "model_reference.json"
"""Stands in every folder that a training has finished: a run's, or one below `training/`."""


@dataclass(frozen=True, slots=True)
class ModelReference:
    """A model that was named. `text` names it again from anywhere: paths are absolute in it.

    `location` is the bundled name, the folder, the file, the hub id or the training's folder: the
    run's own, or `training/NAME` in it where the run trained several models; of an endpoint the
    address, which is all that there is of it here.
    """

    kind: Kind
    location: str
    text: str


def parse_reference(text: str) -> ModelReference:
    """The model that `text` means. Looks at the disk, never at the network.

    Raises ModelError for a name that can mean nothing, RunError for an unknown run.
    """
    text = text.strip()
    if is_endpoint(text):
        endpoint = parse_endpoint(text)
        return ModelReference("endpoint", endpoint.url, endpoint.name)
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "bundled":
        return _bundled(rest)
    if colon and scheme == "run":
        return _run(rest)
    if colon and scheme == "hub":
        return _hub(rest)
    path = Path(text).expanduser()
    if text and path.is_dir():
        return _folder(path)
    if text and path.is_file():
        return _file(path)
    if text.startswith((".", "/", "~")) or "\\" in text or text.endswith(".gguf"):
        raise _no_such_path(path)
    return _hub(text)


def _bundled(name: str) -> ModelReference:
    if name not in BUNDLED:
        raise ModelError(
            f"There is no bundled model called '{name}'.", mend=did_you_mean(name, list(BUNDLED))
        )
    return ModelReference("bundled", name, f"bundled:{name}")


def trainings_of(run: Path) -> list[str]:
    """Names of the models that a run of several trainings has finished."""
    return sorted(note.parent.name for note in run.glob(f"training/*/{TRAINED_NOTE}"))


def _latest() -> Run:
    """The newest run that has trained: evaluations and unfinished trainings are runs, too."""
    for run in list_runs():
        if (run.folder / TRAINED_NOTE).is_file() or trainings_of(run.folder):
            return run
    return find_run("latest")


def _run(text: str) -> ModelReference:
    """`ID`, or `ID:NAME` for one of several models that a run trained."""
    run_text, colon, name = text.rpartition(":")
    if not colon or (Path(text) / "run.json").is_file():
        run_text, name = text, ""
    folder = (_latest() if run_text == "latest" else find_run(run_text)).folder.resolve()
    is_at_home = folder.parent == runs_root().resolve()
    reference = f"run:{folder.name if is_at_home else folder}"
    if not name:
        return ModelReference("run", str(folder), reference)
    trained = trainings_of(folder)
    if name not in trained:
        raise ModelError(
            f"The run has no trained model called '{name}'.",
            where=str(folder),
            mend=did_you_mean(name, trained) if trained else f"the run's own model is {reference}",
        )
    return ModelReference("run", str(folder / "training" / name), f"{reference}:{name}")


def _hub(text: str) -> ModelReference:
    if not _HUB_ID.fullmatch(text):
        raise ModelError(f"'{text}' names no model.", mend=f"write {_FORMS}")
    return ModelReference("hub", text, text)


def _folder(path: Path) -> ModelReference:
    absolute = path.resolve()
    if (absolute / "run.json").is_file():
        return _run(str(absolute))
    if (absolute / TRAINED_NOTE).is_file():
        return _training(absolute)
    if not any((absolute / name).is_file() for name in ("config.json", "adapter_config.json")):
        inside = sorted(p.parent.name for p in absolute.glob("*/config.json"))
        raise ModelError(
            "This folder holds no model: there is no config.json or adapter_config.json in it.",
            where=str(absolute),
            mend=f"name one of the folders in it: {', '.join(inside)}"
            if inside
            else f"name {_FORMS}",
        )
    return ModelReference("folder", str(absolute), str(absolute))


def _training(folder: Path) -> ModelReference:
    """One of several trainings of a run, in its run or taken out of it."""
    run = folder.parent.parent
    if folder.parent.name == "training" and (run / "run.json").is_file():
        return _run(f"{run}:{folder.name}")
    return ModelReference("run", str(folder), str(folder))


def _file(path: Path) -> ModelReference:
    absolute = path.resolve()
    with files.open_bytes(absolute) as file:
        is_gguf = file.read(4) == b"GGUF"
    if not is_gguf:
        raise ModelError(
            "This file is not a model: the only single files that can be loaded are GGUF.",
            where=str(absolute),
            mend="name the folder it lies in" if absolute.suffix != ".gguf" else "get it again",
        )
    return ModelReference("gguf", str(absolute), str(absolute))


def _no_such_path(path: Path) -> ModelError:
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = near_names(path.name, beside)
    return ModelError(
        f"There is no model at {path}.",
        where=str(path.absolute()),
        mend=f"did you mean {path.parent / near[0]}?" if near else f"write {_FORMS}",
    )
