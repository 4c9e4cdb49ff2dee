"""The page about formats: every example on it is what the page says it is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.example import Example, Message, Source
from tuneval.data.format import CannotHoldError, best_formats
from tuneval.data.formats import FORMATS
from tuneval.data.record import Record
from tuneval.data.write import as_row

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "formats.md").read_text(encoding="utf-8")
PLUGINS = (DOCS / "plugins.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
BLOCK = re.compile(r"^```json\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(name, json.loads(block), id=f"{name}-{number}")
    for name, section in SECTIONS.items()
    for number, block in enumerate(BLOCK.findall(section), start=1)
]


def test_every_format_has_a_section_with_an_example() -> None:
    assert [name for name in FORMATS if "```json" not in SECTIONS.get(name, "")] == []


@pytest.mark.parametrize(("name", "row"), EXAMPLES)
def test_an_example_is_found_read_and_written_in_its_format(name: str, row: dict[str, Any]) -> None:
    assert [format.name for format in best_formats(row)] == [name]
    made = FORMATS.load(name).draft(Record(Source("page", 1), row))
    assert (made.findings, made.unused_keys) == ((), ())
    assert made.item is not None
    again = FORMATS.load(name).draft(Record(Source("page", 1), as_row(made.item, name)))
    assert again.item is not None
    assert again.item.id == made.item.id


def test_every_key_by_which_a_format_is_found_stands_on_the_page() -> None:
    for name in FORMATS:
        keys = {key for shape in FORMATS.load(name).shapes for key in shape}
        named = set(re.findall(r'["`](\w+)["`]', SECTIONS[name]))
        assert sorted(keys - named) == []


def test_the_format_on_the_page_about_plugins_works() -> None:
    (code,) = re.findall(
        r"^## A format\n.*?```python\n(.*?)^```", PLUGINS, re.MULTILINE | re.DOTALL
    )
    names: dict[str, Any] = {}
    exec(code, names)
    row = {"question": "Why?", "answer": "Because."}
    item = names["QA"].draft(Record(Source("page", 1), row)).item
    assert names["QA"].row(item) == row
    with pytest.raises(CannotHoldError):
        names["QA"].row(Example((*item.messages, Message("user", "And?")), item.source))
