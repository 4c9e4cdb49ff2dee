"""The probe: examples set aside from training, whose loss says when to stop and what to keep."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from transformers import EarlyStoppingCallback, TrainerCallback

from tuneval.data.example import Item
from tuneval.data.split import Split, position, split_key
from tuneval.errors import DataError
from tuneval.training.config import Probe

LOSS = "eval_loss"
LARGEST_EXPONENT = 700
"""`math.exp` of little more overflows."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The probe's loss, in nats per token, of the weights that a training ends with.

    `step` is the optimizer step these weights are of, `last_step` the one training came to.
    `perplexity` is None where it is too large for a number.
    """

    examples: int
    loss: float
    perplexity: float | None
    step: int
    last_loss: float
    last_step: int
    stopped_early: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def set_aside(items: Sequence[Item], probe: Probe | None, *, seed: int) -> Split[Item]:
    """Part the items by the hash of their group. Raises DataError when a part is left empty."""
    if probe is None:
        return Split(tuple(items), ())
    parts: tuple[list[Item], list[Item]] = ([], [])
    for item in items:
        # A hash of its own: the training side is what a split with this seed has left, and the
        # same hash again would find nothing below the share.
        place = position(f"probe {split_key(item, 'group')}", seed)
        parts[place < probe.share].append(item)
    for part, name in zip(parts, ("training", "held-out"), strict=True):
        if not part:
            raise DataError(
                f"The probe's split leaves no {name} example out of {len(items)}.",
                where=f"evaluation.share {probe.share}",
                mend="change evaluation.share or the seed, or give more examples or groups",
            )
    return Split(tuple(parts[0]), tuple(parts[1]))


def keeps_best(probe: Probe | None) -> bool:
    """Whether a training ends with the weights of its lowest held-out loss."""
    return probe is not None and probe.keep_best


def probe_arguments(probe: Probe | None) -> dict[str, Any]:
    """The probe in the words of transformers' TrainingArguments."""
    if probe is None:
        return {}
    return {
        "eval_strategy": "steps",
        "eval_steps": probe.every_steps,
        "metric_for_best_model": LOSS,
        "greater_is_better": False,
        # Else a resumed run would count its patience from nothing.
        "restore_callback_states_from_checkpoint": True,
    }


def stopping(probe: Probe | None) -> list[TrainerCallback]:
    """What stops a training whose held-out loss no longer falls."""
    if probe is None or probe.patience is None:
        return []
    return [EarlyStoppingCallback(early_stopping_patience=probe.patience)]


def mean_loss(model: torch.nn.Module, micro_batches: Iterable[Mapping[str, Any]]) -> float:
    """Mean cross-entropy in nats over every labelled position, however they are batched."""
    nats, n_labels = 0.0, 0
    was_training = model.training
    model.eval()
    # A DataLoader draws a seed from torch's generator: training must not notice.
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for inputs in micro_batches:
            nats += model(**inputs).item()
            n_labels += inputs["labels"].numel()
    model.train(was_training)
    return nats / n_labels


def held_out_of(
    log_history: Sequence[Mapping[str, Any]], *, kept_step: int, max_steps: int, examples: int
) -> HeldOut:
    """The probe's account of a finished training, from the Trainer's own log.

    `kept_step` is the step whose weights were kept, `max_steps` what was asked for.
    """
    measured = {entry["step"]: entry[LOSS] for entry in log_history if LOSS in entry}
    last, loss = max(measured), measured[kept_step]
    return HeldOut(
        examples=examples,
        loss=loss,
        perplexity=math.exp(loss) if loss < LARGEST_EXPONENT else None,
        step=kept_step,
        last_loss=measured[last],
        last_step=last,
        stopped_early=last < max_steps,
    )
