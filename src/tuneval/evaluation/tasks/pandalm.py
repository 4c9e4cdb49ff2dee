"""PandaLM's test set: which of two responses is better, as three people judged it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tuneval import files
from tuneval.data.example import Message
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions, Task, TaskAbout
from tuneval.evaluation.tasks.own import Row, read_rows

PAIRS_NAME = "testset-v1.json"
ANNOTATORS = ("annotator1", "annotator2", "annotator3")
VERDICTS = ("0", "1", "2")
"""A tie, the first response, the second."""

_SPECIAL_TOKENS = re.compile(
    r"<unk>|<pad>|<s>|</s>|\[PAD\]|<\|endoftext\|>|\[UNK\]|\[CLS\]|\[MASK\]|<\|startofpiece\|>|"
    r"<\|endofpiece\|>|\[gMASK\]|\[sMASK\]"
)
_WITH_INPUT = (
    "Below are two responses for a given task. The task is defined by the Instruction with an "
    "Input that provides further context. Evaluate the responses and generate a reference answer "
    "for the task."
)
_WITHOUT_INPUT = (
    "Below are two responses for a given task. The task is defined by the Instruction. Evaluate "
    "the responses and generate a reference answer for the task."
)


class PandaLm(Task):
    """Pairs of responses; the true verdict is that of most annotators.

    `orders: both` asks each pair a second time with the responses exchanged: a judge that goes by
    their place loses there what it won.
    """

    about: ClassVar[TaskAbout] = TaskAbout(
        name="pandalm",
        title="PandaLM pairs",
        summary="999 pairs of responses, each judged by three people: 1, 2 or tie",
        kind="pairwise verdict",
        languages=("en",),
        capabilities=("instruction_following", "understanding"),
        metrics=(
            "accuracy",
            "precision_macro",
            "recall_macro",
            "f1_macro",
            "cohen_kappa",
            "unparsed",
        ),
        protocols={
            "official": "PandaLM's prompt as plain text; what is neither 1 nor 2 on the first "
            "line counts as a tie",
            "strict": "the same prompt; what is none of 1, 2, tie on the first line is no verdict, "
            "and wrong",
        },
        layout="testset-v1.json (instruction, input, response1, response2, annotator1 to 3)",
        source="Wang et al. (2023), github.com/WeOpenML/PandaLM",
        licence="Apache-2.0",
    )

    kind: Literal["pandalm"] = "pandalm"
    path: Annotated[str, Field(min_length=1)]
    protocol: Literal["official", "strict"] = "official"
    orders: Literal["as_given", "both"] = "as_given"
    chat: bool = False
    max_new_tokens: Annotated[int, Field(ge=1)] = 512

    def load(self) -> Questions:
        """As in `Task`. Pairs on which no two annotators agree have no true verdict."""
        path = Path(self.path)
        rows = read_rows(path / PAIRS_NAME if path.is_dir() else path)
        swaps = (False, True) if self.orders == "both" else (False,)
        questions = tuple(self._question(row, swap) for row in rows for swap in swaps)
        undecided = sum(question.reference is None for question in questions)
        return Questions(
            questions=questions,
            protocol=f"pandalm/{self.protocol}/{self.orders}/{'chat' if self.chat else 'plain'}",
            metrics=self.about.metrics,
            notes=(f"{undecided} questions have no verdict of a majority",) if undecided else (),
        )

    def _question(self, row: Row, swap: bool) -> Question:
        first, second = _text(row, "response1"), _text(row, "response2")
        asked = prompt(
            _text(row, "instruction"),
            _text(row, "input"),
            *((second, first) if swap else (first, second)),
        )
        votes = [str(row.get(name)) for name in ANNOTATORS]
        if strange := [vote for vote in votes if vote not in VERDICTS]:
            raise row.error(f"A verdict is {strange[0]!r}.", mend="write 0 (tie), 1 or 2")
        votes = [_exchanged(vote) for vote in votes] if swap else votes
        number = row.text("idx")
        return Question(
            id=f"{number}/swapped" if swap else number,
            source=row.source,
            way="generate",
            prompt=(Message("user", asked),) if self.chat else asked,
            head=() if self.chat else "",
            reference=majority(votes),
            extractor="pandalm" if self.protocol == "official" else "pandalm_strict",
            max_new_tokens=self.max_new_tokens,
            group=files.sha256_json([_text(row, "instruction"), _text(row, "input")])[:16],
            tags={
                "pair": str(row.value.get("cmp_key", "")),
                "application": str(row.value.get("motivation_app", "")),
                "order": "exchanged" if swap else "as given",
            },
            fields={"annotators": votes, "classes": list(VERDICTS)},
        )


def prompt(instruction: str, input: str, first: str, second: str) -> str:
    """The prompt that PandaLM was trained on, up to where its verdict begins."""
    context = f"### Input:\n{input}\n\n" if input else ""
    responses = "\n\n".join(
        f"### Response {number}:\n{_SPECIAL_TOKENS.sub('', response.strip()).strip()}"
        for number, response in enumerate((first, second), start=1)
    )
    return (
        f"{_WITH_INPUT if input else _WITHOUT_INPUT}\n\n### Instruction:\n{instruction}\n\n"
        f"{context}{responses}\n\n### Evaluation:\n"
    )


def majority(votes: Sequence[str]) -> str | None:
    """What more than half say; None where nobody has so many on their side."""
    vote, count = Counter(votes).most_common(1)[0]
    return vote if 2 * count > len(votes) else None


def _exchanged(vote: str) -> str:
    return {"1": "2", "2": "1"}.get(vote, vote)


def _text(row: Row, key: str) -> str:
    value = row.value.get(key)
    return value if isinstance(value, str) else ""
