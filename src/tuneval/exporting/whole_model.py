"""A model with its adapters merged, written and measured against the same adapters attached."""

from __future__ import annotations

import gc
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuneval.errors import ModelError, UsageError
from tuneval.exporting.config import ExportConfig
from tuneval.exporting.difference import Difference, difference, logits_of
from tuneval.exporting.merging import refuse_unmergeable
from tuneval.exporting.prompts import Prompts, find_prompts
from tuneval.exporting.source import Source
from tuneval.exporting.writing import load_written, stored_dtype, write_model
from tuneval.models.load import LoadedModel, load_model, load_tokenizer
from tuneval.models.methods import carries_adapter
from tuneval.runs.events import Report, Started, Step, Warned
from tuneval.tokenization import Template, load_template

# Float32 rounds at 6e-8; through the layers of a network that grows to some 1e-5 of the largest
# logit. A merge that went wrong is far above this.
TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class WholeModel:
    """What was written, and how far it is from the model as it was.

    `merged`: the adapter merged against attached, both float32 in memory; None without one.
    `quantised`: what was trained, on its quantised base, against the same merged into the full
    one; None where the base was not quantised. `written`: the model before (its adapter attached)
    against the files as transformers loads them.
    """

    template_hash: str | None
    dtype: str
    parameters: int
    prompts: str
    merged: Difference | None
    quantised: Difference | None
    written: Difference


def write_whole_model(
    source: Source, config: ExportConfig, folder: Path, report: Report
) -> WholeModel:
    """Write `source` into `folder` for plain transformers; one model is in memory at a time.

    Raises ModelError when an adapter cannot be merged, or the result does not say the same.
    """
    refuse_unmergeable(source)
    tell = _Steps(report, 2 + source.is_adapted + source.is_quantised)
    tokenizer = load_tokenizer(source.reference.text, adapter=source.adapter, report=report)
    template = find_template(source, tokenizer, report)
    prompts = find_prompts(config, source, tokenizer, template, report)
    attached = as_trained = None
    if source.is_adapted:
        attached = _say(source, config, prompts, None)
        tell()
    if source.is_quantised:
        as_trained = _say(source, config, prompts, "as trained")
        tell()
    loaded = _load(source, config, adapters="merged", quantization=None)
    _refuse_unmerged(loaded, source)
    said = logits_of(loaded.model, prompts.ids)
    merged = None if attached is None else difference(attached, said)
    if merged is not None:
        _refuse_another_model(merged, "Merging the adapter", source)
    quantised = None if as_trained is None else difference(as_trained, said)
    if quantised is not None:
        _tell_of_another_base(quantised, report)
    tell()
    dtype = stored_dtype(source.folders.base) if config.dtype == "auto" else config.dtype
    parameters = sum(parameter.numel() for parameter in loaded.model.parameters())
    write_model(loaded, template, folder, dtype=dtype, shard_size=config.shard_size)
    del loaded
    gc.collect()
    now = logits_of(load_written(folder, config.device), prompts.ids)
    written = difference(attached or said, now)
    _refuse_bad_rounding(written, dtype, source)
    tell()
    return WholeModel(
        template_hash=None if template is None else template.hash,
        dtype=dtype,
        parameters=parameters,
        prompts=prompts.file,
        merged=merged,
        quantised=quantised,
        written=written,
    )


def find_template(source: Source, tokenizer: Any, report: Report) -> Template | None:
    """The template of the training; None where the model was trained without one.

    Warns where the name now stands for another text than it did then.
    """
    try:
        template = load_template(tokenizer, source.template)
    except UsageError:
        if source.template != "auto":
            raise
        return None
    then = source.origin.get("template_hash")
    if then not in (None, template.hash):
        told = f"the chat template is not that of the training: hash {template.hash}, then {then}"
        report(Warned("export", told))
    return template


def _say(
    source: Source,
    config: ExportConfig,
    prompts: Prompts,
    quantization: Literal["as trained"] | None,
) -> list[Any]:
    """Logits of the model with its last adapter attached; the model itself is let go."""
    loaded = _load(source, config, adapters="attached", quantization=quantization)
    said = logits_of(loaded.model, prompts.ids)
    del loaded
    gc.collect()  # a wrapped model refers to itself: it would stay beside the next one
    return said


def _load(
    source: Source,
    config: ExportConfig,
    *,
    adapters: Literal["merged", "attached"],
    quantization: Literal["as trained"] | None,
) -> LoadedModel:
    return load_model(
        source.reference.text,
        adapter=source.adapter,
        dtype="float32",
        device=config.device,
        adapters=adapters,
        quantization=quantization,
    )


def _refuse_unmerged(loaded: LoadedModel, source: Source) -> None:
    """Raise ModelError for what loading left attached although its method merges."""
    if carries_adapter(loaded.model):
        raise ModelError(
            "Merging the adapter would change the model: it adapts the embeddings or the output "
            "head, and their weights are the same.",
            where=str(source.weights),
            mend="export the adapter alone: `tuneval export RUN --to DIR --adapter`",
        )


def _refuse_another_model(found: Difference, what: str, source: Source) -> None:
    if not found.relative <= TOLERANCE:  # NaN, too, is refused
        raise ModelError(
            f"{what} would change the model: its logits move by up to {found.largest:.3g}, "
            f"the largest being {found.largest_logit:.3g}.",
            where=str(source.weights),
            mend="export the adapter alone: `tuneval export RUN --to DIR --adapter`"
            if source.is_adapted
            else "see that these weights are whole: evaluate them",
        )


def _tell_of_another_base(found: Difference, report: Report) -> None:
    told = (
        "merged into the full-precision base, the model is not quite the one that was trained and "
        f"evaluated on the quantised one: logits differ by up to {found.largest:.3g}, the "
        f"likeliest token is the same at {found.same_choice} of {found.positions} positions; "
        "evaluate the export itself"
    )
    report(Warned("export", told))


def _refuse_bad_rounding(found: Difference, dtype: str, source: Source) -> None:
    """Fewer digits are what was asked for; numbers that the format cannot hold are not."""
    if dtype == "float32":
        _refuse_another_model(found, "Writing it", source)
    elif not math.isfinite(found.largest):
        raise ModelError(
            f"{dtype} cannot hold this model's weights: its logits are no longer numbers.",
            where=str(source.weights),
            mend="choose --dtype bfloat16 or float32",
        )


class _Steps:
    """Tells how many of a number of loads are done."""

    def __init__(self, report: Report, total: int) -> None:
        self._report, self._total, self._done = report, total, 0
        report(Started("export", total, "loads"))

    def __call__(self) -> None:
        self._done += 1
        self._report(Step("export", self._done, self._total))
