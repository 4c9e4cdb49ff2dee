"""C-Eval: 13,948 Chinese exam questions of 52 subjects. Huang et al. 2023, arXiv 2305.08322."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from tuneval import files
from tuneval.evaluation.items import Item
from tuneval.evaluation.task import TaskAbout
from tuneval.evaluation.tasks.exam.exam import CHOICE_METRICS, OFFICIAL_METRICS, ExamTask
from tuneval.evaluation.tasks.exam.subjects import subjects_of
from tuneval.evaluation.tasks.exam.wording import Wording

SUBMISSION_NAME = "submission.json"
HEAD = "以下是中国关于{title}考试的单项选择题，请选出其中的正确答案。"

ABOUT = TaskAbout(
    name="ceval",
    title="C-Eval",
    summary="Chinese exam questions with four options, of 52 subjects at four levels",
    kind="multiple choice",
    languages=("zh",),
    capabilities=("knowledge", "reasoning"),
    metrics=(*CHOICE_METRICS, *OFFICIAL_METRICS),
    protocols={
        "official": "the benchmark's own prompt, answer-only or cot; mean of the subjects",
        "lm-eval": "lm-eval's ceval-valid: no 考试 in the header, a blank before the letter; "
        "over all questions",
        "opencompass": "header before every question, 答案: with an ASCII colon; likeliest text, "
        "or first capital of a written answer; mean of the subjects",
        "llamafactory": "the official prompt by LLaMA-Factory's `zh` template, the letter alone; "
        "over all questions (there demonstrations are drawn anew for each; see shot_seed)",
    },
    layout="dev/SUBJECT_dev.csv, val/SUBJECT_val.csv, test/SUBJECT_test.csv with the columns "
    "id, question, A, B, C, D, answer (dev: explanation)",
    source="https://github.com/hkust-nlp/ceval",
    licence="CC BY-NC-SA 4.0",
)

_OFFICIAL = Wording(head=HEAD + "\n\n", tail="\n答案：", head_role="system", chat_head=HEAD)
_COT = Wording(
    head=HEAD + "\n\n",
    tail="\n答案：",
    head_role="system",
    chat_head=HEAD,
    reply="让我们一步一步思考，\n{explanation}\n所以答案是{letter}。",
    says="让我们一步一步思考，\n1.",
)
_LM_EVAL = Wording(
    head="以下是中国关于{title}的单项选择题，请选出其中的正确答案。\n\n",
    tail="\n答案：",
    joint=" ",
    head_role="system",
    strips=True,
)
# Without a chat template OpenCompass puts a line break between the turns.
_OPENCOMPASS = Wording(begin=HEAD + "\n", tail="\n答案: ", joint="\n", between="\n")
_LLAMAFACTORY = Wording(head=HEAD + "\n\n", tail="\n答案：")
_WORDINGS = {
    "official": _OFFICIAL,
    "lm-eval": _LM_EVAL,
    "opencompass": _OPENCOMPASS,
    "llamafactory": _LLAMAFACTORY,
}


class CEval(ExamTask):
    """`split` test: its answers are public since 2025, and some copies lack them."""

    about: ClassVar[TaskAbout] = ABOUT

    kind: Literal["ceval"] = "ceval"
    split: Literal["val", "test", "dev"] = "val"
    cot: bool = False

    @property
    def reasons(self) -> bool:
        """As in `ExamTask`."""
        return self.cot

    @property
    def asked_split(self) -> str:
        """As in `ExamTask`."""
        return self.split

    def sheet(self, subject: str, split: str) -> str:
        """As in `ExamTask`."""
        return f"{split}/{subject}_{split}.csv"

    def wording(self) -> Wording:
        """As in `ExamTask`."""
        return _COT if self.reasons else _WORDINGS[self.protocol]

    def extractor(self) -> str:
        """As in `ExamTask`."""
        if self.protocol == "opencompass":
            return "first_capital"
        if self.reasons:
            return "ceval_cot" if self.chat else "ceval_cot_text"
        return "ceval_few_shot" if self.shots else "ceval_zero_shot"

    def leave(self, folder: Path, items: Sequence[Item], *, model: str) -> None:
        """The file that the leaderboard takes, where the test split was asked."""
        if self.split == "test":
            files.write_json(folder / SUBMISSION_NAME, submission(items))


def submission(items: Iterable[Item]) -> Mapping[str, Mapping[str, str]]:
    """The letters answered, by subject and question number, as the leaderboard wants them.

    All 52 subjects stand there; a question that was not answered, or whose answer could not be
    read, has an empty text.
    """
    letters: dict[str, dict[str, str]] = {name: {} for name in subjects_of("ceval")}
    for item in items:
        is_letter = item.said in tuple("ABCD")
        letters[item.tags["subject"]][item.tags["number"]] = str(item.said) if is_letter else ""
    return letters
