"""An exam of many subjects, each a sheet of questions with lettered options."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tuneval.errors import DataError
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions, Task
from tuneval.evaluation.tasks.exam.sheet import LETTERS, Entry, read_sheet
from tuneval.evaluation.tasks.exam.subjects import Subject, known_only, subjects_of
from tuneval.evaluation.tasks.exam.wording import Wording, chat, core, plain

ANSWER_TOKENS, REASONING_TOKENS = 64, 512
CHOICE_METRICS = ("choice_accuracy", "ece")
RANGE_METRICS = ("answer_lenient", "answer_strict", "unparsed", "answer_range")
OFFICIAL_METRICS = ("answer_official", *RANGE_METRICS)


def _split(value: Any) -> Any:
    return tuple(value.replace("+", " ").split()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
"""Names one after the other, or as one text: `agronomy+arts`."""


class ExamTask(Task):
    """`subjects` empty: all that the folder holds, asked in the benchmark's order.

    `way`: the likeliest letter (unless told), or an answer that is written and read; with `cot`,
    where a benchmark has it, the model reasons first, and always writes. `chat` asks through the
    model's chat template, in turns.
    """

    columns: ClassVar[tuple[str, ...] | None] = None

    path: str
    subjects: Names = ()
    protocol: Literal["official", "lm-eval", "opencompass", "llamafactory"] = "official"
    way: Literal["choose", "generate"] | None = None
    shots: Annotated[int, Field(ge=0, le=5)] = 5
    chat: bool = False
    max_new_tokens: Annotated[int, Field(ge=1)] | None = None

    @property
    def reasons(self) -> bool:
        """Whether the model is to reason before it answers."""
        return False

    @property
    def chooses(self) -> bool:
        """Whether the likeliest letter counts, and nothing is written."""
        return not self.reasons and self.way != "generate"

    @model_validator(mode="after")
    def _is_a_known_way(self) -> Self:
        if self.reasons and self.way == "choose":
            raise ValueError("cot: reasoning has to be written; leave `way` out")
        if not self.chooses and self.protocol in ("lm-eval", "llamafactory"):
            raise ValueError(f"way: {self.protocol} only compares the letters, it writes nothing")
        if self.reasons and self.protocol != "official":
            raise ValueError("cot: only the official protocol says how")
        return self

    @abstractmethod
    def sheet(self, subject: str, split: str) -> str:
        """Where a subject's file lies in the official layout."""

    @abstractmethod
    def wording(self) -> Wording:
        """How the protocol words it."""

    @abstractmethod
    def extractor(self) -> str:
        """The extractor of a written answer."""

    @property
    def asked_split(self) -> str:
        """The part of the benchmark that is asked."""
        return "test"

    @property
    def drop(self) -> Literal["longest", "last", "first"]:
        """Which demonstrations go first where a prompt is too long."""
        return "last"

    @property
    def is_macro(self) -> bool:
        """Whether the protocol's overall figure is the unweighted mean of the subjects."""
        return self.protocol in ("official", "opencompass")

    def load(self) -> Questions:
        """As in `Task`."""
        folder = Path(self.path).expanduser()
        known = subjects_of(self.kind)
        names, notes = self._names(folder, known)
        questions: list[Question] = []
        shown: list[str] = []
        for name in names:
            shots = self._demonstrations(folder, name)
            shown += map(core, shots)
            file = self.sheet(name, self.asked_split)
            for entry in read_sheet(folder / file, self.columns):
                questions.append(self._question(name, known[name], file, entry, shots))
        return Questions(
            questions=tuple(questions),
            protocol=self._protocol_id(),
            metrics=self._metrics(),
            strata="subject",
            average="subject" if self.is_macro else None,
            demonstrations=tuple(shown),
            notes=tuple(notes),
        )

    def _names(self, folder: Path, known: Iterable[str]) -> tuple[list[str], list[str]]:
        """The subjects to ask in the benchmark's order, and what is to be said of the others."""
        table = dict.fromkeys(known)
        known_only(self.subjects, table, self.about.title)
        there = [name for name in table if (folder / self.sheet(name, self.asked_split)).is_file()]
        if self.subjects:
            return [name for name in table if name in self.subjects], []
        if not there:
            raise DataError(
                f"There is no sheet of {self.about.title} here.",
                where=str(folder),
                mend=f"expected: {self.about.layout}",
            )
        if len(there) == len(table):
            return there, []
        return there, [f"{len(there)} of the {len(table)} subjects are in the folder"]

    def _demonstrations(self, folder: Path, subject: str) -> list[Entry]:
        if not self.shots:
            return []
        path = folder / self.sheet(subject, "dev")
        found = read_sheet(path, self.columns)[: self.shots]
        if len(found) < self.shots:
            raise DataError(
                f"{self.shots} demonstrations are asked for; there are {len(found)}.",
                where=str(path),
                mend=f"ask with shots={len(found)}",
            )
        for entry in found:
            if entry.key is None:
                raise DataError(
                    "A demonstration has no answer to show.",
                    where=f"{path}:{entry.line}",
                    mend="take the file as the benchmark has it, or ask with shots=0",
                )
        return found

    def _question(
        self, name: str, subject: Subject, file: str, entry: Entry, shots: list[Entry]
    ) -> Question:
        render = chat if self.chat else plain
        worded = render(self.wording(), entry, shots, title=subject.title, chooses=self.chooses)
        return Question(
            id=f"{name}/{entry.number}",
            source=f"{file}:{entry.line}",
            way="choose" if self.chooses else "generate",
            prompt=worded.prompt,
            head=worded.head,
            shots=worded.shots,
            drop=self.drop,
            begins=worded.begins,
            choices=worded.choices,
            gold=entry.gold if self.chooses else (),
            reference=entry.key,
            extractor=None if self.chooses else self.extractor(),
            max_new_tokens=self.max_new_tokens
            or (REASONING_TOKENS if self.reasons else ANSWER_TOKENS),
            stop=self._stop(),
            tags=_tags(name, subject, entry),
            fields={"classes": list(LETTERS[: len(entry.options)])},
        )

    def _stop(self) -> tuple[str, ...]:
        """A text would go on with questions of its own after a blank line; a turn ends itself.

        Reasoning has blank lines too, unless demonstrations show some without.
        """
        is_text = not self.chat and not self.chooses and self.protocol == "official"
        shows_reasoning = self.shots > 0 and "{explanation}" in self.wording().reply
        return ("\n\n",) if is_text and (shows_reasoning or not self.reasons) else ()

    def _protocol_id(self) -> str:
        form = "chat" if self.chat else "plain"
        how = () if self.chooses else ("cot" if self.reasons else "generate",)
        return "/".join((self.kind, self.protocol, f"{self.shots}-shot", form, *how))

    def _metrics(self) -> tuple[str, ...]:
        if self.chooses:
            by_length = ("choice_accuracy_by_characters",) if self.protocol == "lm-eval" else ()
            return (*CHOICE_METRICS, *by_length)
        from tuneval.evaluation.extraction import load_extractor

        has_own = load_extractor(self.extractor()).official is not None
        return OFFICIAL_METRICS if has_own else RANGE_METRICS


def _tags(name: str, subject: Subject, entry: Entry) -> dict[str, Any]:
    tags: dict[str, Any] = {"subject": name, "category": subject.category, "number": entry.number}
    if subject.hard:
        tags["hard"] = True
    if subject.china_specific:
        tags["china_specific"] = True
    return tags
