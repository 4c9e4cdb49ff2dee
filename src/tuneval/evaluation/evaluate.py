"""The verb: a model and examples in, graded answers and estimates out, resumable at any moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneval import __version__, files
from tuneval.data.example import Example
from tuneval.data.fingerprint import data_hash
from tuneval.errors import DataError, RunError, UsageError
from tuneval.evaluation.account import account_for, clusters_of
from tuneval.evaluation.answering import generated, teacher_forced
from tuneval.evaluation.answering.kept import ELAPSED, Kept
from tuneval.evaluation.asking.answered import taken_by
from tuneval.evaluation.asking.trained import train_seconds
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.grade import grade
from tuneval.evaluation.items import Item, TeacherForced, write_items
from tuneval.evaluation.metrics import TEXT_METRICS
from tuneval.evaluation.metrics.likelihood import TEACHER_FORCED
from tuneval.evaluation.prepare import Prepared, prepare
from tuneval.evaluation.record import RESULT_NAME, EvaluationResult
from tuneval.runs.events import Finished, Report, Saved, Started, Step, Warned, ignore
from tuneval.tokenization import Template, load_template

if TYPE_CHECKING:
    from tuneval.models.load import LoadedModel

__all__ = ["EvaluateConfig", "EvaluationResult", "evaluate"]

LIKELIHOOD_NAME = "teacher_forced.jsonl"
PREDICTIONS_NAME = "generated_predictions.jsonl"
RUNTIME_NAME = "predict_results.json"
SETTINGS_NAME = "settings.json"
DRAWN_BY = ("temperature", "top_p", "seed")


def evaluate(
    config: EvaluateConfig,
    *,
    model: str = "",
    loaded: LoadedModel | None = None,
    adapter: str | None = None,
    examples: Sequence[Example],
    folder: Path,
    name: str,
    template: str = "auto",
    report: Report = ignore,
) -> EvaluationResult:
    """Evaluate `model` (or one that is `loaded`) on `examples` in `folder`.

    Goes on where a kill stopped it; a finished evaluation of the same work is given back, and
    one that only asks for other metrics grades the answers that are there. Raises DataError
    when there is no example, RunError when the folder holds another evaluation.
    """
    _refuse_what_is_of_tasks(config)
    if not examples:
        raise DataError("There is no example to evaluate on.", mend="give a file with examples")
    with files.lock(folder / ".lock", timeout_seconds=1.0):
        if loaded is None:
            from tuneval.models.load import load_model

            loaded = load_model(model, adapter=adapter, dtype=config.precision, report=report)
        work = _Work(
            config=config,
            loaded=loaded,
            template=load_template(loaded.tokenizer, template),
            examples=examples,
            folder=folder,
            name=name,
            report=report,
        )
        return work.finished() or work.carry_out()


def _refuse_what_is_of_tasks(config: EvaluateConfig) -> None:
    """Settings that would do nothing here, and would be thought to have done something."""
    usual = EvaluateConfig()
    for name in ("shot_seed", "engine", "workers", "perturbations"):
        if getattr(config, name) != getattr(usual, name):
            raise UsageError(
                f"{name} is a setting of tasks; the examples of a file are asked as they are.",
                mend="leave it out, or make a task of the file: --task generation=FILE",
            )


@dataclass(frozen=True, slots=True)
class _Work:
    """One evaluation in its folder."""

    config: EvaluateConfig
    loaded: LoadedModel
    template: Template
    examples: Sequence[Example]
    folder: Path
    name: str
    report: Report

    @property
    def settings(self) -> dict[str, Any]:
        """All that the answers depend on, by content: a folder may be moved."""
        settings = {
            "model_hash": self.loaded.hash,
            "template_hash": self.template.hash,
            "data_hash": data_hash(self.examples),
            "max_length": self.config.max_length,
            "precision": self.config.precision,
        }
        if self.config.generate:
            settings["max_new_tokens"] = self.config.max_new_tokens
        if self.config.generate and self.config.temperature > 0:
            settings |= {name: getattr(self.config, name) for name in DRAWN_BY}
        return settings

    @property
    def key(self) -> str:
        """Hash of all that the result depends on."""
        about = [[e.id, str(e.source), e.group, dict(e.tags)] for e in self.examples]
        return files.sha256_json([self.name, self.settings, self.config.settings(), about])

    def finished(self) -> EvaluationResult | None:
        """The result when just this work is done already."""
        if not (self.folder / RESULT_NAME).is_file():
            return None
        result = EvaluationResult.load(self.folder)
        return result if result.key == self.key else None

    def carry_out(self) -> EvaluationResult:
        """Obtain what is missing, grade everything, write everything; the result."""
        from tuneval.models.forward import longest_input

        self._claim()
        ready = prepare(
            self.examples, self.template, self.config, longest=longest_input(self.loaded.model)
        )
        self._warn(ready)
        measured = Kept(self.folder / LIKELIHOOD_NAME, wanted=ready.tokens.keys())
        answered = Kept(self.folder / PREDICTIONS_NAME, wanted=ready.prompts.keys())
        teacher_forced.measure(
            self.loaded.model,
            ready.tokens,
            kept=measured,
            token_budget=self.config.token_budget,
            batch_size=self.config.batch_size,
            stage=f"{self.name}: likelihood",
            report=self.report,
        )
        seconds = {"likelihood": measured.seconds}
        if self.config.generate:
            self._answer(ready, answered)
            seconds["answers"] = self._answer_seconds(answered)
        items = _with_answers(ready.items(), measured, answered, of_model=self._of_model())
        items = grade(items, [*TEACHER_FORCED, *self.config.graded_metrics])
        result = self._result(items, ready, seconds)
        self._write(items, answered, result)
        return result

    def _answer(self, ready: Prepared, answered: Kept) -> None:
        """Let the model answer what it has not answered yet; each row says what it took."""
        from tuneval.evaluation.answering.local import measure_of

        answered.measure = measure_of(self.loaded.model)
        generated.answer(
            self.loaded,
            ready.prompts,
            ready.labels,
            stop_ids=self.template.stop_ids,
            kept=answered,
            max_new_tokens=self.config.max_new_tokens,
            token_budget=self.config.token_budget,
            batch_size=self.config.batch_size,
            temperature=self.config.temperature,
            top_p=self.config.top_p,
            seed=self.config.seed,
            stage=f"{self.name}: answers",
            report=self.report,
        )

    def _of_model(self) -> dict[str, float]:
        """What is known of the model itself, for every item."""
        seconds = train_seconds(self.loaded.reference.text, self.loaded.adapter)
        return {} if seconds is None else {"train_seconds": seconds}

    def _claim(self) -> None:
        """Take the folder for this work. Raises RunError when it holds other answers."""
        path = self.folder / SETTINGS_NAME
        there = files.read_json(path) if path.exists() else {}
        differing = [k for k, v in self.settings.items() if there.get(k, v) != v]
        if differing:
            raise RunError(
                f"This folder holds another evaluation: its {differing[0].replace('_', ' ')} is "
                f"{there.get(differing[0])!r}, not {self.settings[differing[0]]!r}.",
                where=str(self.folder),
                mend="choose another name or folder, or remove this one",
            )
        files.write_json(path, there | self.settings)

    def _warn(self, ready: Prepared) -> None:
        """Say what is left out or cut; `result.json` counts it."""
        stage = f"evaluate {self.name}"
        for way in ("teacher_forced", "generated"):
            for reason, count in ready.reasons(way).items():
                self.report(Warned(stage, f"{count} items are left out ({way}): {reason}"))
        if ready.duplicates:
            self.report(Warned(stage, f"{ready.duplicates} examples stand twice; evaluated once"))
        if ready.truncated:
            self.report(Warned(stage, f"{ready.truncated} items are cut to max_length"))
        if ready.short_of_room:
            said = f"{ready.short_of_room} prompts leave less room than max_new_tokens"
            self.report(Warned(stage, said))

    def _answer_seconds(self, answered: Kept) -> float:
        """From the answers as they came, or from an earlier start that had finished them."""
        path = self.folder / RUNTIME_NAME
        if answered.seconds == 0 and path.exists():
            return float(files.read_json(path).get("predict_runtime", 0.0))
        return answered.seconds

    def _result(
        self, items: Sequence[Item], ready: Prepared, seconds: dict[str, float]
    ) -> EvaluationResult:
        names = [*TEACHER_FORCED, *self.config.graded_metrics]
        stage = f"{self.name}: statistics"
        self.report(Started(stage, len(names), "metrics"))
        metrics = {}
        for number, name in enumerate(names, start=1):
            metrics[name] = account_for(items, name, seed=self.config.seed)
            self.report(Step(stage, number, len(names)))
        self.report(Finished(stage))
        return EvaluationResult(
            name=self.name,
            model=self.loaded.reference.text,
            model_hash=self.loaded.hash,
            adapter=self.loaded.adapter,
            template=self.template.name,
            template_hash=self.template.hash,
            data_hash=data_hash(self.examples),
            n_items=len(items),
            metrics=metrics,
            counts=_counts(items, ready, len(self.examples)),
            skipped={way: ready.reasons(way) for way in ("teacher_forced", "generated")},
            seconds=seconds,
            config=self.config.settings(),
            key=self.key,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            version=__version__,
        )

    def _write(self, items: Sequence[Item], answered: Kept, result: EvaluationResult) -> None:
        """Every file whole; `result.json` last."""
        write_items(self.folder, items)
        if self.config.generate:
            files.write_json(self.folder / RUNTIME_NAME, _predict_results(result))
            rows = []
            for item in items:
                if item.id in answered:
                    row = {k: v for k, v in answered.rows[item.id].items() if k != ELAPSED}
                    rows.append(row | {"scores": dict(item.grades)})
            files.write_jsonl(self.folder / PREDICTIONS_NAME, rows)
        result.save(self.folder)
        self.report(Saved(f"evaluate {self.name}", str(self.folder)))


def _with_answers(
    items: Sequence[Item], measured: Kept, answered: Kept, *, of_model: Mapping[str, float]
) -> list[Item]:
    fields = TeacherForced.__dataclass_fields__
    filled = []
    for item in items:
        item = replace(item, fields=of_model)
        forced, said = measured.rows.get(item.id), answered.rows.get(item.id)
        if forced is not None:
            item = replace(item, teacher_forced=TeacherForced(**{k: forced[k] for k in fields}))
        if said is not None:
            item = replace(
                item,
                predict=said["predict"],
                finish_reason=said["finish_reason"],
                n_tokens=said["n_tokens"],
                fields={**of_model, **taken_by(said)},
            )
        filled.append(item)
    return filled


def _counts(items: Sequence[Item], ready: Prepared, n_examples: int) -> dict[str, int]:
    forced = [item.teacher_forced for item in items if item.teacher_forced is not None]
    agreeing = sum(t.n_correct == t.n_correct_aligned for t in forced)
    clusters = clusters_of(items)
    return {
        "examples": n_examples,
        "duplicates": ready.duplicates,
        "items": len(items),
        "independent_groups": len(items) if clusters is None else _n_clusters(clusters),
        "teacher_forced": len(forced),
        "response_tokens": sum(t.n_tokens for t in forced),
        "prompt_tokens_compared_by_mistake": sum(t.n_whole - t.n_tokens for t in forced),
        "alignment_agrees": agreeing,
        "alignment_differs": len(forced) - agreeing,
        "generated": sum(item.predict is not None for item in items),
        "cut_by_length": sum(item.finish_reason == "length" for item in items),
        "truncated": ready.truncated,
        "short_of_room": ready.short_of_room,
    }


def _n_clusters(clusters: Sequence[object]) -> int:
    return len({c for c in clusters if c is not None}) + sum(c is None for c in clusters)


def _predict_results(result: EvaluationResult) -> dict[str, float]:
    """LLaMA-Factory's keys; a step is one item."""
    seconds = result.seconds["answers"]
    values = {
        f"predict_{name}": round(found.estimate.value, 4)
        for name in TEXT_METRICS
        if (found := result.metrics.get(name)) is not None and found.estimate is not None
    }
    values["predict_runtime"] = round(seconds, 4)
    if seconds > 0:
        speed = round(result.counts["generated"] / seconds, 3)
        values |= {"predict_samples_per_second": speed, "predict_steps_per_second": speed}
    return dict(sorted(values.items()))
