"""Free answers to one's own file: any data set of conversations."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tuneval.data.example import Example
from tuneval.data.read import read
from tuneval.errors import DataError
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions, Task, TaskAbout


class Generation(Task):
    """The last answer of every conversation of a data set is to be written anew."""

    about: ClassVar[TaskAbout] = TaskAbout(
        name="generation",
        title="Generation (own file)",
        summary="The last answer of each conversation of a data set, written anew",
        kind="generation",
        languages=("any",),
        capabilities=("generation",),
        metrics=("exact_match", "rouge-l", "bleu-4", "chrf"),
        protocols={"chat": "through the model's chat template, all turns before the last answer"},
        layout="a data set in any format that `tuneval data` reads: alpaca, messages, sharegpt, …",
        source="own file",
        licence="that of the file",
    )

    kind: Literal["generation"] = "generation"
    path: Annotated[str, Field(min_length=1)]
    format: str = "auto"
    max_new_tokens: Annotated[int, Field(ge=1)] = 256

    def load(self) -> Questions:
        """As in `Task`; equal conversations are asked once."""
        examples: dict[str, Example] = {}
        n_read = 0
        for example in read(self.path, self.format):
            n_read += 1
            examples.setdefault(example.id, example)
        left_out = n_read - len(examples)
        return Questions(
            questions=tuple(self._question(example) for example in examples.values()),
            protocol="generation/chat/0-shot",
            metrics=self.about.metrics,
            notes=(f"{left_out} repeated conversations are asked once",) if left_out else (),
        )

    def _question(self, example: Example) -> Question:
        if example.tools:
            raise DataError(
                "The conversation has tools, which a task cannot offer.",
                where=str(example.source),
                mend="evaluate the file itself: tuneval evaluate FILE",
            )
        return Question(
            id=example.id,
            source=str(example.source),
            way="generate",
            prompt=example.prompt,
            head=(),
            reference=example.answer,
            max_new_tokens=self.max_new_tokens,
            group=example.group,
            tags=dict(example.tags),
        )
