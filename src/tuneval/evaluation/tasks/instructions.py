"""Checkable instructions: requests whose form a program can check, as in IFEval."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tuneval.data.example import Message
from tuneval.evaluation.instructions.items import Request, bundled_requests, requests_of
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions, Task, TaskAbout


class Instructions(Task):
    """Requests such as "answer in exactly three bullet points, without any comma".

    `path` is a file in IFEval's layout; without it the requests that come with tuneval are
    asked. `language` takes those of one language.
    """

    about: ClassVar[TaskAbout] = TaskAbout(
        name="instructions",
        title="Checkable instructions",
        summary="requests whose form a program can check: lengths, lists, formats, words to use "
        "or to avoid; 70 in English and Chinese, or a file in IFEval's layout",
        kind="instructions",
        languages=("en", "zh"),
        capabilities=("instruction_following",),
        metrics=(
            "prompt_level_strict_acc",
            "inst_level_strict_acc",
            "prompt_level_loose_acc",
            "inst_level_loose_acc",
        ),
        protocols={
            "chat": "the request as a user's turn, through the chat template; lm-eval's ifeval "
            "with --apply_chat_template, but for the checks of language, sentences and words in "
            "capitals, which need no further package here",
            "plain": "the request as plain text; lm-eval's ifeval without a template",
        },
        layout="nothing, or a JSON-lines file with prompt, instruction_id_list and kwargs "
        "(IFEval's input_data.jsonl)",
        source="ids and figures of Zhou et al. (2023), IFEval; the requests are tuneval's own",
        licence="Apache-2.0, as tuneval",
    )

    kind: Literal["instructions"] = "instructions"
    path: Path | None = None
    protocol: Literal["chat", "plain"] = "chat"
    language: Literal["en", "zh"] | None = None
    max_new_tokens: Annotated[int, Field(ge=1)] = 512

    def load(self) -> Questions:
        """As in `Task`."""
        requests = bundled_requests() if self.path is None else requests_of(self.path)
        asked = [r for r in requests if self.language is None or r.language == self.language]
        items = "tuneval" if self.path is None else "ifeval"
        return Questions(
            questions=tuple(self._question(request) for request in asked),
            protocol=f"instructions/{items}/0-shot/{self.protocol}",
            metrics=self.about.metrics,
            strata="language",
        )

    def _question(self, request: Request) -> Question:
        is_chat = self.protocol == "chat"
        return Question(
            id=request.key,
            source=request.source,
            way="generate",
            prompt=(Message("user", request.prompt),) if is_chat else request.prompt,
            head=() if is_chat else "",
            max_new_tokens=self.max_new_tokens,
            tags={"language": request.language},
            fields={"instructions": [dict(instruction) for instruction in request.instructions]},
        )
