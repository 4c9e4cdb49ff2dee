"""How many tokens an item has for a model, as `tuneval data describe` needs to know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tuneval.data.description.totals import TokenCount, TokenCounter
from tuneval.data.example import Example, Item, Message, Preference, Text, UnpairedPreference

if TYPE_CHECKING:
    from tuneval.runs.events import Report
    from tuneval.tokenization import Template


def token_counter(model: str, template: str, report: Report) -> TokenCounter:
    """A counter with the model's tokenizer and chat template. Nothing of its weights is loaded."""
    from tuneval.models.load import load_tokenizer
    from tuneval.tokenization import load_template

    tokenizer = load_tokenizer(model, report=report)
    counts = _Counts(tokenizer, template, load_template)
    return TokenCounter(model, template, counts.item, counts.text)


class _Counts:
    """Counts; the template is looked for when the first conversation comes: texts need none."""

    def __init__(self, tokenizer: Any, template: str, load: Any) -> None:
        self._tokenizer = tokenizer
        self._load = load
        self._name = template
        self._template: Template | None = None

    def item(self, item: Item) -> TokenCount:
        """Tokens as training would have them, nothing cut. DataError when they cannot be had."""
        match item:
            case Text():
                n = self.text(item.text)
                return TokenCount(n, n, n)
            case Example():
                return self._conversation(item)
            case Preference():
                sides = [self._continued(item, end) for end in (item.chosen, item.rejected)]
                return TokenCount(
                    total=sum(side.total for side in sides),
                    trained=sum(side.trained for side in sides),
                    longest=max(side.longest for side in sides),
                )
            case UnpairedPreference():
                return self._continued(item, item.completion)

    def text(self, text: str) -> int:
        """Tokens of a text by itself."""
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _continued(
        self, item: Preference | UnpairedPreference, end: Sequence[Message]
    ) -> TokenCount:
        """The prompt, which is not trained, and one way to go on."""
        prompt = [replace(message, train=False) for message in item.prompt]
        return self._conversation(Example((*prompt, *end), item.source, tools=item.tools))

    def _conversation(self, example: Example) -> TokenCount:
        if self._template is None:
            self._template = self._load(self._tokenizer, self._name)
        if not any(m.role == "assistant" and m.is_trained for m in example.messages):
            n = self.text(self._template.render(example.messages, example.tools))
            return TokenCount(n, 0, n)
        tokens = self._template.encode(example).tokens
        return TokenCount(len(tokens), tokens.n_trained, len(tokens))
