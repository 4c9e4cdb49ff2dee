"""transformers' Trainer with our batches, our loss and complete-or-absent checkpoints."""

from __future__ import annotations

import inspect
import math
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel, PrinterCallback, TrainerState, TrainingArguments
from transformers import Trainer as TransformersTrainer
from transformers.trainer import TRAINER_STATE_NAME, TRAINING_ARGS_NAME

from tuneval.errors import StorageError
from tuneval.models import methods
from tuneval.models.packed_attention import use_packed_attention
from tuneval.models.precision import choose_device
from tuneval.training.batches import Collate, EpochSampler, Rows
from tuneval.training.checkpoints import seal
from tuneval.training.config import Epochs, Steps, TrainConfig
from tuneval.training.loss import NextTokenLoss
from tuneval.training.trained_state import load_state, save_state

LITTLE_SPACE_BYTES = 16 * 2**20
"""Less than this is called a full disk when a write fails."""


class Trainer(TransformersTrainer):
    """Loss over the labelled positions only, weighted by tokens over the accumulated batch.

    `language_model` has its method attached, and packed attention.
    """

    def __init__(
        self, language_model: Any, config: TrainConfig, rows: Rows, *, folder: Path
    ) -> None:
        self.config = config
        self.rows = rows
        if config.precision.gradient_checkpointing:
            enable_gradient_checkpointing(language_model)
        super().__init__(
            model=NextTokenLoss(language_model),
            args=training_arguments(config, rows, folder=folder),
            train_dataset=rows,
            data_collator=Collate(share_prefix=config.batches.share_prefix),
        )
        self.model_accepts_loss_kwargs = True  # num_items_in_batch counts over the whole step
        self.remove_callback(PrinterCallback)

    @property
    def language_model(self) -> Any:
        """The model with its method attached."""
        return self.model.language_model

    def train_from(self, checkpoint: Path | None) -> None:
        """Train to the end, from `checkpoint` where there is one.

        One that is the end already is only loaded: the Trainer itself would take a step too many.
        """
        if checkpoint is not None:
            state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
            if state.global_step >= state.max_steps:
                self._load_from_checkpoint(str(checkpoint))
                self.state = state
                return
        self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW over the trained parameters, each with the rate and decay that are its own."""
        if getattr(self, "optimizer", None) is None:
            asked = self.config.optimizer
            decayed = set(self.get_decay_parameter_names(self.model))
            groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
            for name, parameter in self.model.named_parameters():
                if parameter.requires_grad:
                    scale = methods.learning_rate_scale(name, self.config.method)
                    decay = asked.weight_decay if name in decayed else 0.0
                    groups.setdefault((scale, decay), []).append(parameter)
            self.optimizer = torch.optim.AdamW(
                [
                    {"params": group, "lr": asked.learning_rate * scale, "weight_decay": decay}
                    for (scale, decay), group in groups.items()
                ],
                lr=asked.learning_rate,
                betas=asked.betas,
                eps=asked.epsilon,
                fused=True,
            )
        return self.optimizer

    def _get_train_sampler(self, *_: Any, **__: Any) -> EpochSampler:
        return EpochSampler(len(self.rows), self.config.seed)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Mean cross-entropy in nats per labelled token of the whole optimizer step."""
        total = model(**inputs)
        n_labels = inputs["labels"].numel()
        loss = total / (n_labels if num_items_in_batch is None else num_items_in_batch)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        return (loss, None) if return_outputs else loss

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        """The trained parameters themselves, and an adapter as peft would load it."""
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        save_state(self.language_model, folder)
        if self.config.method.saved_as == "adapter":
            methods.save(self.language_model, self.config.method, folder)
        torch.save(self.args, folder / TRAINING_ARGS_NAME)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_state(self.language_model, Path(resume_from_checkpoint))

    def _load_best_model(self) -> None:
        load_state(self.language_model, Path(str(self.state.best_model_checkpoint)))

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save, then seal; a checkpoint that could not be finished is taken away."""
        folder = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        try:
            super()._save_checkpoint(model, trial)
            if self.args.should_save:
                seal(folder)
        except (OSError, RuntimeError, SafetensorError) as error:
            # torch and safetensors report a full disk in words of their own, without its number.
            free = shutil.disk_usage(self.args.output_dir).free
            shutil.rmtree(folder, ignore_errors=True)
            raise StorageError(
                "The checkpoint cannot be written: the disk is full."
                if free < LITTLE_SPACE_BYTES
                else f"The checkpoint cannot be written: {error}",
                where=str(folder),
                mend="free some space, then run the same command again; it goes on from the "
                "checkpoint before",
            ) from error


def prepare_for_packing(model: PreTrainedModel) -> bool:
    """Switch to packed attention and labelled-positions-only logits; False when not possible."""
    accepts = inspect.signature(model.forward).parameters
    return "logits_to_keep" in accepts and use_packed_attention(model)


def enable_gradient_checkpointing(language_model: Any) -> None:
    """Keep a block's inputs only, and compute what is in it again on the way back."""
    language_model.gradient_checkpointing_enable({"use_reentrant": False})


def training_arguments(config: TrainConfig, rows: Rows, *, folder: Path) -> TrainingArguments:
    """Our config in the Trainer's words."""
    batches, record = config.batches, config.record
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=max_steps(config, rows),
        num_train_epochs=config.duration.epochs if isinstance(config.duration, Epochs) else 1,
        per_device_train_batch_size=batches.batch_size,
        gradient_accumulation_steps=batches.gradient_accumulation_steps,
        learning_rate=config.optimizer.learning_rate,
        lr_scheduler_type=config.schedule.kind,
        warmup_steps=config.schedule.warmup_ratio,
        weight_decay=config.optimizer.weight_decay,
        max_grad_norm=config.optimizer.max_grad_norm,
        use_cpu=choose_device("auto") == "cpu",  # else bfloat16 is refused there
        bf16=config.precision.kind == "bfloat16",
        logging_steps=record.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=record.save_steps,
        save_total_limit=record.keep_checkpoints,
        seed=config.seed,
        data_seed=config.seed,
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to="none",
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
    """Tokens of the examples in an optimizer step, on average."""
    rows_per_step = config.batches.batch_size * config.batches.gradient_accumulation_steps
    return rows.n_tokens / max(1.0, len(rows) / rows_per_step)
