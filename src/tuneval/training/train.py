"""The verb: examples in, trained weights and their record out, resumable at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import transformers

from tuneval import __version__, files
from tuneval.data.example import Item
from tuneval.data.fingerprint import data_hash
from tuneval.errors import ModelError
from tuneval.models.load import LoadedModel, load_model
from tuneval.models.methods import attach, count_parameters
from tuneval.models.precision import choose_device
from tuneval.models.quiet import quiet_libraries
from tuneval.runs.events import Finished, Report, Saved, ignore
from tuneval.tokenization import Template
from tuneval.training.arguments import tokens_per_step
from tuneval.training.card import model_card, probed, taken
from tuneval.training.checkpoints import newest_complete
from tuneval.training.config import TrainConfig
from tuneval.training.frozen import frozen_body, remove_cache
from tuneval.training.guard import Guard
from tuneval.training.meter import Meter
from tuneval.training.micro_batches import out_of_memory_in_words
from tuneval.training.plots import plot_loss
from tuneval.training.preparation import (
    Prepared,
    prepare,
    refuse_checkpointing,
    refuse_too_long,
    template_of,
    weights_dtype,
)
from tuneval.training.probe import LOSS, HeldOut, held_out_of
from tuneval.training.progress import LOG_NAME, Progress
from tuneval.training.results import eval_results, train_results, write_results
from tuneval.training.saved import save_weights
from tuneval.training.trackers import tracked
from tuneval.training.trainer import Trainer, prepare_for_packing


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a finished training run came to. `weights` is the adapter or model folder.

    `held_out` is the probe's account; None where there was no probe. `flops` are those that the
    training did, see `training.flops`; memory and energy are None where nothing tells them.
    `halvings` counts how often memory ran out and micro-batches were halved.
    """

    weights: str
    kind: str
    steps: int
    train_loss: float
    seconds: float
    tokens_per_second: float
    trainable_parameters: int
    total_parameters: int
    template_hash: str
    data: dict[str, Any]
    held_out: HeldOut | None
    flops: float
    peak_memory_bytes: int | None
    energy_joules: float | None
    halvings: int

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def train(
    config: TrainConfig,
    *,
    model: str,
    examples: Sequence[Item],
    folder: Path,
    template: str = "auto",
    report: Report = ignore,
) -> TrainResult:
    """Train `model` on `examples` in `folder`, a run's; continues what a kill left there.

    The stage says which kind of items they are.

    Writes `adapter/` (or `model/`), `model_reference.json`, the checkpoints, the log, the result
    files and the loss curve. Raises DataError when no example can be trained on.
    """
    with quiet_libraries(), tracked(config.record.trackers, folder), out_of_memory_in_words():
        transformers.set_seed(config.seed)
        meter = Meter(torch.device(choose_device("auto")))
        loaded = load_model(
            model,
            dtype=weights_dtype(config),
            quantization=config.method.quantization,
            report=report,
        )
        shape = template_of(config, loaded.tokenizer, template)
        prepared = prepare(config, examples, shape, report=report)
        trainer = _trainer(config, loaded, prepared, meter, folder=folder, report=report)
        checkpoint = newest_complete(folder / "checkpoints", report=report)
        trainer.train_from(checkpoint)
        kind = save_weights(trainer.language_model, config.method, loaded, shape, folder)
        remove_cache(folder)
    result = _finish(config, trainer, prepared, folder=folder, kind=kind, template=shape)
    _write_card(config, result, model, folder=folder, data=data_hash(examples))
    report(Saved("train", result.weights))
    report(Finished("train", {"loss": result.train_loss, "seconds": result.seconds}))
    return result


def _trainer(
    config: TrainConfig,
    loaded: LoadedModel,
    prepared: Prepared,
    meter: Meter,
    *,
    folder: Path,
    report: Report,
) -> Trainer:
    refuse_checkpointing(config)
    if not prepare_for_packing(loaded.model):
        raise ModelError(
            "This model's attention cannot be kept inside each example of a packed row.",
            where=loaded.reference.text,
            mend="choose a model whose attention transformers lets be replaced",
        )
    model = attach(loaded.model, config.method, loaded.tokenizer)
    rows, held_out = prepared.rows, prepared.held_out_rows
    refuse_too_long(prepared, model)
    body = frozen_body(
        model, config, [*(held_out or ()), *rows], weights=loaded.hash, folder=folder, report=report
    )
    trainer = Trainer(
        model,
        config,
        rows,
        folder=folder / "checkpoints",
        held_out=held_out,
        body=body,
        base=loaded.hash,
        meter=meter,
        report=report,
    )
    per_step = tokens_per_step(config, rows)
    trainer.add_callback(Guard(folder, report=report))  # before Progress writes what is no number
    trainer.add_callback(Progress(folder, tokens_per_step=per_step, report=report))
    return trainer


def _finish(
    config: TrainConfig,
    trainer: Trainer,
    prepared: Prepared,
    *,
    folder: Path,
    kind: str,
    template: Template,
) -> TrainResult:
    """Write the result files and the loss curve from the log; the result."""
    log = files.read_jsonl(folder / LOG_NAME)
    held_out = _held_out(config, trainer, prepared, folder=folder, log=log)
    values = train_results(
        log,
        total_flos=trainer.state.total_flos,
        n_examples=len(prepared.train.tokens),
        steps=trainer.state.global_step,
        meter=trainer.meter,
    )
    write_results(folder, "train", values)
    trainer.state.save_to_json(str(folder / "trainer_state.json"))
    plot_loss(log, folder / "training_loss.png")
    trainable, total = count_parameters(trainer.language_model)
    return TrainResult(
        weights=kind,
        kind=config.method.kind,
        steps=trainer.state.global_step,
        train_loss=values["train_loss"],
        seconds=values["train_runtime"],
        tokens_per_second=values["effective_tokens_per_sec"],
        trainable_parameters=trainable,
        total_parameters=total,
        template_hash=template.hash,
        data=prepared.train.account(),
        held_out=held_out,
        flops=values["total_flos"],
        peak_memory_bytes=trainer.meter.peak_memory_bytes,
        energy_joules=trainer.meter.energy_joules,
        halvings=trainer.micro_batches.halvings,
    )


def _held_out(
    config: TrainConfig,
    trainer: Trainer,
    prepared: Prepared,
    *,
    folder: Path,
    log: list[dict[str, Any]],
) -> HeldOut | None:
    """What the probe came to, in `eval_results.json` and as a curve; None without one."""
    if config.evaluation is None:
        return None
    state = trainer.state
    held_out = held_out_of(
        state.log_history,
        kept_step=trainer.kept_step,
        max_steps=state.max_steps,
        examples=prepared.held_out.n_examples,
    )
    write_results(folder, "eval", eval_results(state.log_history, held_out))
    plot_loss(log, folder / "training_eval_loss.png", key=LOSS)
    return held_out


def _write_card(
    config: TrainConfig, result: TrainResult, base: str, *, folder: Path, data: str
) -> None:
    facts = {
        "base": base,
        "library": config.method.library if result.weights == "adapter" else "transformers",
        "method": result.kind,
        "name": folder.name,
        "version": __version__,
        "examples": result.data["examples"],
        "tokens": result.data["tokens"],
        "trained_tokens": result.data["trained_tokens"],
        "truncated": sum(result.data["truncated"].values()),
        "unusable": len(result.data["unusable"]),
        "trainable": result.trainable_parameters,
        "total": result.total_parameters,
        "share": result.trainable_parameters / result.total_parameters,
        "steps": result.steps,
        "loss": result.train_loss,
        "seconds": result.seconds,
        "probed": probed(result.held_out),
        "taken": taken(result.flops, result.peak_memory_bytes, result.energy_joules),
        "template_hash": result.template_hash,
        "data_hash": data,
    }
    files.write_text(
        folder / result.weights / "README.md", model_card(facts, config.model_dump(mode="json"))
    )
