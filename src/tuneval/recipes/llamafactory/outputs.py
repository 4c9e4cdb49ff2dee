"""The files of a run, laid where LLaMA-Factory's users look for them, under the names they know.

They are copies: what is done to them changes no run. A file that is there already as it is in the
run (its size and time of change tell) is not copied again.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.errors import RunError, UsageError
from tuneval.evaluation.evaluate import PREDICTIONS_NAME, RUNTIME_NAME
from tuneval.evaluation.metrics import TEXT_METRICS
from tuneval.evaluation.metrics.likelihood import PERPLEXITY, SAMPLE_MEAN
from tuneval.evaluation.record import EvaluationResult
from tuneval.models.reference import TRAINED_NOTE
from tuneval.recipes.llamafactory.translation import Result
from tuneval.training.saved import ORIGIN_NOTE

NOTE = "tuneval_import.json"
"""Says whose files lie in an output folder."""
ARGUMENTS = "training_args.bin"
ALL_RESULTS = "all_results.json"
RESULT_FILES = (
    *("trainer_log.jsonl", "trainer_state.json", "train_results.json", "eval_results.json"),
    *("training_loss.png", "training_eval_loss.png"),
)
_TELLING = (
    *("adapter_config.json", "adapter_model.*", "config.json", "generation_config.json"),
    *("model.safetensors*", "model-*.safetensors", "pytorch_model*.bin*", "training_eval_loss.png"),
)
"""What an earlier training left that would pass for a part of this one: a folder with an adapter's
config is loaded as an adapter."""


def claim(folder: Path, key: str, *, overwrite: bool, joined: Collection[str] = ()) -> None:
    """Take an output folder for the work of this key. UsageError when it has other files.

    An import that failed before it laid anything leaves its note and the `joined` files alone:
    they do not keep the mended one out.
    """
    note = folder / NOTE
    if note.is_file() and files.read_json(note).get("key") == key:
        return
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not overwrite and names - ({NOTE, *joined} if NOTE in names else set()):
        raise UsageError(
            "The output folder is not empty.",
            where=str(folder),
            mend="choose another output_dir, or add overwrite_output_dir",
        )
    files.write_json(note, {"key": key})


def lay_training(run: Path, folder: Path) -> None:
    """Weights, card, tokenizer, results, loss curve and checkpoints of a finished training.

    A checkpoint's adapter can be named as any other: it gets the note on its base, which says
    whether that was quantised.
    """
    checkpoints = sorted(
        (run / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])
    )
    if not checkpoints:
        raise RunError(
            "The run has no checkpoint left.", where=str(run), mend="train it again: --fresh"
        )
    kept = {checkpoint.name for checkpoint in checkpoints}
    for other in folder.glob("checkpoint-*"):
        if other.name not in kept:
            shutil.rmtree(other)
    weights = run / str(files.read_json(run / TRAINED_NOTE)["kind"])
    sources = {path.name: path for path in weights.iterdir()}
    sources |= {name: run / name for name in RESULT_FILES if (run / name).is_file()}
    sources[ARGUMENTS] = checkpoints[-1] / ARGUMENTS
    for pattern in _TELLING:
        for other in folder.glob(pattern):
            if other.name not in sources:
                other.unlink()
    for name, source in sources.items():
        _copy(source, folder / name)
    _add_results(run / ALL_RESULTS, folder / ALL_RESULTS)
    for checkpoint in checkpoints:
        for source in _files_in(checkpoint):
            _copy(source, folder / checkpoint.name / source.relative_to(checkpoint))
        if (checkpoint / "adapter_config.json").is_file():
            _copy(weights / ORIGIN_NOTE, folder / checkpoint.name / ORIGIN_NOTE)


def lay_evaluation(
    evaluation: Path, folder: Path, results: Collection[Result], *, accuracy: bool
) -> None:
    """The results that were asked for of a finished evaluation, and its predictions."""
    from tuneval.training.results import write_results

    found = EvaluationResult.load(evaluation)
    if "eval" in results:
        write_results(folder, "eval", eval_results(found, accuracy=accuracy))
    if "predict" in results:
        _copy(evaluation / PREDICTIONS_NAME, folder / PREDICTIONS_NAME)
        write_results(folder, "predict", files.read_json(evaluation / RUNTIME_NAME))


def eval_results(found: EvaluationResult, *, accuracy: bool) -> dict[str, Any]:
    """`eval_results.json`: the loss in nats per response token, and the metrics of answers.

    A step is one item. `accuracy` adds the mean share of response tokens that are right.
    """
    seconds = sum(found.seconds.values())
    values = {name: m.estimate.value for name, m in found.metrics.items() if m.estimate is not None}
    results: dict[str, Any] = {
        f"eval_{name}": round(values[name], 4) for name in TEXT_METRICS if name in values
    }
    if PERPLEXITY in values:
        results["eval_loss"] = math.log(values[PERPLEXITY])
    if accuracy and SAMPLE_MEAN in values:
        results["eval_accuracy"] = values[SAMPLE_MEAN]
    results["eval_runtime"] = round(seconds, 4)
    if seconds > 0:
        speed = round(found.n_items / seconds, 3)
        results |= {"eval_samples_per_second": speed, "eval_steps_per_second": speed}
    return results


def _add_results(source: Path, target: Path) -> None:
    """Put results beside those of other commands that are there."""
    there = files.read_json(target) if target.is_file() else {}
    together = dict(sorted({**there, **files.read_json(source)}.items()))
    if together != there:
        files.write_json(target, together)


def _files_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _copy(source: Path, target: Path) -> None:
    """The file, whole or not at all, with its time of change."""
    status = source.stat()
    if target.is_file():
        there = target.stat()
        if (there.st_size, there.st_mtime_ns) == (status.st_size, status.st_mtime_ns):
            return
    with files.open_bytes(source) as file, files.atomic_writer(target) as copy:
        shutil.copyfileobj(file, copy)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
