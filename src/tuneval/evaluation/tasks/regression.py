"""Regression from one's own file: a number for each text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

from tuneval.evaluation.task import TaskAbout
from tuneval.evaluation.tasks.own import OwnTask, Posed, Row

INSTRUCTION = {"en": "Answer with one number only.", "zh": "只回答一个数字。"}


class Regression(OwnTask):
    """Texts with a number each; `instruction` says what the number is of."""

    about: ClassVar[TaskAbout] = TaskAbout(
        name="regression",
        title="Regression (own file)",
        summary="A number for each text of a file",
        kind="regression",
        languages=("any",),
        capabilities=("understanding",),
        metrics=("rmse", "mae", "r2"),
        protocols={"generate": "the model writes a number; it is read from the answer"},
        layout='rows with "text" (or "question", "input") and "number" (or "label")',
        source="own file",
        licence="that of the file",
    )

    kind: Literal["regression"] = "regression"
    protocol: Literal["generate"] = "generate"

    def pose(self, rows: Sequence[Row]) -> list[Posed]:
        """As in `OwnTask`."""
        asked = self.instruction or INSTRUCTION[self.language]
        return [
            Posed(
                text=f"{row.text('text', 'question', 'input')}\n\n{asked}",
                answer=row.text("number", "label"),
                used=("text", "question", "input", "number", "label"),
                fields={"reference_number": _number(row)},
            )
            for row in rows
        ]


def _number(row: Row) -> float:
    text = row.text("number", "label")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise row.error(f"'{text}' is no number.", mend="write digits, with a point if need be")
    return number
