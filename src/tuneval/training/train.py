"""The verb: examples in, trained weights and their record out, resumable at any moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import transformers

from tuneval import __version__, files
from tuneval.data.example import Example
from tuneval.data.fingerprint import data_hash
from tuneval.errors import DataError, ModelError, UsageError
from tuneval.models.load import LoadedModel, load_model
from tuneval.models.methods import attach, count_parameters
from tuneval.models.precision import Precision
from tuneval.models.quiet import quiet_libraries
from tuneval.runs.events import Finished, Report, Saved, Warned, ignore
from tuneval.tokenization import EncodedSet, Template, load_template
from tuneval.training.batches import Rows, make_rows
from tuneval.training.card import model_card
from tuneval.training.checkpoints import newest_complete
from tuneval.training.config import TrainConfig
from tuneval.training.plots import plot_loss
from tuneval.training.progress import LOG_NAME, Progress
from tuneval.training.results import train_results, write_results
from tuneval.training.saved import save_weights
from tuneval.training.stages import STAGES
from tuneval.training.trainer import Trainer, prepare_for_packing, tokens_per_step


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a finished training run came to. `weights` is the adapter or model folder."""

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

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def train(
    config: TrainConfig,
    *,
    model: str,
    examples: Sequence[Example],
    folder: Path,
    template: str = "auto",
    report: Report = ignore,
) -> TrainResult:
    """Train `model` on `examples` in `folder`, a run's; continues what a kill left there.

    Writes `adapter/` (or `model/`), `model_reference.json`, the checkpoints, the log, the result
    files and the loss curve. Raises DataError when no example can be trained on.
    """
    with quiet_libraries():
        transformers.set_seed(config.seed)
        loaded = load_model(model, dtype=_weights_dtype(config), report=report)
        shape = load_template(loaded.tokenizer, template)
        batches = config.batches
        encoded = STAGES.load(config.stage).encode(examples, shape, batches.max_length)
        _account_for(encoded, report)
        rows = make_rows(encoded.tokens, max_length=batches.max_length, packing=batches.packing)
        trainer = _trainer(config, loaded, rows, folder=folder, report=report)
        checkpoint = newest_complete(folder / "checkpoints", report=report)
        trainer.train_from(checkpoint)
        kind = save_weights(trainer.language_model, config.method, loaded, shape, folder)
    result = _finish(config, trainer, encoded, folder=folder, kind=kind, template=shape)
    _write_card(config, result, model, folder=folder, data=data_hash(examples))
    report(Saved("train", result.weights))
    report(Finished("train", {"loss": result.train_loss, "seconds": result.seconds}))
    return result


def _weights_dtype(config: TrainConfig) -> Precision:
    """Trained weights stay float32 whatever the arithmetic; peft keeps its own so by itself."""
    return "float32" if config.method.saved_as == "model" else config.precision.kind


def _trainer(
    config: TrainConfig, loaded: LoadedModel, rows: Rows, *, folder: Path, report: Report
) -> Trainer:
    _refuse_checkpointing(config)
    if not prepare_for_packing(loaded.model):
        raise ModelError(
            "This model's attention cannot be kept inside each example of a packed row.",
            where=loaded.reference.text,
            mend="choose a model whose attention transformers lets be replaced",
        )
    model = attach(loaded.model, config.method, loaded.tokenizer)
    trainer = Trainer(model, config, rows, folder=folder / "checkpoints")
    per_step = tokens_per_step(config, rows)
    trainer.add_callback(Progress(folder, tokens_per_step=per_step, report=report))
    return trainer


def _refuse_checkpointing(config: TrainConfig) -> None:
    if config.precision.gradient_checkpointing and config.method.cannot_checkpoint:
        raise UsageError(
            f"{config.method.kind} cannot use gradient checkpointing: "
            f"{config.method.cannot_checkpoint}.",
            where="precision.gradient_checkpointing",
            mend="leave it out, and lower batches.batch_size or batches.max_length instead",
        )


def _account_for(encoded: EncodedSet, report: Report) -> None:
    """Say what was lost on the way to tokens; nothing left is an error."""
    if not encoded.tokens:
        reasons = sorted({reason for _, _, reason in encoded.unusable})
        raise DataError(
            "No example can be trained on.",
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


def _finish(
    config: TrainConfig,
    trainer: Trainer,
    encoded: EncodedSet,
    *,
    folder: Path,
    kind: str,
    template: Template,
) -> TrainResult:
    """Write the result files and the loss curve from the log; the result."""
    log = files.read_jsonl(folder / LOG_NAME)
    values = train_results(
        log,
        total_flos=trainer.state.total_flos,
        n_examples=len(encoded.tokens),
        steps=trainer.state.global_step,
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
        data=encoded.account(),
    )


def _write_card(
    config: TrainConfig, result: TrainResult, base: str, *, folder: Path, data: str
) -> None:
    facts = {
        "base": base,
        "library": "peft" if result.weights == "adapter" else "transformers",
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
        "template_hash": result.template_hash,
        "data_hash": data,
    }
    files.write_text(
        folder / result.weights / "README.md", model_card(facts, config.model_dump(mode="json"))
    )
