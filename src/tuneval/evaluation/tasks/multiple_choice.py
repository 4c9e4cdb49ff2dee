"""Multiple choice from one's own file."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from pydantic import model_validator

from tuneval.evaluation.task import TaskAbout
from tuneval.evaluation.tasks.own import OwnTask, Posed, Row, several

INSTRUCTION = {
    "en": "Answer with the letter of the right choice only.",
    "zh": "只回答正确选项的字母。",
}
LETTERS = string.ascii_uppercase
N_READ = 7
"""The extractors of letters read A to G."""


class MultipleChoice(OwnTask):
    """Questions with choices, one or several of them right."""

    about: ClassVar[TaskAbout] = TaskAbout(
        name="multiple_choice",
        title="Multiple choice (own file)",
        summary="Questions of a file with their choices",
        kind="multiple choice",
        languages=("any",),
        capabilities=("knowledge",),
        metrics=("choice_accuracy", "choice_accuracy_by_characters"),
        protocols={
            "letters": "the choices are shown with letters, and the likeliest letter counts",
            "texts": "the choices are not shown: the likeliest one after the question counts, as "
            "in lm-eval's acc and acc_norm for ARC or HellaSwag",
            "generate": "the choices are shown, and the model writes the letter",
        },
        layout='rows with "question" (or "text"), "choices" (a list) or columns A, B, C, …, and '
        '"answer": a letter, the text of a choice, its place counted from 0, or a list of letters',
        source="own file",
        licence="that of the file",
    )

    kind: Literal["multiple_choice"] = "multiple_choice"
    protocol: Literal["letters", "texts", "generate"] = "letters"

    @model_validator(mode="after")
    def _instructs_where_something_is_asked(self) -> Self:
        if self.instruction is not None and self.protocol == "texts":
            raise ValueError("instruction: with protocol texts the question stands alone")
        return self

    @property
    def graded_by(self) -> tuple[str, ...]:
        """As in `OwnTask`."""
        match self.protocol:
            case "letters":
                return ("choice_accuracy",)
            case "texts":
                return self.about.metrics
            case "generate":
                return ("answer_lenient", "answer_strict", "unparsed")

    def pose(self, rows: Sequence[Row]) -> list[Posed]:
        """As in `OwnTask`."""
        return [self._posed(row) for row in rows]

    def _posed(self, row: Row) -> Posed:
        question = row.text("question", "text")
        choices = _choices(row)
        gold = _gold(row, choices)
        used = ("question", "text", "choices", "answer", *LETTERS)
        if self.protocol == "texts":
            if len(gold) > 1:
                raise row.error(
                    "Several choices are right.", mend="ask it by protocol=letters or generate"
                )
            answer, asked, offered = choices[gold[0]], question, tuple(choices)
        else:
            shown = "\n".join(f"{LETTERS[n]}. {choice}" for n, choice in enumerate(choices))
            words = self.instruction or INSTRUCTION[self.language]
            answer = "".join(LETTERS[n] for n in gold)
            asked = f"{question}\n{shown}\n\n{words}"
            offered = tuple(LETTERS[: len(choices)])
        return Posed(
            text=asked,
            answer=answer,
            choices=() if self.protocol == "generate" else offered,
            gold=gold,
            extractor=self._extractor(row, choices, gold),
            used=used,
        )

    def _extractor(self, row: Row, choices: Sequence[str], gold: Sequence[int]) -> str | None:
        if self.protocol != "generate":
            return None
        if len(choices) > N_READ:
            raise row.error(
                f"Only the letters A to {LETTERS[N_READ - 1]} are read from an answer.",
                mend="ask it by protocol=letters",
            )
        return "letters" if len(gold) > 1 else "letter"


def _choices(row: Row) -> list[str]:
    if row.value.get("choices") is not None:
        found = several(row, "choices", row.value["choices"])
    else:
        found = []
        for letter in LETTERS:
            if row.value.get(letter) in (None, ""):
                break
            found.append(str(row.value[letter]))
    if len(set(found)) < max(2, len(found)):
        raise row.error(
            "The row has fewer than two choices, or two that are alike.",
            mend='give "choices", a list, or the columns A, B, …, each another text',
        )
    if len(found) > len(LETTERS):
        raise row.error(f"The row has {len(found)} choices.", mend="26 are the most")
    return found


def _gold(row: Row, choices: Sequence[str]) -> tuple[int, ...]:
    answer = row.get("answer", "label")
    given = answer if isinstance(answer, list) else [answer]
    places = sorted({_place(row, str(part).strip(), choices) for part in given})
    if not places:
        raise row.error("No choice is right.", mend='give "answer" a letter')
    return tuple(places)


def _place(row: Row, answer: str, choices: Sequence[str]) -> int:
    """The place of a letter, else of a choice's text, else as a number counted from 0."""
    letters = LETTERS[: len(choices)]
    if len(answer) == 1 and answer in letters:
        return letters.index(answer)
    if answer in choices:
        return list(choices).index(answer)
    if answer.isdecimal() and int(answer) < len(choices):
        return int(answer)
    raise row.error(
        f"The answer '{answer}' is none of the {len(choices)} choices.",
        mend=f"give a letter from A to {letters[-1]}",
    )
