"""transformers' Trainer with our batches, our loss and complete-or-absent checkpoints."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer import TRAINER_STATE_NAME

from tuneval.errors import StorageError
from tuneval.models.packed_attention import use_packed_attention
from tuneval.models.precision import choose_device
from tuneval.training.batches import Collate, EpochSampler, Rows
from tuneval.training.checkpoints import seal
from tuneval.training.config import Steps, TrainConfig

LITTLE_SPACE_BYTES = 16 * 2**20
"""Less than this is called a full disk when a write fails."""


class SftTrainer(Trainer):
    """Loss over the labelled positions only, weighted by tokens over the accumulated batch.

    The output head runs at the labelled positions and nowhere else.
    """

    def __init__(
        self, model: PreTrainedModel, config: TrainConfig, rows: Rows, *, folder: Path
    ) -> None:
        self.config = config
        self.rows = rows
        super().__init__(
            model=model,
            args=training_arguments(config, folder=folder),
            train_dataset=rows,
            data_collator=Collate(share_prefix=config.share_prefix),
        )
        self.model_accepts_loss_kwargs = True  # num_items_in_batch counts over the whole step
        self.remove_callback(PrinterCallback)

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
        labels = inputs["labels"][0]
        outputs = model(
            input_ids=inputs["input_ids"],
            position_ids=inputs["position_ids"],
            layout=inputs["layout"],
            logits_to_keep=inputs["target_positions"],
            use_cache=False,
        )
        total = F.cross_entropy(outputs.logits[0].float(), labels, reduction="sum")
        loss = total / (labels.numel() if num_items_in_batch is None else num_items_in_batch)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            loss = loss * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

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


def training_arguments(config: TrainConfig, *, folder: Path) -> TrainingArguments:
    """Our config in the Trainer's words."""
    duration = config.duration
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=duration.steps if isinstance(duration, Steps) else -1,
        num_train_epochs=1 if isinstance(duration, Steps) else duration.epochs,
        per_device_train_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation_steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.lr_scheduler_type,
        warmup_steps=config.warmup_ratio,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        use_cpu=choose_device("auto") == "cpu",  # else bfloat16 is refused there
        bf16=config.precision == "bfloat16",
        activation_checkpointing=config.gradient_checkpointing,
        logging_steps=config.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.save_steps,
        save_total_limit=config.keep_checkpoints,
        seed=config.seed,
        data_seed=config.seed,
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_pin_memory=torch.cuda.is_available(),
        report_to="none",
        disable_tqdm=True,
    )
