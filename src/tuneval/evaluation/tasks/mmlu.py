"""MMLU: 14,042 English questions of 57 subjects. Hendrycks et al. 2021, arXiv 2009.03300."""

from __future__ import annotations

from typing import ClassVar, Literal

from tuneval.evaluation.task import TaskAbout
from tuneval.evaluation.tasks.exam.exam import CHOICE_METRICS, OFFICIAL_METRICS, ExamTask
from tuneval.evaluation.tasks.exam.wording import Wording

ABOUT = TaskAbout(
    name="mmlu",
    title="MMLU",
    summary="English questions with four options, of 57 subjects from school to profession",
    kind="multiple choice",
    languages=("en",),
    capabilities=("knowledge", "reasoning"),
    metrics=(*CHOICE_METRICS, *OFFICIAL_METRICS),
    protocols={
        "official": "the published prompt, with two blanks before the subject; over all questions",
        "lm-eval": "one blank before the subject, blanks around a question stripped; over all "
        "questions",
        "opencompass": "the official prompt for the likeliest text; its own instruction before "
        "every question for a written answer, of which the first capital counts; mean of the "
        "subjects",
        "llamafactory": "one blank before the subject, the letter right after `Answer:`; over all "
        "questions",
    },
    layout="dev/SUBJECT_dev.csv, val/SUBJECT_val.csv, test/SUBJECT_test.csv without a header: "
    "question, A, B, C, D, answer",
    source="https://github.com/hendrycks/test",
    licence="MIT",
)

_HEAD = "The following are multiple choice questions (with answers) about {title}.\n\n"
_OFFICIAL = Wording(
    head=_HEAD.replace("{title}", " {title}"), tail="\nAnswer:", joint=" ", one_turn=True
)
_LM_EVAL = Wording(head=_HEAD, tail="\nAnswer:", joint=" ", head_role="system", strips=True)
_OPENCOMPASS_WRITTEN = Wording(
    begin="There is a single choice question about {title}. Answer the question by replying "
    "A, B, C or D.\nQuestion: ",
    tail="\nAnswer: ",
    joint="\n",
)
_LLAMAFACTORY = Wording(head=_HEAD, tail="\nAnswer:")


class Mmlu(ExamTask):
    """Words that stand for a missing value elsewhere (None, NA) are texts here."""

    about: ClassVar[TaskAbout] = ABOUT
    columns: ClassVar[tuple[str, ...] | None] = ("question", "a", "b", "c", "d", "answer")

    kind: Literal["mmlu"] = "mmlu"
    split: Literal["test", "val", "dev"] = "test"

    @property
    def asked_split(self) -> str:
        """As in `ExamTask`."""
        return self.split

    @property
    def is_macro(self) -> bool:
        """As in `ExamTask`."""
        return self.protocol == "opencompass"

    def sheet(self, subject: str, split: str) -> str:
        """As in `ExamTask`."""
        return f"{split}/{subject}_{split}.csv"

    def wording(self) -> Wording:
        """As in `ExamTask`."""
        if self.protocol == "opencompass":
            return _OFFICIAL if self.chooses else _OPENCOMPASS_WRITTEN
        return {"lm-eval": _LM_EVAL, "llamafactory": _LLAMAFACTORY}.get(self.protocol, _OFFICIAL)

    def extractor(self) -> str:
        """As in `ExamTask`."""
        return "first_capital" if self.protocol == "opencompass" else "letter"
