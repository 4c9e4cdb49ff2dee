from __future__ import annotations

from tuneval.data.example import Example, Item, Text
from tuneval.data.rules.length import LengthRule


def count_characters(item: Item) -> int:
    """One token a character, roles left out."""
    if isinstance(item, Text):
        return len(item.text)
    assert isinstance(item, Example)
    return sum(len(message.content) for message in item.messages)


def test_what_is_longer_than_the_model_takes_in_is_a_warning(look) -> None:
    rule = LengthRule(count_characters, max_length=10, model="some-model")
    turns = [{"role": "user", "content": "问题问题问"}, {"role": "assistant", "content": "answer"}]
    (finding,) = look(rule, {"messages": turns})
    assert (finding.rule, finding.severity) == ("length.over_max", "warning")
    assert finding.path == "messages"
    assert "11 tokens of some-model; 10 is the most" in finding.what
    assert look(rule, {"messages": [turns[0], {"role": "assistant", "content": "short"}]}) == []
    (finding,) = look(rule, {"text": "x" * 1234}, format="text")
    assert "1,234 tokens" in finding.what


def test_a_record_that_is_no_item_is_not_counted(look) -> None:
    rule = LengthRule(count_characters, max_length=1, model="some-model")
    assert look(rule, {"messages": [{"role": "usr", "content": "long enough"}]}) == []
