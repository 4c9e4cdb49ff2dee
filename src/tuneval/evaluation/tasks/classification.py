"""Classification from one's own file: one label for each text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from tuneval.evaluation.task import TaskAbout
from tuneval.evaluation.tasks.own import OwnTask, Posed, Row

INSTRUCTION = {
    "en": "Which label fits this text: {labels}? Answer with the label only.",
    "zh": "这段文字属于哪一类：{labels}？只回答类别名称。",
}


class Classification(OwnTask):
    """Texts with one label each; `labels` are those to choose from, else all that the file has.

    In `instruction`, {labels} stands for them.
    """

    about: ClassVar[TaskAbout] = TaskAbout(
        name="classification",
        title="Classification (own file)",
        summary="One label for each text of a file",
        kind="classification",
        languages=("any",),
        capabilities=("understanding",),
        metrics=("accuracy", "f1_macro", "confusion_matrix"),
        protocols={
            "choose": "the likeliest label; no answer can be unreadable",
            "generate": "the model writes a label; what is no label is wrong",
        },
        layout='rows with "text" (or "question", "input") and "label"; also "id", "group"',
        source="own file",
        licence="that of the file",
    )

    kind: Literal["classification"] = "classification"
    protocol: Literal["choose", "generate"] = "choose"
    labels: tuple[str, ...] = ()

    def pose(self, rows: Sequence[Row]) -> list[Posed]:
        """As in `OwnTask`."""
        given = [row.text("label") for row in rows]
        labels = self.labels or tuple(sorted(set(given)))
        for row, label in zip(rows, given, strict=True):
            if label not in labels:
                raise row.error(
                    f"The label '{label}' is none of: {', '.join(labels)}.",
                    mend="mend the row, or add the label to `labels`",
                )
        words = self.instruction or INSTRUCTION[self.language]
        asked = words.replace("{labels}", ", ".join(labels))
        return [
            Posed(
                text=f"{row.text('text', 'question', 'input')}\n\n{asked}",
                answer=label,
                choices=labels if self.protocol == "choose" else (),
                gold=(labels.index(label),),
                used=("text", "question", "input", "label"),
                fields={"classes": list(labels)},
            )
            for row, label in zip(rows, given, strict=True)
        ]
