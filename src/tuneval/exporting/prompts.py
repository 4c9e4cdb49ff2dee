"""Real texts to compare two forms of a model on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from tuneval import files
from tuneval.data.example import Example, Item, Text
from tuneval.data.read import read_items
from tuneval.errors import DataError, TunevalError
from tuneval.exporting.config import ExportConfig
from tuneval.exporting.source import Source
from tuneval.runs.events import Report, Warned
from tuneval.tokenization import Template

LONGEST_TOKENS = 256
SHIPPED = "shipped:"
TICKETS = f"{SHIPPED}examples/support-tickets/tickets.jsonl"
_LOOKED_AT = 256


@dataclass(frozen=True, slots=True)
class Prompts:
    """Token ids of conversations or texts, at most 256 each, and their file as it was named."""

    ids: tuple[list[int], ...]
    file: str


def find_prompts(
    config: ExportConfig,
    source: Source,
    tokenizer: Any,
    template: Template | None,
    report: Report,
) -> Prompts:
    """Prompts from the file that was asked for, or the run's own data, or what tuneval brings.

    They are spread over the file's first 256 items. DataError when the asked file has none.
    """
    if config.prompts is not None:
        return _from(config.prompts, config.n_prompts, tokenizer, template)
    own = None if source.run is None else _data_file(source.run)
    if own is not None:
        try:
            return _from(own, config.n_prompts, tokenizer, template)
        except TunevalError as error:
            report(
                Warned("export", f"the run's data cannot be read for the comparison: {error.what}")
            )
    return _from(TICKETS, config.n_prompts, tokenizer, template)


def _data_file(run: Path) -> str | None:
    """The set that a run read, as its recipe names it."""
    path = run / "resolved.yaml"
    if not path.is_file():
        return None
    with files.open_text(path) as file:
        return str(yaml.safe_load(file)["data"]["file"])


def _from(name: str, n: int, tokenizer: Any, template: Template | None) -> Prompts:
    is_shipped = name.startswith(SHIPPED)
    file = str(files.shipped(name.removeprefix(SHIPPED))) if is_shipped else name
    found = [
        ids
        for item in islice(read_items(file), _LOOKED_AT)
        for text in _texts(item, template)
        if (ids := tokenizer(text, add_special_tokens=False)["input_ids"][:LONGEST_TOKENS])
    ]
    if not found:
        raise DataError("No item can be a prompt.", where=name, mend="name another file")
    return Prompts(tuple(_spread(found, n)), name)


def _texts(item: Item, template: Template | None) -> Iterator[str]:
    """The item as the model reads it; nothing where the template refuses it."""
    if isinstance(item, Text):
        yield item.text
    elif isinstance(item, Example) and template is None:
        yield "\n".join(message.content for message in item.messages)
    elif isinstance(item, Example) and template is not None:
        try:
            yield template.render(item.messages, item.tools)
        except DataError:
            return


def _spread(items: Sequence[list[int]], n: int) -> Iterator[list[int]]:
    """Up to `n` of the items, evenly from the first to the last."""
    n = min(n, len(items))
    return (items[index * len(items) // n] for index in range(n))
