"""The train step that the flags of a training come to."""

from __future__ import annotations

import math
from typing import Any, get_args

from tuneval.recipes.llamafactory.asked import Asked
from tuneval.recipes.llamafactory.datasets import Chosen
from tuneval.recipes.llamafactory.dialect import Dialect
from tuneval.recipes.llamafactory.method import method_of
from tuneval.training.config import Scheduler, Tracker

STAGES = {"sft": "sft", "pt": "pretrain"}
OTHER_STAGES = ("rm", "ppo", "dpo", "kto", "orpo")
ADAMW = ("adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw")
FEWEST_CHECKPOINTS = 2
_NEEDS_PROBE = "needs eval_strategy steps, and val_size"


def stage_of(asked: Asked) -> str:
    """`sft` or `pretrain`."""
    name = asked.text("stage", "sft") or "sft"
    if name in OTHER_STAGES:
        asked.fault("stage", "is not there yet; sft and pt are")
        return "sft"
    return STAGES[asked.one_of("stage", STAGES, "sft")]


def train_step(
    asked: Asked, dialect: Dialect, data: Chosen, *, held_out: float, seed: int
) -> dict[str, Any]:
    """The content of a train step, every setting of the flags' tool written out.

    `held_out` is the share of the data that no training sees.
    """
    stage = stage_of(asked)
    step: dict[str, Any] = {
        "kind": "train",
        "stage": stage,
        "method": method_of(asked, dialect),
        "duration": _duration(asked),
        "batches": _batches(asked, dialect, stage),
        "optimizer": _optimizer(asked),
        "schedule": _schedule(asked),
        "precision": _precision(asked),
    }
    steps_per_epoch = _StepsPerEpoch(step["batches"], data, asked, held_out)
    step["record"] = _record(asked, steps_per_epoch)
    probe = _probe(asked, steps_per_epoch, data)
    return step | ({"evaluation": probe} if probe else {}) | {"seed": seed}


def length(asked: Asked, dialect: Dialect) -> int:
    """Tokens of an example at most, prompt and answer together."""
    if asked.has("max_source_length", "max_target_length"):
        half = dialect.max_length // 2
        return asked.integer("max_source_length", half) + asked.integer("max_target_length", half)
    return asked.integer("cutoff_len", dialect.max_length)


def share_held_out(asked: Asked, data: Chosen) -> float:
    """`val_size` as a share: from 1 on it is a number of examples."""
    name = "dev_ratio" if asked.has("dev_ratio") else "val_size"
    size = asked.number(name, 0.0)
    share = size / data.count() if size >= 1 else size
    if not 0 <= share < 1:
        asked.fault(name, "leaves nothing to train on" if share >= 1 else "is at least 0")
        return 0.0
    return round(share, 6)


class _StepsPerEpoch:
    """Optimizer steps in a pass over the data, counted only where it is asked for."""

    def __init__(
        self, batches: dict[str, Any], data: Chosen, asked: Asked, held_out: float
    ) -> None:
        self.batches, self.data, self.asked, self.held_out = batches, data, asked, held_out

    def of(self, flag: str) -> int:
        """For a flag that says `epoch`; a fault where rows are packed, whose number is unknown."""
        if self.batches["packing"]:
            self.asked.fault(flag, "with packing the steps of an epoch are not known; say steps")
            return 1
        per_step: int = self.batches["batch_size"] * self.batches["gradient_accumulation_steps"]
        trained = self.data.count() * (1 - self.held_out)
        if _strategy(self.asked)[1] != "no":  # the probe takes its part of what is left
            trained *= 1 - share_held_out(self.asked, self.data)
        return max(1, math.ceil(trained / per_step))


def _duration(asked: Asked) -> dict[str, Any]:
    steps = asked.integer("max_steps", -1)
    epochs = asked.number("num_train_epochs", 3.0)
    return {"steps": steps} if steps > 0 else {"epochs": epochs}


def _batches(asked: Asked, dialect: Dialect, stage: str) -> dict[str, Any]:
    packing = asked.flag("packing", stage == "pretrain")
    neat = asked.flag("neat_packing")
    if packing and not neat and stage == "sft" and asked.has("packing"):
        asked.changed("packing", "examples of a row never see each other, as with neat_packing")
    return {
        "max_length": length(asked, dialect),
        "packing": packing or neat,
        "batch_size": asked.integer("per_device_train_batch_size", 8),
        "gradient_accumulation_steps": asked.integer("gradient_accumulation_steps", 1),
    }


def _optimizer(asked: Asked) -> dict[str, Any]:
    if asked.text("optim", ADAMW[0]) not in ADAMW:
        asked.fault("optim", "AdamW is there: adamw_torch")
    return {
        "learning_rate": asked.number("learning_rate", 5e-5),
        "weight_decay": asked.number("weight_decay", 0.0),
        "max_grad_norm": asked.number("max_grad_norm", 1.0),
        "betas": [asked.number("adam_beta1", 0.9), asked.number("adam_beta2", 0.999)],
        "epsilon": asked.number("adam_epsilon", 1e-8),
    }


def _schedule(asked: Asked) -> dict[str, Any]:
    schedule: dict[str, Any] = {
        "kind": asked.one_of("lr_scheduler_type", get_args(Scheduler), "linear"),
        "warmup_ratio": asked.number("warmup_ratio", 0.0),
    }
    warmup = asked.number("warmup_steps", 0)
    if 0 < warmup < 1:  # newer versions of transformers: a share
        return schedule | {"warmup_ratio": warmup}
    return schedule | ({"warmup_steps": asked.integer("warmup_steps", 0)} if warmup else {})


def _precision(asked: Asked) -> dict[str, Any]:
    half = asked.flag("bf16")
    if asked.flag("pure_bf16"):
        asked.changed("pure_bf16", "as bf16: the weights stay float32, and need their memory")
        half = True
    if asked.flag("fp16"):
        asked.changed("fp16", "bfloat16, as short, and its numbers do not overflow")
        half = True
    checkpointing = asked.flag("gradient_checkpointing") or asked.flag("activation_checkpointing")
    return {
        "kind": "bfloat16" if half else "float32",
        "gradient_checkpointing": checkpointing,
        "compile": asked.flag("torch_compile"),
    }


def _record(asked: Asked, steps_per_epoch: _StepsPerEpoch) -> dict[str, Any]:
    record: dict[str, Any] = {}
    if asked.has("logging_steps"):
        record["logging_steps"] = asked.integer("logging_steps", 1)
    match asked.one_of("save_strategy", ("steps", "epoch", "no", "best"), "steps"):
        case "epoch":
            record["save_steps"] = steps_per_epoch.of("save_strategy")
        case "no" | "best" as other:
            asked.changed("save_strategy", f"{other}: checkpoints are kept for an exact resume")
            record["save_steps"] = asked.integer("save_steps", 500)
        case _:
            record["save_steps"] = asked.integer("save_steps", 500)
    kept = asked.integer("save_total_limit", FEWEST_CHECKPOINTS)
    if not asked.has("save_total_limit"):
        asked.changed("save_total_limit", "not given: the last 2 checkpoints are kept, not all")
    elif kept < FEWEST_CHECKPOINTS:
        asked.changed("save_total_limit", "2: a damaged checkpoint falls back to the one before")
    record["keep_checkpoints"] = max(kept, FEWEST_CHECKPOINTS)
    trackers = [name for name in asked.names("report_to") if name != "none"]
    known = [name for name in trackers if name in get_args(Tracker)]
    for name in sorted({*trackers} - {*known}):
        asked.changed("report_to", f"without {name}; there are {', '.join(get_args(Tracker))}")
    return record | ({"trackers": known} if known else {})


def _strategy(asked: Asked) -> tuple[str, str]:
    """When the loss is measured on the way, and the flag that says so."""
    flag = "evaluation_strategy" if asked.has("evaluation_strategy") else "eval_strategy"
    return flag, asked.one_of(flag, ("no", "steps", "epoch"), "no")


def _probe(asked: Asked, steps_per_epoch: _StepsPerEpoch, data: Chosen) -> dict[str, Any] | None:
    """The section `evaluation`, None where nothing is measured on the way."""
    flag, strategy = _strategy(asked)
    if strategy == "no":
        if asked.flag("load_best_model_at_end"):
            asked.fault("load_best_model_at_end", _NEEDS_PROBE)
        if asked.has("early_stopping_steps"):
            asked.fault("early_stopping_steps", _NEEDS_PROBE)
        return None
    share = share_held_out(asked, data)
    if not share:
        asked.fault(flag, "is measured on a part of the training examples: give val_size")
        return None
    keep_best = asked.flag("load_best_model_at_end")
    if asked.text("metric_for_best_model", "loss") not in ("loss", "eval_loss"):
        asked.fault("metric_for_best_model", "the held-out loss alone decides: eval_loss")
    if asked.flag("greater_is_better"):
        asked.fault("greater_is_better", "a lower loss is better")
    every = asked.integer("eval_steps", asked.integer("logging_steps", 500))
    probe: dict[str, Any] = {
        "share": share,
        "every_steps": steps_per_epoch.of(flag) if strategy == "epoch" else every,
        "keep_best": keep_best,
    }
    if asked.has("early_stopping_steps"):
        probe["patience"] = asked.integer("early_stopping_steps", 1)
    return probe
