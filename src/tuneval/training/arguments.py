"""Our config in the words of transformers' Trainer, and how many steps it comes to."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from transformers import TrainingArguments

from tuneval.models.precision import choose_device
from tuneval.training.batches import Rows
from tuneval.training.config import Epochs, Steps, TrainConfig
from tuneval.training.probe import keeps_best, probe_arguments


def training_arguments(config: TrainConfig, rows: Rows, *, folder: Path) -> TrainingArguments:
    """What the Trainer is told."""
    batches, record = config.batches, config.record
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=max_steps(config, rows),
        num_train_epochs=config.duration.epochs if isinstance(config.duration, Epochs) else 1,
        per_device_train_batch_size=batches.batch_size,
        per_device_eval_batch_size=batches.batch_size,
        gradient_accumulation_steps=batches.gradient_accumulation_steps,
        learning_rate=config.optimizer.learning_rate,
        lr_scheduler_type=config.schedule.kind,
        warmup_steps=config.schedule.warmup_steps or config.schedule.warmup_ratio,
        weight_decay=config.optimizer.weight_decay,
        max_grad_norm=config.optimizer.max_grad_norm,
        use_cpu=choose_device("auto") == "cpu",  # else bfloat16 is refused there
        bf16=config.precision.kind == "bfloat16",
        logging_steps=record.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=record.save_steps,
        # The best one is kept beside the newest, not instead of one of them.
        save_total_limit=record.keep_checkpoints + keeps_best(config.evaluation),
        seed=config.seed,
        data_seed=config.seed,
        remove_unused_columns=False,
        label_names=["labels"],
        **probe_arguments(config.evaluation),
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to=list(record.trackers) or "none",
        disable_tqdm=True,
    )


def max_steps(config: TrainConfig, rows: Rows) -> int:
    """Optimizer steps of a duration in steps or tokens; -1 for one in epochs."""
    duration = config.duration
    if isinstance(duration, Epochs):
        return -1
    if isinstance(duration, Steps):
        return duration.steps
    return max(1, math.ceil(duration.tokens / tokens_per_step(config, rows)))


def tokens_per_step(config: TrainConfig, rows: Rows) -> float:
    """Tokens of the examples in an optimizer step, on average over an epoch."""
    return rows.n_tokens / steps_per_epoch(config, rows)


def steps_per_epoch(config: TrainConfig, rows: Rows) -> int:
    """Optimizer steps in a pass over the rows, as the Trainer counts: the last may have less."""
    micro_batches = math.ceil(len(rows) / config.batches.batch_size)
    return math.ceil(micro_batches / config.batches.gradient_accumulation_steps)
