"""Examples made ready to be asked: each once, or with the reason why it cannot be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tuneval.data.example import Example
from tuneval.errors import DataError
from tuneval.evaluation.items import Item
from tuneval.tokenization import Template, Tokens

TEACHER_FORCED, GENERATED = "teacher_forced", "generated"
NO_ANSWER = "the conversation does not end with an assistant turn"


@dataclass(frozen=True, slots=True)
class Prepared:
    """By item id: the distinct examples, their tokens and prompts, and why one has none.

    `skipped` is item id to way of answering to reason. `duplicates` counts examples that stand
    in the data more than once and are evaluated once; `truncated` what `max_length` cut.
    """

    examples: Mapping[str, Example]
    tokens: Mapping[str, Tokens]
    prompts: Mapping[str, Sequence[int]]
    skipped: Mapping[str, Mapping[str, str]]
    duplicates: int
    truncated: int

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
    max_length: int | None,
    *,
    generate: bool = True,
) -> Prepared:
    """Encode every distinct example; none is lost without a reason.

    Where nothing is generated there are no prompts, and none is missed.
    """
    distinct = {example.id: example for example in reversed(examples)}
    distinct = {example.id: distinct[example.id] for example in examples}
    tokens: dict[str, Tokens] = {}
    prompts: dict[str, Sequence[int]] = {}
    skipped: dict[str, dict[str, str]] = {}
    truncated = 0
    for item_id, example in distinct.items():
        try:
            encoded = template.encode(example, max_length=max_length)
            tokens[item_id] = encoded.tokens
            truncated += encoded.truncation is not None
        except DataError as error:
            skipped.setdefault(item_id, {})[TEACHER_FORCED] = error.what
        if not generate:
            continue
        if example.answer is None:
            skipped.setdefault(item_id, {})[GENERATED] = NO_ANSWER
            continue
        try:
            prompts[item_id] = template.encode_prompt(
                example.prompt, example.tools, max_length=max_length
            )
        except DataError as error:
            skipped.setdefault(item_id, {})[GENERATED] = error.what
    duplicates = len(examples) - len(distinct)
    return Prepared(distinct, tokens, prompts, skipped, duplicates, truncated)


def _user_text(example: Example) -> str:
    """What the model was asked last, for a person to read."""
    asked = [message.content for message in example.prompt if message.role == "user"]
    return asked[-1] if asked else ""
