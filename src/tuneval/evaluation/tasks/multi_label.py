"""Multi-label classification from one's own file: a set of labels for each text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from tuneval.evaluation.task import TaskAbout
from tuneval.evaluation.tasks.own import OwnTask, Posed, Row, several

INSTRUCTION = {
    "en": "Which of these labels fit this text: {labels}? "
    "Answer with all that fit, parted by commas, or with: none.",
    "zh": "下列标签中哪些适合这段文字：{labels}？"
    "列出所有适合的标签，用逗号分隔；都不适合则回答：无。",
}
NOTHING = {"en": "none", "zh": "无"}


class MultiLabel(OwnTask):
    """Texts with any number of labels; `choose_from` are all there are, else those of the file.

    In `instruction`, {labels} stands for them.
    """

    about: ClassVar[TaskAbout] = TaskAbout(
        name="multi_label",
        title="Multi-label classification (own file)",
        summary="A set of labels for each text of a file",
        kind="multi-label",
        languages=("any",),
        capabilities=("understanding",),
        metrics=("jaccard", "hamming_loss"),
        protocols={"generate": "the model writes the labels, parted by commas"},
        layout='rows with "text" (or "question", "input") and "labels", a list; in a CSV a text '
        "with the labels parted by semicolons or commas",
        source="own file",
        licence="that of the file",
    )

    kind: Literal["multi_label"] = "multi_label"
    protocol: Literal["generate"] = "generate"
    choose_from: tuple[str, ...] = ()

    def pose(self, rows: Sequence[Row]) -> list[Posed]:
        """As in `OwnTask`."""
        given = [
            list(dict.fromkeys(several(row, "labels", row.value.get("labels") or [])))
            for row in rows
        ]
        known = self.choose_from or tuple(sorted({label for labels in given for label in labels}))
        for row, labels in zip(rows, given, strict=True):
            if strange := [label for label in labels if label not in known]:
                raise row.error(
                    f"The label '{strange[0]}' is none of: {', '.join(known)}.",
                    mend="mend the row, or add the label to `choose_from`",
                )
        words = self.instruction or INSTRUCTION[self.language]
        asked = words.replace("{labels}", ", ".join(known))
        return [
            Posed(
                text=f"{row.text('text', 'question', 'input')}\n\n{asked}",
                answer=", ".join(labels) or NOTHING[self.language],
                used=("text", "question", "input", "labels"),
                fields={"reference_labels": labels, "classes": list(known)},
            )
            for row, labels in zip(rows, given, strict=True)
        ]
