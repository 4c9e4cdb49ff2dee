"""transformers' Trainer with our batches, our loss and complete-or-absent checkpoints."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import PreTrainedModel, PrinterCallback, TrainerState
from transformers import Trainer as TransformersTrainer
from transformers.trainer import TRAINER_STATE_NAME, TRAINING_ARGS_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, EvalLoopOutput

from tuneval import files
from tuneval.errors import StorageError
from tuneval.models import methods
from tuneval.models.forward import core_model
from tuneval.models.packed_attention import use_packed_attention
from tuneval.runs.events import Report, ignore
from tuneval.training.arguments import training_arguments
from tuneval.training.batches import Collate, EpochSampler, Row, Rows
from tuneval.training.body import Body
from tuneval.training.checkpoints import seal
from tuneval.training.compilation import compile_blocks
from tuneval.training.config import TrainConfig
from tuneval.training.flops import FlopCount
from tuneval.training.loss import NextTokenLoss
from tuneval.training.meter import Meter
from tuneval.training.micro_batches import MicroBatches
from tuneval.training.probe import keeps_best, mean_loss, stopping
from tuneval.training.read_ahead import ReadAhead
from tuneval.training.trained_state import load_state, save_state

LITTLE_SPACE_BYTES = 16 * 2**20
"""Less than this is called a full disk when a write fails."""
MEASURED_NAME = "measured.json"
"""What a checkpoint says of the training until then: see `Meter` and `MicroBatches`."""


class Trainer(TransformersTrainer):
    """Loss over the labelled positions only, weighted by tokens over the accumulated batch.

    `language_model` has its method attached, and packed attention. `held_out` are the probe's rows,
    `body` is another way through the model than its own. `base` is the hash of the model as it was
    loaded; checkpoints of another one are refused.
    """

    def __init__(
        self,
        language_model: Any,
        config: TrainConfig,
        rows: Rows,
        *,
        folder: Path,
        held_out: Rows | None = None,
        body: Body | None = None,
        base: str = "",
        meter: Meter | None = None,
        report: Report = ignore,
    ) -> None:
        self.config = config
        self.rows = rows
        self.base = base
        if config.precision.gradient_checkpointing:
            enable_gradient_checkpointing(language_model)
        super().__init__(
            model=NextTokenLoss(language_model, body),
            args=training_arguments(config, rows, folder=folder),
            train_dataset=rows,
            eval_dataset=held_out,
            data_collator=Collate(share_prefix=config.batches.share_prefix),
        )
        self.model_accepts_loss_kwargs = True  # num_items_in_batch counts over the whole step
        self.remove_callback(PrinterCallback)
        for callback in stopping(config.evaluation):
            self.add_callback(callback)
        self.micro_batches = MicroBatches(self.data_collator, report=report)
        self.meter = Meter(self.args.device) if meter is None else meter
        self.add_callback(self.meter)
        self.flops = self._flop_count()
        self._ahead: ReadAhead | None = None
        if config.precision.compile:
            compile_blocks(language_model)

    @property
    def language_model(self) -> Any:
        """The model with its method attached."""
        return self.model.language_model

    def train_from(self, checkpoint: Path | None) -> None:
        """Train to the end, from `checkpoint` where there is one; then put the best weights back.

        One that is the end already is only loaded: the Trainer itself would take a step too many.
        """
        if checkpoint is None:
            self._train(None)
        elif is_over(state := TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))):
            self._load_from_checkpoint(str(checkpoint))
            self.state = state
        else:
            self._train(checkpoint)
        if self.kept_step != self.state.global_step:
            best = self._checkpoint_folder(self.kept_step)
            load_state(self.language_model, best, base=self.base)

    def _train(self, checkpoint: Path | None) -> None:
        try:
            self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        finally:
            self._stop_reading_ahead()

    @property
    def kept_step(self) -> int:
        """The optimizer step whose weights a finished training ends with."""
        best = self.state.best_global_step if keeps_best(self.config.evaluation) else None
        return int(best or self.state.global_step)

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

    def get_batch_samples(
        self, epoch_iterator: Any, num_batches: int, device: torch.device
    ) -> tuple[list[Any], Any]:
        """The micro-batches of an optimizer step; those of the next are made meanwhile."""
        if self._ahead is None or not self._ahead.reads(epoch_iterator):
            self._stop_reading_ahead()
            self._ahead = ReadAhead(epoch_iterator, self.args.gradient_accumulation_steps)
        return super().get_batch_samples(self._ahead, num_batches, device)

    def _stop_reading_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.close()

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """A micro-batch forward and backward, in pieces where memory asks for it."""
        self.flops.begin()
        step = super().training_step
        if self.accelerator.num_processes > 1:
            # The others wait for the gradients of one pass; a process cannot take more by itself.
            return step(model, inputs, num_items_in_batch)
        loss = self.micro_batches.take(
            inputs,
            run=lambda piece: step(model, piece, num_items_in_batch),
            drop_gradients=model.zero_grad,
        )
        if self.accelerator.sync_gradients:
            self.micro_batches.begin_step()
        return loss

    def floating_point_ops(self, inputs: dict[str, Any]) -> float:
        """Those of the micro-batch that was trained last."""
        return self.flops.take(inputs)

    def _flop_count(self) -> FlopCount:
        """Learnt from the shortest example."""
        document = min((d for row in self.rows.rows for d in row.documents), key=len)
        sample = self._prepare_inputs(Collate()([Row((document,))]))
        with self.compute_loss_context_manager():
            return FlopCount(self.language_model, sample)

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
        save_state(self.language_model, folder, base=self.base)
        if self.config.method.saved_as == "adapter":
            methods.save(self.language_model, self.config.method, folder)
        torch.save(self.args, folder / TRAINING_ARGS_NAME)
        measured = {"meter": self.meter.as_dict(), "micro_batches": self.micro_batches.as_dict()}
        files.write_json(folder / MEASURED_NAME, measured)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        folder = Path(resume_from_checkpoint)
        load_state(self.language_model, folder, base=self.base)
        measured = files.read_json(folder / MEASURED_NAME)
        self.meter.restore(measured["meter"])
        self.micro_batches.restore(measured["micro_batches"])

    def evaluation_loop(
        self, dataloader: Any, *_: Any, metric_key_prefix: str = "eval", **__: Any
    ) -> EvalLoopOutput:
        """The mean over all held-out tokens; the Trainer's own is one over micro-batches."""
        with self.compute_loss_context_manager():
            loss = mean_loss(self.model, map(self._prepare_inputs, dataloader))
        found = {f"{metric_key_prefix}_loss": loss}
        n_examples = sum(len(row.documents) for row in dataloader.dataset)
        return EvalLoopOutput(None, None, found, n_examples)

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        """Whether the loss is a new best; such weights are saved, and those training stops at."""
        is_best = bool(super()._determine_best_metric(metrics, trial))
        if (is_best and keeps_best(self.config.evaluation)) or self.control.should_training_stop:
            self.control.should_save = True
        return is_best

    def _checkpoint_folder(self, step: int) -> Path:
        return Path(str(self.args.output_dir)) / f"{PREFIX_CHECKPOINT_DIR}-{step}"

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """Save, then seal; a checkpoint that could not be finished is taken away."""
        folder = self._checkpoint_folder(self.state.global_step)
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


def is_over(state: TrainerState) -> bool:
    """Whether the training that left this state had come to its end, or been stopped early."""
    control = state.stateful_callbacks.get("TrainerControl", {})
    stopped = control.get("args", {}).get("should_training_stop", False)
    return bool(state.global_step >= state.max_steps or stopped)


def prepare_for_packing(model: PreTrainedModel) -> bool:
    """Switch to packed attention and labelled-positions-only logits; False when not possible."""
    accepts = inspect.signature(model.forward).parameters
    return "logits_to_keep" in accepts and use_packed_attention(model)


def enable_gradient_checkpointing(language_model: Any) -> None:
    """Keep a block's inputs only, and compute what is in it again on the way back."""
    language_model.activation_checkpointing_enable({"use_reentrant": False})
    # Only the reentrant kind needs gradients of the embeddings; frozen layers would go back too.
    core_model(language_model).disable_input_require_grads()
