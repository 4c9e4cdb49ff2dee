"""From examples to the rows that are trained and those of the probe, with what was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tuneval.data.example import Item
from tuneval.errors import DataError, ModelError, UsageError
from tuneval.models.forward import longest_input
from tuneval.models.precision import Precision
from tuneval.models.virtual_tokens import has_virtual_tokens
from tuneval.runs.events import Report, Warned
from tuneval.tokenization import EncodedSet, Template, load_template
from tuneval.training.batches import Rows, make_rows
from tuneval.training.config import TrainConfig
from tuneval.training.probe import set_aside
from tuneval.training.stages import STAGES

PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A training set in tokens and rows; `held_out` is empty and has no rows without a probe."""

    train: EncodedSet
    held_out: EncodedSet
    rows: Rows
    held_out_rows: Rows | None


def prepare(
    config: TrainConfig, items: Sequence[Item], template: Template, *, report: Report
) -> Prepared:
    """Set the probe's part aside, encode both and make rows.

    Raises DataError when nothing is left to train on, or to measure where a probe is asked for.
    """
    parts = set_aside(items, config.evaluation, seed=config.seed)
    if twice := parts.on_both_sides:
        said = f"{len(twice)} of the probe's examples are also trained on, in other groups"
        report(Warned("train", said))
    stage, batches = STAGES.load(config.stage), config.batches
    train = stage.encode(parts.train, template, batches.max_length)
    held_out = stage.encode(parts.held_out, template, batches.max_length)
    _account_for(train, "No example can be trained on.", report)
    if config.evaluation is not None:
        _account_for(held_out, "No example of the probe can be used.", report)
    rows, held_out_rows = (
        make_rows(each.tokens, max_length=batches.max_length, packing=batches.packing)
        for each in (train, held_out)
    )
    return Prepared(train, held_out, rows, held_out_rows if config.evaluation else None)


def template_of(config: TrainConfig, tokenizer: Any, name: str) -> Template:
    """The chat template of that name; a stage without use for one does without.

    Then a tokenizer that has none of its own is given the plainest, for later chats.
    """
    uses_template = STAGES.load(config.stage).uses_template
    if name == "auto" and not uses_template and not getattr(tokenizer, "chat_template", None):
        return load_template(tokenizer, PLAIN)
    return load_template(tokenizer, name)


def weights_dtype(config: TrainConfig) -> Precision:
    """Trained weights stay float32 whatever the arithmetic; peft keeps its own so by itself."""
    return "float32" if config.method.saved_as == "model" else config.precision.kind


def refuse_checkpointing(config: TrainConfig) -> None:
    """Raise UsageError where the method cannot have the gradient checkpointing that is asked."""
    if config.precision.gradient_checkpointing and config.method.cannot_checkpoint:
        raise UsageError(
            f"{config.method.kind} cannot use gradient checkpointing: "
            f"{config.method.cannot_checkpoint}.",
            where="precision.gradient_checkpointing",
            mend="leave it out, and lower batches.batch_size or batches.max_length instead",
        )


def refuse_too_long(prepared: Prepared, model: Any) -> None:
    """Raise ModelError where an example is longer than the tuned model reads."""
    longest = longest_input(model)
    rows = [*prepared.rows, *(prepared.held_out_rows or ())]
    length = max(len(document) for row in rows for document in row.documents)
    if longest is not None and length > longest:
        besides = " besides its virtual ones" if has_virtual_tokens(model) else ""
        raise ModelError(
            f"An example has {length} tokens, and the model reads {longest}{besides}.",
            where="batches.max_length",
            mend=f"set it to {longest} or less: longer examples are cut",
        )


def _account_for(encoded: EncodedSet, nothing: str, report: Report) -> None:
    """Say what was lost on the way to tokens; nothing left is an error."""
    if not encoded.tokens:
        reasons = sorted({reason for _, _, reason in encoded.unusable})
        raise DataError(
            nothing,
            where=", ".join(where for _, where, _ in encoded.unusable[:5]),
            mend="; ".join(reasons) or "give a file with examples",
        )
    if encoded.unusable:
        _, where, reason = encoded.unusable[0]
        report(
            Warned("train", f"{len(encoded.unusable)} examples not used, first {where}: {reason}")
        )
    for part, count in encoded.truncated.items():
        if count:
            report(Warned("train", f"{count} examples lost part of their {part} to max_length"))
