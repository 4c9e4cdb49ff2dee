"""Repeated runs on the disk, put together by what they are runs of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.errors import RunError, UsageError
from tuneval.evaluation.comparing.compare import model_text
from tuneval.evaluation.comparing.compare_several import renamed
from tuneval.evaluation.comparing.comparison import TAKEN_OVER, Evaluation
from tuneval.evaluation.own_file import evaluations_of, find_evaluation
from tuneval.evaluation.record import RESULT_NAME, EvaluationResult
from tuneval.evaluation.stability.acting import found_idle
from tuneval.evaluation.stability.differ import environment_of
from tuneval.evaluation.stability.repeats import FIELDS, MARK, source_of
from tuneval.runs.find import find_run

_REPEAT = "runs"
"""What repeated runs are called that differ in nothing that was asked, or in several things."""


@dataclass(frozen=True, slots=True)
class RepeatedRuns:
    """Runs of one evaluation that differ by one source, by the label of each.

    `environments` has what each ran on, where that was kept.
    """

    name: str
    model: str
    source: str
    runs: Mapping[str, Evaluation]
    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def idle(self) -> str | None:
        """Why the source could not change an answer; None where it could."""
        return found_idle(run.result for run in self.runs.values())


def find_repeats(texts: Sequence[str], root: files.Location | None = None) -> list[RepeatedRuns]:
    """The repeated runs among evaluations and runs: a run stands for all evaluations in it.

    Those that `--repeats` made know their source by their name, as `gsm8k@seed-18`. Others of
    one name and model are taken together; their source is what their settings differ in. Raises
    UsageError where nothing was repeated.
    """
    folders = _distinct(folder for text in texts for folder in _folders(text, root))
    labelled: dict[tuple[str, str, str], list[tuple[str, Path]]] = {}
    others: dict[tuple[str, str], list[Path]] = {}
    for folder in folders:
        evaluation = Evaluation.load(folder)
        name, source, label = source_of(folder.name)
        model = model_text(evaluation.result)
        if source is not None and label is not None:
            labelled.setdefault((name, model, source), []).append((label, folder))
        else:
            others.setdefault((name, model), []).append(folder)
    found = [
        _gathered(name, model, source, rows) for (name, model, source), rows in labelled.items()
    ]
    found += [_unlabelled(name, model, rows) for (name, model), rows in others.items()]
    repeated = [each for each in found if len(each.runs) > 1]
    if not repeated:
        raise UsageError(
            "None of these evaluations was repeated.",
            where=", ".join(f"{each.name} of {each.model}" for each in found[:5]),
            mend="repeat one with `tuneval evaluate … --repeats 5`, or name several runs of it; "
            "what one run took over from another is the same answers (--no-cache asks again)",
        )
    return repeated


def repeats_among(
    evaluations: Mapping[str, Mapping[str, Evaluation]],
) -> list[RepeatedRuns]:
    """The repeated runs among evaluations of one run by model and title: those `--repeats` made."""
    found: dict[tuple[str, str, str], dict[str, Evaluation]] = {}
    for model, of_model in evaluations.items():
        for title, evaluation in of_model.items():
            name, source, label = source_of(title)
            if source is not None and label is not None:
                found.setdefault((name, model, source), {})[label] = renamed(evaluation, label)
    return [RepeatedRuns(*key, runs) for key, runs in found.items() if len(runs) > 1]


def _distinct(folders: Iterable[Path]) -> list[Path]:
    """The folders, without those taken over from another of them: the same answers, no repeat."""
    results = {folder: EvaluationResult.load(folder) for folder in folders}
    copies = {
        folder
        for folder, result in results.items()
        if any(note.startswith(TAKEN_OVER) for note in result.notes)
    }
    answered = {(r.key, r.created) for folder, r in results.items() if folder not in copies}
    found = []
    for folder, result in results.items():
        if folder in copies:
            if (result.key, result.created) in answered:
                continue
            answered.add((result.key, result.created))
        found.append(folder)
    return found


def _folders(text: str, root: files.Location | None) -> list[Path]:
    """The evaluation that `text` means, or all of the run or folder that it means."""
    place = Path(text)
    if (place / RESULT_NAME).is_file() or (":" in text and not place.is_dir()):
        return [find_evaluation(text, root)]
    if place.is_dir() and not (place / "run.json").is_file():
        found = sorted(path.parent for path in place.rglob(RESULT_NAME))
    else:
        run = find_run(text, root)
        place, found = run.folder, list(evaluations_of(run).values())
    if not found:
        raise RunError(
            "There is no finished evaluation here.",
            where=str(place),
            mend="run it again; it continues where it stopped",
        )
    return found


def _gathered(name: str, model: str, source: str, rows: list[tuple[str, Path]]) -> RepeatedRuns:
    runs: dict[str, Evaluation] = {}
    environments: dict[str, Mapping[str, Any]] = {}
    for label, folder in rows:
        if label in runs:
            label = f"{label} ({folder})"
        runs[label] = renamed(Evaluation.load(folder), label)
        environment = environment_of(folder)
        if environment is not None:
            environments[label] = environment
    return RepeatedRuns(name, model, source, runs, environments)


def _unlabelled(name: str, model: str, folders: list[Path]) -> RepeatedRuns:
    configs = [Evaluation.load(folder).result.config for folder in folders]
    differing = [
        source
        for source, setting in FIELDS.items()
        if len({str(config.get(setting)) for config in configs}) > 1
    ]
    source = differing[0] if len(differing) == 1 else _REPEAT
    rows = [
        (f"{source}-{config.get(FIELDS[differing[0]])}" if len(differing) == 1 else str(n), folder)
        for n, (config, folder) in enumerate(zip(configs, folders, strict=True), start=1)
    ]
    return _gathered(name.partition(MARK)[0], model, source, rows)
