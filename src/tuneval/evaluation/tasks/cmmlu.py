"""CMMLU: 11,582 Chinese questions of 67 subjects. Li et al. 2023, arXiv 2306.09212."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from tuneval.evaluation.task import TaskAbout
from tuneval.evaluation.tasks.exam.exam import CHOICE_METRICS, OFFICIAL_METRICS, ExamTask
from tuneval.evaluation.tasks.exam.wording import Wording

HEAD = "以下是关于{title}的单项选择题，请直接给出正确答案的选项。"

ABOUT = TaskAbout(
    name="cmmlu",
    title="CMMLU",
    summary="Chinese questions with four options, of 67 subjects, many of them specific to China",
    kind="multiple choice",
    languages=("zh",),
    capabilities=("knowledge", "reasoning"),
    metrics=(*CHOICE_METRICS, *OFFICIAL_METRICS),
    protocols={
        "official": "the benchmark's own prompt (题目：… 答案是：), answer-only or cot, the letter "
        "alone; longest demonstrations dropped first; mean of the subjects",
        "lm-eval": "lm-eval's cmmlu: no 题目, 答案： and a blank before the letter; over all "
        "questions",
        "opencompass": "header before every question, the reply is 答案是: A; likeliest text, or "
        "first capital of a written answer; mean of the subjects",
        "llamafactory": "C-Eval's header (中国关于…考试) for CMMLU too, 答案：, the letter alone; "
        "over all questions",
    },
    layout="dev/SUBJECT.csv and test/SUBJECT.csv with the columns (number), Question, A, B, C, D, "
    "Answer",
    source="https://github.com/haonan-li/CMMLU",
    licence="CC BY-NC-SA 4.0",
)

_OFFICIAL = Wording(head=HEAD + "\n\n", begin="题目：", tail="\n答案是：", one_turn=True)
# As published: the demonstrations of a cot prompt show no reasoning.
_COT = Wording(
    head="以下是关于{title}的单项选择题，请分析并选出正确答案。\n\n",
    begin="题目：",
    tail="\n答案是：",
    asked_tail="\n逐步分析并给出答案选项。",
    one_turn=True,
)
_LM_EVAL = Wording(head=HEAD + "\n\n", tail="\n答案：", joint=" ", head_role="system", strips=True)
# Without a chat template OpenCompass puts a line break between the turns.
_OPENCOMPASS = Wording(
    begin=HEAD + "\n题目：",
    joint="\n",
    reply="答案是: {letter}",
    says="答案是: ",
    between="\n",
)
_LLAMAFACTORY = Wording(
    head="以下是中国关于{title}考试的单项选择题，请选出其中的正确答案。\n\n", tail="\n答案："
)
_WORDINGS = {
    "official": _OFFICIAL,
    "lm-eval": _LM_EVAL,
    "opencompass": _OPENCOMPASS,
    "llamafactory": _LLAMAFACTORY,
}


class Cmmlu(ExamTask):
    """`random_when_unread`: a written answer in which no letter is found counts as a letter drawn
    at random, as the published script has it (here the draw is seeded); else it is wrong.
    """

    about: ClassVar[TaskAbout] = ABOUT

    kind: Literal["cmmlu"] = "cmmlu"
    cot: bool = False
    random_when_unread: bool = False

    @model_validator(mode="after")
    def _draws_for_what_is_read(self) -> Self:
        if self.random_when_unread and (self.chooses or self.protocol != "official"):
            raise ValueError(
                "random_when_unread: only official answers that are written are read so"
            )
        return self

    @property
    def reasons(self) -> bool:
        """As in `ExamTask`."""
        return self.cot

    def sheet(self, subject: str, split: str) -> str:
        """As in `ExamTask`."""
        return f"{split}/{subject}.csv"

    def wording(self) -> Wording:
        """As in `ExamTask`."""
        return _COT if self.reasons else _WORDINGS[self.protocol]

    @property
    def drop(self) -> Literal["longest", "last", "first"]:
        """As in `ExamTask`."""
        return "longest" if self.protocol == "official" else "last"

    def extractor(self) -> str:
        """As in `ExamTask`."""
        if self.protocol == "opencompass":
            return "first_capital"
        return "cmmlu_random" if self.random_when_unread else "cmmlu"
