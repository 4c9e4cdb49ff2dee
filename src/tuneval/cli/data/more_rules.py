"""Rules that need more than the set: a model's tokens, or other sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tuneval.errors import DataError, UsageError

if TYPE_CHECKING:
    from tuneval.data.describe import TokenCounter
    from tuneval.data.example import Item
    from tuneval.data.rule import Rule

_BELIEVABLE = 10_000_000  # tokenizers without a limit name an absurd one


def more_rules(
    *, model: str | None, max_length: int | None, against: tuple[str, ...]
) -> list[Rule]:
    """The rules that `--model` and `--against` ask for; they have seen nothing."""
    rules: list[Rule] = []
    if model is not None:
        rules.append(_length_rule(model, max_length))
    if against:
        from tuneval.data.rules.contamination import Contamination

        rules.append(Contamination(against))
    return rules


def _length_rule(model: str, max_length: int | None) -> Rule:
    from tuneval.cli.console import progress
    from tuneval.cli.data.counting import token_counter
    from tuneval.data.rules.length import LengthRule

    with progress() as report:
        counter = token_counter(model, "auto", report)
        most = _longest(model) if max_length is None else max_length
    return LengthRule(_count(counter), max_length=most, model=model)


def _count(counter: TokenCounter) -> Callable[[Item], int]:
    # A plain function: a copy of the rule, as each part of a check has one, shares the tokenizer.
    def count(item: Item) -> int:
        try:
            return counter.item(item).longest
        except DataError:  # the template takes no such conversation: its texts alone
            return sum(map(counter.text, _texts(item)))

    return count


def _texts(item: Item) -> list[str]:
    from tuneval.data.example import Example, Preference, Text

    match item:
        case Text():
            return [item.text]
        case Example():
            messages = item.messages
        case Preference():
            messages = (*item.prompt, *max(item.chosen, item.rejected, key=str))
        case _:
            messages = (*item.prompt, *item.completion)
    return [message.content for message in messages]


def _longest(model: str) -> int:
    """What the model's tokenizer says it takes. UsageError when it does not say."""
    from tuneval.models.load import load_tokenizer

    longest = load_tokenizer(model).model_max_length
    if not 0 < longest < _BELIEVABLE:
        raise UsageError(
            f"{model} does not say how many tokens it takes.",
            mend="say it with --max-length, such as --max-length 4096",
        )
    return int(longest)
