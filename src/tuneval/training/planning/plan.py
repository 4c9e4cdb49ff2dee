"""The verb: what a training will need, whether that is there, and what would need less."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from tuneval.data.example import Item
from tuneval.models.available import available_bytes
from tuneval.models.load import load_tokenizer
from tuneval.models.methods import count_parameters
from tuneval.models.precision import choose_device
from tuneval.models.quiet import quiet_libraries
from tuneval.models.reference import parse_reference
from tuneval.models.sources import find_sources
from tuneval.runs.events import Report, ignore
from tuneval.tokenization import Tokens
from tuneval.training.arguments import max_steps, steps_per_epoch, tokens_per_step
from tuneval.training.batches import Collate, Row, Rows
from tuneval.training.config import Epochs, TrainConfig
from tuneval.training.flops import FlopCount
from tuneval.training.planning.memory import Memory, memory_of
from tuneval.training.planning.shapes import ShapedModel
from tuneval.training.preparation import prepare, refuse_checkpointing, template_of

USABLE = 0.9
"""Of what is free: kernels' work space, gaps between tensors and other programs take some."""
WORTH_SAYING = 0.97
SHORTEST_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Change:
    """Fields of the config with other values, and the memory with them."""

    settings: dict[str, Any]
    memory: Memory

    @property
    def words(self) -> str:
        """As `--set` takes it."""
        return " ".join(f"{name}={_text(value)}" for name, value in self.settings.items())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"settings": self.settings, "memory": self.memory.as_dict()}


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What a training comes to.

    `tokens_per_step` and `flops` are estimated from means over its rows. `memory` is that of its
    longest micro-batch. `available_bytes` is None where it is not known. `changes` need less; none
    are looked for when all fits.
    """

    method: str
    trainable_parameters: int
    total_parameters: int
    examples: int
    rows: int
    steps: int
    tokens_per_step: float
    longest_micro_batch: int
    flops: float
    memory: Memory
    device: str
    available_bytes: int | None
    changes: tuple[Change, ...]

    @property
    def fits(self) -> bool | None:
        """Whether there is memory enough; None when that is not known."""
        return fits(self.memory, self.available_bytes)

    def helps(self, change: Change) -> bool:
        """Whether there is memory enough with this change."""
        return bool(fits(change.memory, self.available_bytes))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        changes = [change.as_dict() | {"fits": self.helps(change)} for change in self.changes]
        memory = self.memory.as_dict()
        return asdict(self) | {"memory": memory, "changes": changes, "fits": self.fits}


def fits(memory: Memory, available: int | None) -> bool | None:
    """Whether so much is there, with a margin; None when it is not known what is there."""
    return None if available is None else memory.total <= USABLE * available


def plan_training(
    config: TrainConfig,
    *,
    model: str,
    examples: Sequence[Item],
    template: str = "auto",
    available: int | None = None,
    report: Report = ignore,
) -> TrainingPlan:
    """Plan `train` with the same arguments; no weights are loaded, and nothing is written.

    `available` is the memory there is, in bytes; None: what is free here. Raises DataError when
    no example can be trained on, ModelError when the model cannot be built without weights.
    """
    refuse_checkpointing(config)
    device = torch.device(choose_device("auto"))
    available = available_bytes(device) if available is None else available
    with quiet_libraries():
        folder = find_sources(parse_reference(model), parts="tokenizer", report=report).base
        tokenizer = load_tokenizer(model, report=report)
        shape = template_of(config, tokenizer, template)
        prepared = prepare(config, examples, shape, report=report)
        planner = _Planner(folder, tokenizer, prepared.rows)
        shaped = ShapedModel(folder, config, tokenizer)
        trainable, total = count_parameters(shaped.language_model)
        longest = planner.longest_micro_batch(config)
        with shaped.running():
            count = FlopCount(shaped.language_model, longest)
        memory = memory_of(shaped, config, longest)
        flops = count.take(longest) / _n_tokens(longest["documents"])
        changes = () if fits(memory, available) else planner.changes(config, memory, available)
    steps, per_step = _steps(config, prepared.rows), tokens_per_step(config, prepared.rows)
    return TrainingPlan(
        method=config.method.kind,
        trainable_parameters=trainable,
        total_parameters=total,
        examples=len(prepared.train.tokens),
        rows=len(prepared.rows),
        steps=steps,
        tokens_per_step=per_step,
        longest_micro_batch=longest["input_ids"].numel(),
        flops=flops * per_step * steps,
        memory=memory,
        device=device.type,
        available_bytes=available,
        changes=tuple(changes),
    )


@dataclass(frozen=True, slots=True)
class _Planner:
    """What stays the same over changes of a config."""

    folder: Path
    tokenizer: Any
    rows: Rows

    def longest_micro_batch(self, config: TrainConfig) -> dict[str, Any]:
        """Of the longest rows, each no longer than the config's `max_length`."""
        batches = config.batches
        rows = sorted(self.rows.rows, key=len, reverse=True)[: batches.batch_size]
        collate = Collate(share_prefix=batches.share_prefix)
        return collate([_shortened(row, batches.max_length) for row in rows])

    def changes(self, config: TrainConfig, memory: Memory, available: int | None) -> list[Change]:
        """Each change that helps; all of them together where none is enough by itself."""
        single = list(_settings(config))
        found = [self._change(config, settings) for settings in single]
        if len(found) > 1 and not any(fits(change.memory, available) for change in found):
            together = {name: value for settings in single for name, value in settings.items()}
            found.append(self._change(config, together))
        return [c for c in found if c.memory.total < WORTH_SAYING * memory.total]

    def _change(self, config: TrainConfig, settings: dict[str, Any]) -> Change:
        changed = _changed(config, settings)
        shaped = ShapedModel(self.folder, changed, self.tokenizer)
        return Change(settings, memory_of(shaped, changed, self.longest_micro_batch(changed)))


def _settings(config: TrainConfig) -> Iterator[dict[str, Any]]:
    """Changes that may need less memory, those first that change least of the outcome."""
    batches = config.batches
    if not config.precision.gradient_checkpointing and not config.method.cannot_checkpoint:
        yield {"precision.gradient_checkpointing": True}
    if batches.batch_size > 1:
        yield {
            "batches.batch_size": 1,
            "batches.gradient_accumulation_steps": batches.batch_size
            * batches.gradient_accumulation_steps,
        }
    if config.precision.kind == "float32":
        yield {"precision.kind": "bfloat16"}
    if batches.max_length >= 2 * SHORTEST_LENGTH:
        yield {"batches.max_length": batches.max_length // 2}
    if config.method.saved_as == "model":
        yield {"method.kind": "lora"}


def _changed(config: TrainConfig, settings: dict[str, Any]) -> TrainConfig:
    content = config.model_dump()
    for name, value in settings.items():
        section, _, field = name.partition(".")
        if section == "method":  # another kind has fields of its own
            content[section] = {field: value}
        else:
            content[section][field] = value
    return type(config).model_validate(content)


def _steps(config: TrainConfig, rows: Rows) -> int:
    """Optimizer steps, as the Trainer counts them."""
    duration = config.duration
    if not isinstance(duration, Epochs):
        return max_steps(config, rows)
    return math.ceil(duration.epochs * steps_per_epoch(config, rows))


def _shortened(row: Row, length: int) -> Row:
    """As many of the row's documents as fit, the last one by its end, where the loss is."""
    kept: list[Tokens] = []
    for document in row.documents:
        room = length - sum(map(len, kept))
        if room < 2:  # nothing is predicted in less
            break
        short = slice(max(0, len(document) - room), None)
        kept.append(
            Tokens(document.ids[short], document.loss_mask[short], example_id=document.example_id)
        )
    return Row(tuple(kept))


def _n_tokens(documents: Sequence[Tokens]) -> int:
    return sum(map(len, documents))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
