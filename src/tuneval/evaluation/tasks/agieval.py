"""AGIEval: 8,269 questions of 21 admission and qualification exams. Zhong et al., 2304.06364."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tuneval.errors import DataError
from tuneval.evaluation.extraction import load_extractor
from tuneval.evaluation.extraction.letters import letter_set
from tuneval.evaluation.metrics.extraction import OFFICIAL_KEY
from tuneval.evaluation.question import Again, Question
from tuneval.evaluation.task import Questions, Task, TaskAbout
from tuneval.evaluation.tasks.exam.admission import (
    Admission,
    Demonstration,
    Problem,
    admissions,
    passage_groups,
    read_demonstrations,
    read_problems,
)
from tuneval.evaluation.tasks.exam.admission_prompts import (
    Framed,
    few_shot,
    opencompass,
    second_stage,
    shown,
    zero_shot,
)
from tuneval.evaluation.tasks.exam.exam import (
    ANSWER_TOKENS,
    CHOICE_METRICS,
    RANGE_METRICS,
    REASONING_TOKENS,
    Names,
)
from tuneval.evaluation.tasks.exam.sheet import LETTERS
from tuneval.evaluation.tasks.exam.subjects import known_only

ABOUT = TaskAbout(
    name="agieval",
    title="AGIEval",
    summary="questions of admission and qualification exams: one option, several, or to fill in",
    kind="multiple choice",
    languages=("en", "zh"),
    capabilities=("knowledge", "reasoning", "mathematics", "understanding"),
    metrics=("answer_official", *CHOICE_METRICS, *RANGE_METRICS),
    protocols={
        "official": "the benchmark's prompts, zero-shot or few-shot, with its extraction of "
        "written answers; mean of the subjects",
        "lm-eval": "zero-shot; the whole options compared, of several right ones any; keys of "
        "cloze questions parsed like answers; over all questions",
        "opencompass": "zero-shot with an introduction; likeliest text, or the first fitting "
        "pattern of a written answer; mean of the subjects",
    },
    layout="SUBJECT.jsonl (data/v1) and, for demonstrations, few_shot_prompts.csv there or above",
    source="https://github.com/ruixiangcui/AGIEval",
    licence="MIT; the exams have terms of their own (data/v1/LICENSE)",
)
LM_EVAL_TOKENS, OPENCOMPASS_TOKENS = 32, 1024


class AgiEval(Task):
    """`subjects` empty: all that the folder holds, asked in the benchmark's order.

    `way: choose` compares the letters where one option is right; the other questions are written
    all the same. `shots` are at most as many as AGIEval has, three to five. `cot` without shots
    is asked in two stages: the model reasons, then it is shown its reasoning and asked for the
    answer. Written answers are cut at 64 tokens where one letter is looked for, else at 512
    (AGIEval: 2,000).
    """

    about: ClassVar[TaskAbout] = ABOUT

    kind: Literal["agieval"] = "agieval"
    path: str
    subjects: Names = ()
    protocol: Literal["official", "lm-eval", "opencompass"] = "official"
    way: Literal["choose", "generate"] | None = None
    shots: Annotated[int, Field(ge=0, le=5)] = 0
    cot: bool = False
    chat: bool = False
    max_new_tokens: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _is_a_known_way(self) -> Self:
        if self.protocol != "official" and (self.shots or self.cot):
            raise ValueError(f"shots, cot: {self.protocol} asks AGIEval zero-shot only")
        if self.cot and self.way == "choose":
            raise ValueError("cot: reasoning has to be written; leave `way` out")
        if self.protocol == "lm-eval" and self.way == "generate":
            raise ValueError("way: lm-eval compares the options; leave `way` out")
        return self

    def load(self) -> Questions:
        """As in `Task`."""
        folder = Path(self.path).expanduser()
        names = self._names(folder)
        questions: list[Question] = []
        demonstrations: list[str] = []
        notes: list[str] = []
        for name in names:
            shots = read_demonstrations(folder, name)[: self.shots] if self.shots else []
            if len(shots) < self.shots:
                notes.append(f"{name} has {len(shots)} demonstrations")
            demonstrations += [shown(shot.problem) for shot in shots]
            questions += self._of_subject(folder, name, shots)
        return Questions(
            questions=tuple(questions),
            protocol=self._protocol_id(),
            metrics=self._metrics(questions),
            strata="subject",
            average=None if self.protocol == "lm-eval" else "subject",
            demonstrations=tuple(demonstrations),
            notes=tuple(notes),
        )

    def extractor(self, about: Admission) -> str:
        """The extractor of written answers to questions of a form."""
        if about.form == "cloze":
            return self._cloze_extractor()
        if self.protocol == "opencompass":
            return "first_capitals" if about.form == "several" else "first_option"
        if about.form == "several":
            return "agieval_letters_cot" if self.cot and self.shots else "agieval_letters"
        if not self.shots:
            return "agieval_zero_shot"
        return f"agieval_{'cot' if self.cot else 'few_shot'}_{about.language}"

    def _cloze_extractor(self) -> str:
        if self.protocol == "lm-eval":
            return "agieval_maths_lm_eval"
        if not self.shots:
            return "agieval_maths"
        return "agieval_maths_cot" if self.cot else "agieval_maths_few_shot"

    def _names(self, folder: Path) -> list[str]:
        known_only(self.subjects, admissions(), ABOUT.title)
        if self.subjects:
            return [name for name in admissions() if name in self.subjects]
        there = [name for name in admissions() if (folder / f"{name}.jsonl").is_file()]
        if not there:
            raise DataError(
                "There is no subject of AGIEval here.",
                where=str(folder),
                mend=f"expected: {ABOUT.layout}",
            )
        return there

    def _of_subject(
        self, folder: Path, name: str, shots: Sequence[Demonstration]
    ) -> list[Question]:
        problems = read_problems(folder / f"{name}.jsonl")
        groups = passage_groups(problems, name)
        return [
            self._question(name, problem, group, shots)
            for problem, group in zip(problems, groups, strict=True)
        ]

    def _question(
        self, name: str, problem: Problem, group: str | None, shots: Sequence[Demonstration]
    ) -> Question:
        about = admissions()[name]
        chooses = self._chooses(about)
        framed = self._framed(problem, about, shots, chooses)
        extractor = load_extractor(self.extractor(about))
        reference = None if problem.key is None else extractor.form(problem.key)
        tags = {"subject": name, "language": about.language, "form": about.form}
        if reference is not None and problem.key is not None and reference != problem.key:
            tags["key"] = problem.key
        fields: dict[str, Any] = {}
        if problem.options:
            fields["classes"] = list(LETTERS[: len(problem.options)])
        if extractor.official_key is not None and problem.key is not None:
            fields[OFFICIAL_KEY] = extractor.official_key(problem.key)
        return Question(
            id=f"{name}/{problem.line - 1}",
            source=f"{name}.jsonl:{problem.line}",
            way="choose" if chooses else "generate",
            prompt=framed.prompt,
            head=framed.head,
            shots=framed.shots,
            begins=framed.begins,
            choices=self._choices(problem, framed) if chooses else (),
            gold=_gold(problem) if chooses else (),
            reference=reference,
            extractor=None if chooses else extractor.name,
            max_new_tokens=self.max_new_tokens or self._limit(about),
            then=self._second_stage(about),
            stop=self._stop(chooses),
            group=group,
            tags=tags,
            fields=fields,
        )

    def _chooses(self, about: Admission) -> bool:
        if self.protocol == "lm-eval":
            return about.form != "cloze"
        return self.way == "choose" and about.form == "one"

    def _framed(
        self, problem: Problem, about: Admission, shots: Sequence[Demonstration], chooses: bool
    ) -> Framed:
        if self.protocol == "opencompass":
            return opencompass(problem, about, chooses=chooses, is_chat=self.chat)
        if shots:
            return few_shot(
                problem, shots, about, reasons=self.cot, chooses=chooses, is_chat=self.chat
            )
        return zero_shot(problem, about, reasons=self.cot, is_chat=self.chat)

    def _choices(self, problem: Problem, framed: Framed) -> tuple[str, ...]:
        if self.protocol == "lm-eval":
            return tuple(("" if self.chat else " ") + option for option in problem.options)
        return tuple(framed.lead + letter for letter in LETTERS[: len(problem.options)])

    def _limit(self, about: Admission) -> int:
        if self.protocol == "lm-eval":
            return LM_EVAL_TOKENS
        if self.protocol == "opencompass":
            return OPENCOMPASS_TOKENS
        return REASONING_TOKENS if self.cot else _answer_limit(about)

    def _second_stage(self, about: Admission) -> Again | None:
        if not self.cot or self.shots:
            return None
        return Again(second_stage(about), self.max_new_tokens or _answer_limit(about))

    def _stop(self, chooses: bool) -> tuple[str, ...]:
        if chooses:
            return ()
        if self.protocol == "lm-eval":
            return ("Q:",)
        return ("\n\n",) if self.shots and not self.chat else ()

    def _protocol_id(self) -> str:
        how = "cot" if self.cot else self.way
        form = "chat" if self.chat else "plain"
        parts = (self.kind, self.protocol, f"{self.shots}-shot", form, how)
        return "/".join(part for part in parts if part)

    def _metrics(self, questions: Sequence[Question]) -> tuple[str, ...]:
        ways = {question.way for question in questions}
        found = ["answer_official"]
        if "choose" in ways:
            found += CHOICE_METRICS
            if self.protocol == "lm-eval":
                found.append("choice_accuracy_by_characters")
        if "generate" in ways:
            found += RANGE_METRICS
        return tuple(found)


def _answer_limit(about: Admission) -> int:
    """Enough for a letter; a solution is worked, and several letters are read from all of it."""
    return ANSWER_TOKENS if about.form == "one" else REASONING_TOKENS


def _gold(problem: Problem) -> tuple[int, ...]:
    places = tuple(LETTERS.index(letter) for letter in letter_set(problem.key or ""))
    return places if all(place < len(problem.options) for place in places) else ()
