"""The tasks and extractors as they are shown: rows for a table, and `docs/tasks.md`."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic.fields import FieldInfo

from tuneval.evaluation import extraction
from tuneval.evaluation.extraction.extractor import Extractor
from tuneval.evaluation.robustness import perturbations
from tuneval.evaluation.robustness.perturbation import PerturbationAbout
from tuneval.evaluation.task import Task, TaskAbout
from tuneval.evaluation.tasks import TASKS

_WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false"}
_EVERY_TASK = ("name", "limit", "per", "seed")


@dataclass(frozen=True, slots=True)
class TaskOption:
    """An option of a task; `default` as it is shown, None where the option must be given."""

    name: str
    values: str
    default: str | None


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task with its options; `told` is what its class and those below it say of them."""

    about: TaskAbout
    options: tuple[TaskOption, ...]
    told: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        about = asdict(self.about)
        return about | {"options": [asdict(option) for option in self.options], "told": self.told}


def task_rows(names: Iterable[str] | None = None) -> list[TaskRow]:
    """The tasks of these names, else all there are, plugins' included. Raises UsageError."""
    return [_row(TASKS.load(name)) for name in (TASKS if names is None else names)]


def tasks_page() -> str:
    """`docs/tasks.md`: tuneval's own tasks, then extractors of answers, and perturbations."""
    own = [name for name in TASKS if TASKS[name].startswith("tuneval.")]
    parts = ["# Tasks", _WRITTEN, _HEAD]
    parts += map(_task_section, task_rows(own))
    parts += ["## Extractors", _EXTRACTORS_HEAD]
    parts += ["\n".join(map(_extractor_line, extraction.catalog()))]
    parts += ["## Perturbations", _PERTURBATIONS_HEAD]
    parts += ["\n".join(map(_perturbation_line, perturbations.catalog()))]
    return "\n\n".join(parts) + "\n"


def _row(kind: type[Task]) -> TaskRow:
    options = tuple(
        TaskOption(name, _values(field.annotation), _default(field))
        for name, field in kind.model_fields.items()
        if name != "kind" and name not in _EVERY_TASK
    )
    kinds = kind.__mro__[: kind.__mro__.index(Task)]
    told = "\n\n".join(inspect.cleandoc(one.__doc__) for one in kinds if one.__doc__)
    return TaskRow(kind.about, options, told)


def _values(annotation: Any) -> str:
    """What an option takes, in words."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _WORDS:
        return _WORDS[annotation]
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_values(part) for part in inner if part is not type(None))
    if origin in (tuple, list):
        return f"several: {_values(inner[0])}"
    if origin is typing.Annotated:
        return _values(inner[0])
    return str(getattr(annotation, "__name__", annotation))


def _default(field: FieldInfo) -> str | None:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True)
    if value is None or value == ():
        return "–"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _task_section(row: TaskRow) -> str:
    about = row.about
    facts = [
        f"- kind: {about.kind}; languages: {', '.join(about.languages)}",
        f"- tests: {', '.join(about.capabilities) or 'what the task of that name does'}",
        f"- graded by: {', '.join(f'`{metric}`' for metric in about.metrics)}",
        f"- files: {about.layout}",
        f"- source: {about.source}; licence: {about.licence}",
    ]
    protocols = [f"- `{name}`: {told}" for name, told in about.protocols.items()]
    options = [_option_line(option) for option in row.options]
    return "\n\n".join(
        [
            f"## {about.title}",
            f"`{about.name}`: {about.summary}.",
            "\n".join(facts),
            "Protocols, the first unless another is asked for:\n\n" + "\n".join(protocols),
            f"Options. {row.told}" + ("\n\n" + "\n".join(options) if options else ""),
        ]
    )


def _option_line(option: TaskOption) -> str:
    default = "must be given" if option.default is None else f"default {option.default}"
    return f"- `{option.name}`: {option.values}; {default}"


def _extractor_line(extractor: Extractor) -> str:
    faults = f" Known faults: {'; '.join(extractor.faults)}." if extractor.faults else ""
    return f"- **`{extractor.name}`** {extractor.summary}. Source: {extractor.source}.{faults}"


def _perturbation_line(about: PerturbationAbout) -> str:
    default = f", {about.default} unless given" if about.default else ""
    argument = f" After a colon: {about.argument}{default}." if about.argument else ""
    languages = ", ".join(about.languages)
    return f"- **`{about.name}`** ({languages}) {about.summary}.{argument} Source: {about.source}."


_WRITTEN = (
    "<!-- Written from the catalog by `python -m tuneval.evaluation.catalogs.metric_pages docs`: "
    "change it there. -->"
)
_HEAD = """\
Asked for by kind: `tuneval evaluate --model M --task KIND=PATH,option=value`, or under `tasks` in
a suite or recipe. Everything is read from local files in the benchmark's official layout. `tuneval
tasks NAME` says the same about one; a [plugin](plugins.md) adds rows.

The same benchmark is asked in different ways by different tools, and their figures differ for it.
Each way is a `protocol` here, and stands with the number of demonstrations in every result:
`cmmlu/official/5-shot/plain`. Every task also takes `name` (to tell two of one kind apart), `limit`
(so many questions), `per` (`task`, or so many of each `stratum`) and `seed` (for that draw).

`tuneval evaluate lint KIND=PATH` says what is wrong with the questions before anybody is asked:

- `question.empty`, `question.duplicate`; `options.equal`: two options are one text
- `key.missing`; `key.outside` the options; `key.conflict`: equal questions have different keys
- `key.unreachable`: no answer is read as the key by the protocol's extractor
- `key.skewed`: one place is right more often than chance has it
- `demonstration.asked`: a demonstration shows a question that is asked
- `training.overlap`, with `--training SET`: a question stands in a training set"""
_EXTRACTORS_HEAD = """\
A written answer is read three ways. Strictly: only an answer given in so many words. Leniently:
what a kind reader takes for it. Officially, where the benchmark has a script: as that reads it,
faults included. `answer_official`, `answer_strict` and `answer_lenient` grade by each,
`unparsed` counts answers in which nothing was found, and the detail of `answer_range` sets them
side by side: how far a score depends on the reading of answers."""
_PERTURBATIONS_HEAD = """\
Ways to change the wording of a question that leave its answer as it was, for any task:
`perturbations: [typos, "synonyms:0.3", case+contractions]`; a plus makes one copy with several
changes. Options, numbers, formulae, short quotations and every place where the key is written stay.
A question that a perturbation does not change is counted, and not asked again. What the copies
cost is told by `robustness_drop` and `worst_case`."""
