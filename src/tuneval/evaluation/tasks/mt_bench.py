"""MT-bench: eighty conversations of two questions, for a judge to mark."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from tuneval import files
from tuneval.data.example import Message
from tuneval.evaluation.question import Question
from tuneval.evaluation.robustness.families import is_copy
from tuneval.evaluation.task import Questions, Task, TaskAbout
from tuneval.evaluation.tasks.own import Row, read_rows

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item

QUESTIONS_NAME = "question.jsonl"
REFERENCES_NAMES = ("reference_answer/gpt-4.jsonl", "gpt-4.jsonl")
TEMPERATURES: Mapping[str, float] = {
    "writing": 0.7,
    "roleplay": 0.7,
    "extraction": 0.0,
    "math": 0.0,
    "coding": 0.0,
    "reasoning": 0.0,
    "stem": 0.1,
    "humanities": 0.1,
}
OTHER_TEMPERATURE = 0.7


class MtBench(Task):
    """Two-turn questions; the second is asked with the model's own first answer.

    The answers are left in FastChat's layout, so that its judge can go on from them.
    """

    about: ClassVar[TaskAbout] = TaskAbout(
        name="mt_bench",
        title="MT-bench",
        summary="80 conversations of two questions in eight categories, marked by a judge",
        kind="generation",
        languages=("en",),
        capabilities=("dialogue", "generation", "reasoning", "mathematics", "knowledge"),
        metrics=("judge_score",),
        protocols={
            "official": "two turns through the chat template, with FastChat's temperature for "
            "each category and its 1,024 new tokens",
            "greedy": "the same at temperature 0",
        },
        layout="question.jsonl (question_id, category, turns, reference), and the reference "
        "answers as reference_answer/gpt-4.jsonl or gpt-4.jsonl, if there are any",
        source="Zheng et al. (2023), github.com/lm-sys/FastChat",
        licence="Apache-2.0",
    )

    kind: Literal["mt_bench"] = "mt_bench"
    path: Annotated[str, Field(min_length=1)]
    protocol: Literal["official", "greedy"] = "official"
    turns: Literal["both", "first"] = "both"
    max_new_tokens: Annotated[int, Field(ge=1)] = 1024

    def load(self) -> Questions:
        """As in `Task`."""
        folder = Path(self.path)
        rows = read_rows(folder / QUESTIONS_NAME if folder.is_dir() else folder)
        references = _references(folder if folder.is_dir() else folder.parent)
        return Questions(
            questions=tuple(q for row in rows for q in self._turns(row, references)),
            protocol=f"mt_bench/{self.protocol}/{self.turns}",
            metrics=self.about.metrics,
            strata="category",
        )

    def _turns(self, row: Row, references: Mapping[str, Sequence[str]]) -> list[Question]:
        number, category = row.text("question_id"), row.text("category")
        turns = row.get("turns")
        if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
            raise row.error("'turns' is no list of texts.", mend='write ["first", "second"]')
        known = references.get(number) or row.value.get("reference") or ()
        questions = []
        for turn, text in enumerate(turns[: 1 if self.turns == "first" else None], start=1):
            fields = {"judge_reference": known[turn - 1]} if turn <= len(known) else {}
            questions.append(
                Question(
                    id=f"{number}/{turn}",
                    source=row.source,
                    way="generate",
                    prompt=(Message("user", text),),
                    head=(),
                    after=f"{number}/{turn - 1}" if turn > 1 else None,
                    temperature=self._temperature(category),
                    max_new_tokens=self.max_new_tokens,
                    group=number,
                    tags={"category": category, "turn": turn},
                    fields=fields,
                )
            )
        return questions

    def _temperature(self, category: str) -> float:
        if self.protocol == "greedy":
            return 0.0
        return TEMPERATURES.get(category, OTHER_TEMPERATURE)

    def leave(self, folder: Path, items: Sequence[Item], *, model: str) -> None:
        """`model_answer/<model>.jsonl` as FastChat's gen_judgment reads it.

        A conversation with an unanswered question is left out: a judge would mark it as it is.
        """
        name = re.sub(r"[^\w.-]+", "_", model)
        files.write_jsonl(folder / "model_answer" / f"{name}.jsonl", model_answers(items, name))


def model_answers(items: Sequence[Item], model: str) -> list[dict[str, Any]]:
    """Rows of FastChat's model_answer file, one a conversation, in the order of the questions."""
    conversations: dict[str, list[Item]] = {}
    for item in items:
        if is_copy(item):
            continue
        conversations.setdefault(item.id.rpartition("/")[0], []).append(item)
    rows = []
    for number, turns in conversations.items():
        said = [item.predict for item in sorted(turns, key=lambda item: int(item.tags["turn"]))]
        if any(answer is None for answer in said):
            continue
        rows.append(
            {
                "question_id": int(number) if number.isdecimal() else number,
                "answer_id": files.sha256_json([model, number, said])[:22],
                "model_id": model,
                "choices": [{"index": 0, "turns": said}],
                "tstamp": time.time(),
            }
        )
    return rows


def _references(folder: Path) -> dict[str, Sequence[str]]:
    """The reference answers of each question by its number; none where there is no file."""
    for name in REFERENCES_NAMES:
        if (folder / name).is_file():
            rows = read_rows(folder / name)
            return {row.text("question_id"): _said(row) for row in rows}
    return {}


def _said(row: Row) -> Sequence[str]:
    choices = row.get("choices")
    try:
        return tuple(choices[0]["turns"])
    except (KeyError, IndexError, TypeError):
        raise row.error("The row has no answers.", mend="write choices[0].turns") from None
