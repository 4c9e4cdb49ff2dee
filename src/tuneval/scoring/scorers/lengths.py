"""How long question and answer are, in tokens of a model."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from tuneval.scoring.item import Exercise, ScoringItem
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorer import Measured, Reading, Scorer
from tuneval.scoring.setting import Setting

_SURROGATE = re.compile("[\ud800-\udfff]")
_SOURCE = "counted by the tokenizer of the model that scores"


class _Tokens(Scorer):
    """Tokens of some texts of every exercise, summed; those of an empty text are 0.

    Only what stands in the record counts: no special token that a tokenizer adds, no word of a
    template. A mark of a chat template inside a text is what the tokenizer makes of it.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"tokenizer"})

    def combine(
        self, item: ScoringItem, measured: Sequence[Measured], setting: Setting
    ) -> float | Unscored:
        """The number of tokens, a whole number."""
        if not item.exercises:
            return Unscored("no_response")
        texts = [text for exercise in item.exercises for text in self._texts(exercise)]
        return float(sum(_n_tokens(setting.tokenizer, text) for text in texts))

    @abstractmethod
    def _texts(self, exercise: Exercise) -> Iterator[str]:
        """What is counted of one exercise."""


class PromptTokens(_Tokens):
    """Tokens of the questions: the instruction and its input, without what came before them."""

    name: ClassVar[str] = "prompt_tokens"

    @property
    def reading(self) -> Reading:
        """How long the questions are."""
        return Reading(
            "Prompt tokens",
            "提问词元数",
            "tokens",
            "Tokens of the instructions and inputs of all turns. The words of the template, system "
            "turns and special tokens do not count.",
            "各轮指令与输入的词元总数；模板文字、系统消息与特殊词元不计。",
            _SOURCE,
        )

    def _texts(self, exercise: Exercise) -> Iterator[str]:
        yield exercise.instruction
        yield exercise.input


class ResponseTokens(_Tokens):
    """Tokens of the answers that are trained."""

    name: ClassVar[str] = "response_tokens"

    @property
    def reading(self) -> Reading:
        """How long the answers are."""
        return Reading(
            "Response tokens",
            "回答词元数",
            "tokens",
            "Tokens of the trained answers of all turns, without special tokens. Long is not good: "
            "a measure that rises with length alone prefers talkative records.",
            "各轮参与训练的回答的词元总数，不含特殊词元。长不等于好："
            "随长度单调上升的指标只会偏爱冗长的记录。",
            _SOURCE,
        )

    def _texts(self, exercise: Exercise) -> Iterator[str]:
        yield exercise.response


def _n_tokens(tokenizer: Any, text: str) -> int:
    """Tokens of a text by itself. Half a surrogate pair, which none reads, counts as U+FFFD."""
    if not text:
        return 0
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    encoded = tokenizer(text, add_special_tokens=False, verbose=False)
    return len(encoded["input_ids"])
