"""A model of the Hugging Face hub as a local folder, and plain words when it cannot be had."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from tuneval.catalog import near_names
from tuneval.errors import ModelError
from tuneval.models.bundled import BUNDLED
from tuneval.runs.events import Finished, Report, Started, ignore

_LIGHT = ["*.json", "*.txt", "*.jinja", "*.model", "*.tiktoken"]
_WEIGHTS = ["*.safetensors"]


def hub_folder(
    hub_id: str, *, parts: Literal["all", "tokenizer"] = "all", report: Report = ignore
) -> Path:
    """The snapshot folder of a hub model, downloaded when it is not in the hub's cache.

    Raises ModelError that tells a wrong name from a closed door and from a missing network.
    """
    from huggingface_hub import constants, errors, snapshot_download

    patterns = _LIGHT + (_WEIGHTS if parts == "all" else [])
    try:
        cached = Path(snapshot_download(hub_id, allow_patterns=patterns, local_files_only=True))
    except (errors.LocalEntryNotFoundError, errors.IncompleteSnapshotError):
        cached = None
    if cached is not None and _is_whole(cached, parts):
        return cached
    if constants.HF_HUB_OFFLINE:
        raise _offline(hub_id, "HF_HUB_OFFLINE is set")
    report(Started("download", None, "files"))
    try:
        folder = Path(snapshot_download(hub_id, allow_patterns=patterns))
    except errors.GatedRepoError:
        raise ModelError(
            f"The hub does not open '{hub_id}' to you: its owner gives access on request.",
            where=f"https://huggingface.co/{hub_id}",
            mend="ask for access on that page, then log in with `hf auth login`",
        ) from None
    except errors.RepositoryNotFoundError:
        raise ModelError(
            f"The hub has no model called '{hub_id}', or it is private.",
            where=f"https://huggingface.co/{hub_id}",
            mend=_near(hub_id)
            or "check the spelling; for a private one log in with `hf auth login`",
        ) from None
    except (errors.LocalEntryNotFoundError, errors.HfHubHTTPError, OSError) as error:
        if getattr(error, "filename", None):  # the disk, not the network
            raise
        raise _offline(hub_id, "the hub cannot be reached") from error
    report(Finished("download"))
    if not _is_whole(folder, parts):
        raise ModelError(
            f"'{hub_id}' has no weights that can be loaded safely (safetensors).",
            where=str(folder),
            mend="choose a model that is published as safetensors",
        )
    return folder


def _is_whole(folder: Path, parts: Literal["all", "tokenizer"]) -> bool:
    if not any((folder / name).is_file() for name in ("config.json", "adapter_config.json")):
        return False
    return parts == "tokenizer" or any(folder.glob("*.safetensors"))


def _offline(hub_id: str, reason: str) -> ModelError:
    cache = os.environ.get("HF_HUB_CACHE") or os.environ.get("HF_HOME") or "~/.cache/huggingface"
    return ModelError(
        f"The model '{hub_id}' is not on this machine, and {reason}.",
        where=f"looked for a folder '{hub_id}', and in the hub's cache {cache}",
        mend=_near(hub_id)
        or f"check the spelling; with a network run `hf download {hub_id}` first, "
        "or name a local folder, or use what needs no network: bundled:smollm2-135m, or "
        "bundled:minilm-l6 to embed sentences",
    )


def _near(hub_id: str) -> str:
    """A bundled model that was probably meant."""
    for name, model in BUNDLED.items():
        if near_names(hub_id.lower(), [name, model.hub_id.lower()]):
            return f"did you mean bundled:{name}? It needs no network"
    return ""
