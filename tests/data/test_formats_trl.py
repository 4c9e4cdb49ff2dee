"""What TRL itself makes of preferences: the same prompt and the same two answers."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import pytest

from tuneval.data.example import Example, Message, Preference, Source, UnpairedPreference
from tuneval.data.formats import FORMATS
from tuneval.data.record import Record
from tuneval.data.write import as_row

pytestmark = pytest.mark.slow  # importing TRL alone takes seconds

USER = {"role": "user", "content": "Hi"}
SYSTEM = {"role": "system", "content": "Be brief."}
GOOD = {"role": "assistant", "content": "Hello!"}
BAD = {"role": "assistant", "content": "Go away."}
ROWS: dict[str, dict[str, Any]] = {
    "explicit": {"prompt": [SYSTEM, USER], "chosen": [GOOD], "rejected": [BAD]},
    "implicit": {"chosen": [SYSTEM, USER, GOOD], "rejected": [SYSTEM, USER, BAD]},
    "implicit, several turns": {
        "chosen": [USER, GOOD, USER, GOOD],
        "rejected": [USER, GOOD, USER, BAD],
    },
    "implicit, of unequal length": {"chosen": [USER, GOOD, USER, GOOD], "rejected": [USER, BAD]},
    "implicit, equal": {"chosen": [USER, GOOD], "rejected": [USER, GOOD]},
    "implicit, prompt as a text": {"prompt": "Hi", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
}


@pytest.fixture(scope="module")
def trl() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TRL and what it imports warn about their own future
        return pytest.importorskip("trl.data_utils", reason="TRL is not installed")


@pytest.mark.parametrize("name", ROWS)
def test_prompt_and_answers_are_those_of_trl(trl: Any, name: str) -> None:
    item = FORMATS.load("preference").draft(Record(Source("f", 1), ROWS[name])).item
    theirs = trl.maybe_extract_prompt(copy.deepcopy(ROWS[name]))
    assert item is not None
    assert as_row(item, "preference") == {
        part: theirs[part] for part in ("prompt", "chosen", "rejected")
    }


@pytest.mark.parametrize("format", ["messages", "prompt_completion", "preference", "kto"])
def test_what_is_written_is_a_conversation_to_trl(trl: Any, format: str) -> None:
    question, answer = (Message("user", "Hi"),), (Message("assistant", "Hello!"),)
    source = Source("f", 1)
    items = {
        "preference": Preference(question, answer, (Message("assistant", "No."),), source),
        "kto": UnpairedPreference(question, answer, True, source),
    }
    row = as_row(items.get(format, Example(question + answer, source)), format)
    for key in row.keys() - {"label"}:  # TRL looks at any one of the keys
        assert trl.is_conversational({key: row[key]})
