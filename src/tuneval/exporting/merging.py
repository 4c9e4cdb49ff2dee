"""Which adapters can become part of the base's weights, and which cannot and why."""

from __future__ import annotations

from pathlib import Path

from tuneval import files
from tuneval.errors import ModelError
from tuneval.exporting.source import Source, method_of


def refuse_unmergeable(source: Source) -> None:
    """Raise ModelError, before any weights are loaded, when an adapter must stay one."""
    for folder in source.folders.adapters:
        kind, reason = _kind_and_reason(folder)
        if reason:
            raise ModelError(
                f"{kind} cannot be merged into the model: {reason}.",
                where=str(folder),
                mend="export the adapter alone: `tuneval export RUN --to DIR --adapter`",
            )


def _kind_and_reason(folder: Path) -> tuple[str, str]:
    """An adapter's kind, and why it cannot be merged: empty where it can."""
    method = method_of(folder)
    if method is not None:
        return method.model_fields["kind"].default, method.cannot_merge
    peft_type = str(files.read_json(folder / "adapter_config.json").get("peft_type"))
    return peft_type, "" if _merges(peft_type) else "peft has no merge for it"


def _merges(peft_type: str) -> bool:
    from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING

    return hasattr(PEFT_TYPE_TO_TUNER_MAPPING.get(peft_type), "merge_and_unload")
