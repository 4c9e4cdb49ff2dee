"""From questions to token ids.

A text prompt and a choice are tokenised together and cut where the prompt alone ends; blanks at
the end of the prompt go with the choice. This is lm-evaluation-harness's `_encode_pair`, so that
likelihoods can be compared with its own. A chat prompt comes from the template, and what the
assistant says after it is tokenised apart, as in training.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from tuneval.errors import DataError, UsageError
from tuneval.evaluation.answering.asked import Asked, Choosing, Reading, Writing, prompt_hash
from tuneval.evaluation.answering.forms import Form
from tuneval.evaluation.answering.respondent import Ready
from tuneval.evaluation.answering.texts import windows
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.question import Question
from tuneval.models.sequences import Ids, Request
from tuneval.tokenization import Template
from tuneval.tokenization.beginning import begins_with

# Tokenised at once: enough for the tokenizer's threads, few enough to be held as lists.
QUESTIONS_AT_ONCE = 64
# The window in which a text is read by a model that does not say how much it reads.
USUAL_WINDOW = 2048
NO_IDS = np.zeros(0, np.int32)


def encode_questions(
    questions: Iterable[Question],
    config: EvaluateConfig,
    *,
    tokenizer: Any,
    template: Template | None,
    longest: int | None,
) -> Ready:
    """The questions ready to be asked; what cannot be is skipped, with the reason.

    `longest` is how many tokens the model reads. Raises UsageError for conversations where there
    is no chat template.
    """
    limits = [n for n in (longest, config.max_length) if n is not None]
    encoder = _Encoder(tokenizer, template, min(limits, default=None), config)
    forms = (Form.whole(question, config.shot_seed) for question in questions)
    results: dict[str, _Encoded | str] = {}
    while chunk := list(islice(forms, QUESTIONS_AT_ONCE)):
        results |= encoder.encode(chunk)
    encoded = {name: r for name, r in results.items() if isinstance(r, _Encoded)}
    asked = {name: result.asked for name, result in encoded.items()}
    skipped = {name: reason for name, reason in results.items() if isinstance(reason, str)}
    return Ready(
        config=config,
        asked=asked,
        prompts={name: result.shown for name, result in encoded.items()},
        skipped=skipped,
        prompt_hash=prompt_hash(asked, skipped),
        shots_dropped=sum(result.has_lost for result in encoded.values()),
    )


@dataclass(frozen=True, slots=True)
class _Lead:
    """The ids before a text that is still to be tokenised, and both for a person to read."""

    ids: Ids
    text: str
    shown: str


@dataclass(frozen=True, slots=True)
class _Encoded:
    asked: Asked
    shown: str
    has_lost: bool


@dataclass(frozen=True)
class _Encoder:
    tokenizer: Any
    template: Template | None
    longest: int | None
    config: EvaluateConfig

    def encode(self, forms: Sequence[Form]) -> dict[str, _Encoded | str]:
        """Each by its question's id, or the reason why it cannot be asked.

        Those that are too long are encoded again with less around them.
        """
        results: dict[str, _Encoded | str] = {form.question.id: "" for form in forms}
        while forms:
            again = []
            for form, result in zip(forms, self._round(forms), strict=True):
                if isinstance(result, Form):
                    again.append(result)
                else:
                    results[form.question.id] = result
            forms = again
        return results

    def _round(self, forms: Sequence[Form]) -> list[_Encoded | Form | str]:
        """What each form became: encoded, a shorter form to be tried, or a reason."""
        leads = [self._lead(form) for form in forms]
        texts = [
            [] if isinstance(lead, str) else _texts(form.question, lead.text)
            for form, lead in zip(forms, leads, strict=True)
        ]
        pieces = iter(self._tokenised([text for some in texts for text in some]))
        return [
            lead if isinstance(lead, str) else self._fitted(form, lead, list(islice(pieces, n)))
            for form, lead, n in zip(forms, leads, map(len, texts), strict=True)
        ]

    def _lead(self, form: Form) -> _Lead | str:
        question = form.question
        if not form.is_chat:
            return _Lead(self._before(form.text), form.text, form.text)
        if self.template is None:
            raise UsageError(
                "The questions are conversations, and the model has no chat template.",
                where=question.source,
                mend="choose a template by name (template: chatml), or a protocol without chat",
            )
        try:
            ids = np.array(self.template.encode_prompt(form.messages), np.int32)
        except DataError as error:
            return error.what
        shown = str(self.tokenizer.decode(ids.tolist(), skip_special_tokens=False))
        return _Lead(ids, question.begins, shown + question.begins)

    def _fitted(self, form: Form, lead: _Lead, pieces: Sequence[Ids]) -> _Encoded | Form | str:
        try:
            asked = self._asked(form.question, lead, pieces)
        except DataError as error:
            return error.what
        too_many = 0 if self.longest is None else _size(asked) - self.longest
        if too_many > 0:
            if (shorter := form.shorter(self._length)) is not None:
                return shorter
            if not isinstance(asked, Writing) or too_many >= asked.max_new_tokens:
                return f"longer than the {self.longest} tokens that can be read by {too_many}"
            asked = replace(asked, max_new_tokens=asked.max_new_tokens - too_many)
        return _Encoded(asked, lead.shown, form.has_lost)

    def _asked(self, question: Question, lead: _Lead, pieces: Sequence[Ids]) -> Asked:
        before, *wholes = pieces
        if question.way == "read":
            if not len(before):
                raise DataError("the text is empty")
            return Reading(windows(before, self._nothing, size=self.longest or USUAL_WINDOW))
        context = np.concatenate([lead.ids, before])
        context = context if len(context) else self._nothing
        if question.way == "generate":
            own = question.temperature
            return Writing(
                ids=context,
                max_new_tokens=question.max_new_tokens,
                temperature=self.config.temperature if own is None else own,
                stop=question.stop,
            )
        targets = [whole[len(before) :] for whole in wholes]
        for choice, target in zip(question.choices, targets, strict=True):
            if not len(target):
                raise DataError(f"the choice {choice!r} has no token of its own after the prompt")
        return Choosing(tuple(Request(context, target) for target in targets))

    def _before(self, text: str) -> Ids:
        """What stands before a text: what the tokenizer puts there, unless it is written out."""
        bos = self.tokenizer.bos_token
        return NO_IDS if bos and text.startswith(bos) else self._beginning

    @cached_property
    def _beginning(self) -> Ids:
        return begins_with(self.tokenizer)

    @cached_property
    def _nothing(self) -> Ids:
        """One token for what has nothing before it: BOS, or EOS where there is none."""
        for token in (self.tokenizer.bos_token_id, self.tokenizer.eos_token_id):
            if token is not None:
                return np.array([token], np.int32)
        raise DataError("nothing can stand before it: the tokenizer has neither BOS nor EOS")

    def _length(self, text: str) -> int:
        return len(self._tokenised([text])[0])

    def _tokenised(self, texts: list[str]) -> list[Ids]:
        if not texts:
            return []
        rows = self.tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        return [np.array(row, np.int32) for row in rows]


def _texts(question: Question, text: str) -> list[str]:
    """What is tokenised: the prompt, and the prompt with each of its choices."""
    if question.way != "choose":
        return [text]
    return [text.rstrip(), *(text + choice for choice in question.choices)]


def _size(asked: Asked) -> int:
    """Tokens that the model must read at once; those of a text are cut to its measure."""
    match asked:
        case Choosing(requests):
            return max(len(r.context) + len(r.target) - 1 for r in requests)
        case Writing():
            return len(asked.ids) + asked.max_new_tokens - 1
        case Reading():
            return 0
