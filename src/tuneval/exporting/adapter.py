"""An adapter alone, as peft reads it, with the tokenizer of its training."""

from __future__ import annotations

import shutil
from pathlib import Path

from tuneval.errors import UsageError
from tuneval.exporting.config import ExportConfig
from tuneval.exporting.source import ORIGIN_NOTE, Source
from tuneval.exporting.whole_model import find_template
from tuneval.exporting.writing import write_tokenizer
from tuneval.models.load import load_tokenizer
from tuneval.runs.events import Report

_PARTS = ("adapter_config.json", "adapter_model.*", ORIGIN_NOTE)


def write_adapter(source: Source, config: ExportConfig, folder: Path, report: Report) -> None:
    """Copy the last adapter's files as they are, and the tokenizer with its chat template.

    Raises UsageError where there is no adapter, or it stands on another that would be left out.
    """
    _refuse(source, config)
    for pattern in _PARTS:
        for path in source.weights.glob(pattern):
            shutil.copyfile(path, folder / path.name)
    tokenizer = load_tokenizer(source.reference.text, adapter=source.adapter, report=report)
    write_tokenizer(tokenizer, find_template(source, tokenizer, report), folder)


def _refuse(source: Source, config: ExportConfig) -> None:
    if not source.is_adapted:
        raise UsageError(
            "This is a whole model: there is no adapter to export.",
            where=str(source.weights),
            mend="leave out --adapter",
        )
    if len(source.folders.adapters) > 1:
        raise UsageError(
            "This adapter stands on another one, and would be of no use without it.",
            where=str(source.folders.adapters[-2]),
            mend="export the whole model, or train on an exported one",
        )
    set_in_vain = sorted({"dtype", "shard_size", "prompts"} & config.model_fields_set)
    if set_in_vain:
        raise UsageError(
            f"An adapter's files are copied as they are: {', '.join(set_in_vain)} would change "
            "nothing.",
            mend="leave it out, or export the whole model",
        )
