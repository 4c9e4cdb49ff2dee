"""Examples made ready to be asked: each once, or with the reason why it cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tuneval.data.example import Example
from tuneval.errors import DataError
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.items import Item
from tuneval.tokenization import Template, Tokens

TEACHER_FORCED, GENERATED = "teacher_forced", "generated"
NO_ANSWER = "the conversation does not end with an assistant turn"
Ids = TypeVar("Ids")


@dataclass(frozen=True, slots=True)
class Prepared:
    """By item id: the distinct examples, their tokens and prompts, and why one has none.

    `skipped` is item id to way of answering to reason. `duplicates` counts examples that stand
    in the data more than once and are evaluated once; `truncated` what `max_length` cut;
    `short_of_room` prompts after which the model cannot read a whole answer.
    """

    examples: Mapping[str, Example]
    tokens: Mapping[str, Tokens]
    prompts: Mapping[str, Sequence[int]]
    skipped: Mapping[str, Mapping[str, str]]
    duplicates: int
    truncated: int
    short_of_room: int

    @property
    def labels(self) -> dict[str, str]:
        """The reference answers of the items that are asked."""
        return {item_id: self.examples[item_id].answer or "" for item_id in self.prompts}

    def reasons(self, way: str) -> dict[str, int]:
        """How many items a way of answering leaves out, by reason."""
        return dict(Counter(r[way] for r in self.skipped.values() if way in r))

    def items(self) -> list[Item]:
        """The items in the data's order, not yet answered."""
        return [
            Item(
                id=item_id,
                source=str(example.source),
                group=example.group,
                tags=dict(example.tags),
                prompt=_user_text(example),
                label=example.answer,
                skipped=dict(self.skipped.get(item_id, {})),
            )
            for item_id, example in self.examples.items()
        ]


def prepare(
    examples: Sequence[Example],
    template: Template,
    config: EvaluateConfig,
    *,
    longest: int | None = None,
) -> Prepared:
    """Encode every distinct example; none is lost without a reason.

    `longest` is how many tokens the model reads. Where nothing is generated there are no prompts,
    and none is missed.
    """
    distinct = {example.id: example for example in reversed(examples)}
    distinct = {example.id: distinct[example.id] for example in examples}
    tokens: dict[str, Tokens] = {}
    prompts: dict[str, Sequence[int]] = {}
    skipped: dict[str, dict[str, str]] = {}
    truncated = 0
    for item_id, example in distinct.items():
        try:
            encoded = template.encode(example, max_length=config.max_length)
            # The last token is predicted, and not read.
            tokens[item_id] = _readable(encoded.tokens, len(encoded.tokens) - 1, longest)
            truncated += encoded.truncation is not None
        except DataError as error:
            skipped.setdefault(item_id, {})[TEACHER_FORCED] = error.what
        if not config.generate:
            continue
        try:
            prompt = _prompt(example, template, config.max_length)
            prompts[item_id] = _readable(prompt, len(prompt), longest)
        except DataError as error:
            skipped.setdefault(item_id, {})[GENERATED] = error.what
    return Prepared(
        distinct,
        tokens,
        prompts,
        skipped,
        duplicates=len(examples) - len(distinct),
        truncated=truncated,
        short_of_room=0
        if longest is None
        else sum(len(ids) + config.max_new_tokens - 1 > longest for ids in prompts.values()),
    )


def _prompt(example: Example, template: Template, max_length: int | None) -> list[int]:
    if example.answer is None:
        raise DataError(NO_ANSWER)
    return template.encode_prompt(example.prompt, example.tools, max_length=max_length)


def _readable(ids: Ids, n_read: int, longest: int | None) -> Ids:
    """The ids, of which so many are read. Raises DataError where those are too many."""
    if longest is not None and n_read > longest:
        raise DataError(f"longer than the {longest} tokens that the model reads")
    return ids


def _user_text(example: Example) -> str:
    """What the model was asked last, for a person to read."""
    asked = [message.content for message in example.prompt if message.role == "user"]
    return asked[-1] if asked else ""
