"""The shipped support tickets are what their card says they are."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "support-tickets"
LABELS = {
    "intent": [
        "delivery",
        "return",
        "billing",
        "technical",
        "account",
        "cancel",
        "question",
        "feedback",
    ],
    "product": ["router", "camera", "speaker", "watch", "app", "plan", "none"],
    "urgency": ["low", "normal", "high"],
}
LANGUAGES = ("en", "zh")
GRAMS = {"en": 5, "zh": 3}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Ticket:
    text: str
    label: dict[str, str]
    group: str
    language: str
    record: dict[str, Any]


def tickets() -> list[Ticket]:
    found = []
    for line in (FOLDER / "tickets.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        _, user, assistant = record["messages"]
        label = json.loads(assistant["content"])
        found.append(
            Ticket(user["content"], label, record["group"], record["tags"]["language"], record)
        )
    return found


TICKETS = tickets()
CARD = (FOLDER / "README.md").read_text(encoding="utf-8")


def grams(text: str, length: int) -> set[str]:
    """Character n-grams of the lower-cased text."""
    text = text.lower()
    return {text[i : i + length] for i in range(max(1, len(text) - length + 1))}


def label_table(field: str) -> str:
    """The card's table of a field's values by language."""
    counts = Counter((t.label[field], t.language) for t in TICKETS)
    rows = [
        f"| {value} | {' | '.join(str(counts[value, language]) for language in LANGUAGES)} "
        f"| {sum(counts[value, language] for language in LANGUAGES)} |"
        for value in LABELS[field]
    ]
    return "\n".join([f"| {field} | en | zh | all |", "| --- | ---: | ---: | ---: |", *rows])


def split_table() -> str:
    """The card's table of the sides that the quickstart's recipe makes."""
    from tuneval.data.read import read
    from tuneval.data.split import split
    from tuneval.recipes.load import load_recipe

    recipe = load_recipe(ROOT / "recipes" / "quickstart.yaml")
    sides = split(
        list(read(FOLDER / "tickets.jsonl")),
        held_out=recipe.data.held_out,
        by=recipe.data.by,
        seed=recipe.seed,
    )
    rows = []
    for name, examples in (("training", sides.train), ("held out", sides.held_out)):
        languages = Counter(example.tags["language"] for example in examples)
        groups = len({example.group for example in examples})
        shares = " | ".join(str(languages[language]) for language in LANGUAGES)
        rows.append(f"| {name} | {shares} | {len(examples)} | {groups} |")
    head = ["| side | en | zh | all | groups |", "| --- | ---: | ---: | ---: | ---: |"]
    return "\n".join([*head, *rows])


def test_every_ticket_has_one_shape() -> None:
    roles = [[message["role"] for message in t.record["messages"]] for t in TICKETS]
    assert all(found == ["system", "user", "assistant"] for found in roles)
    assert len({t.record["messages"][0]["content"] for t in TICKETS}) == 1
    assert all(list(t.record) == ["messages", "group", "tags"] for t in TICKETS)


def test_labels_are_from_the_lists() -> None:
    for ticket in TICKETS:
        assert list(ticket.label) == list(LABELS)
        assert all(ticket.label[field] in values for field, values in LABELS.items())


def test_answers_are_compact_json() -> None:
    for ticket in TICKETS:
        answer = ticket.record["messages"][-1]["content"]
        assert answer == json.dumps(ticket.label, separators=(",", ":"))


def test_no_text_stands_twice() -> None:
    counts = Counter(t.text.strip().lower() for t in TICKETS)
    assert [text for text, number in counts.items() if number > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_texts_are_nearly_the_same(language: str) -> None:
    chosen = [(t.text, grams(t.text, GRAMS[language])) for t in TICKETS if t.language == language]
    near = [
        (first, second)
        for (first, a), (second, b) in combinations(chosen, 2)
        if len(a & b) > 0.4 * len(a | b)
    ]
    assert near == []


def test_about_a_third_is_chinese() -> None:
    share = sum(t.language == "zh" for t in TICKETS) / len(TICKETS)
    assert 0.30 <= share <= 0.37


def test_a_text_is_in_the_language_of_its_tag() -> None:
    wrong = [t.text for t in TICKETS if bool(CHINESE.search(t.text)) != (t.language == "zh")]
    assert wrong == []


def test_a_group_never_mixes_languages() -> None:
    languages: dict[str, set[str]] = defaultdict(set)
    for ticket in TICKETS:
        languages[ticket.group].add(ticket.language)
    assert [group for group, found in languages.items() if len(found) > 1] == []


def test_texts_hold_no_address_of_a_person() -> None:
    personal = re.compile(r"@|https?://|\+?\d[\d -]{8,}\d")
    assert [t.text for t in TICKETS if personal.search(t.text)] == []


@pytest.mark.parametrize("field", LABELS)
def test_the_card_counts_labels_as_the_file_does(field: str) -> None:
    assert label_table(field) in CARD, f"the card should have:\n{label_table(field)}"


def test_the_card_counts_messages_and_groups_as_the_file_does() -> None:
    sizes = Counter(Counter(t.group for t in TICKETS).values())
    languages = Counter(t.language for t in TICKETS)
    said = (
        f"{len(TICKETS)} messages: {languages['en']} English, {languages['zh']} Chinese, "
        f"in {sum(sizes.values())} groups."
    )
    assert said in CARD, f"the card should say: {said}"
    by_size = ", ".join(f"{number} of {size}" for size, number in sorted(sizes.items()))
    assert f"Groups by size: {by_size}." in CARD, f"the card should say: {by_size}"


def test_the_card_says_how_the_quickstart_splits() -> None:
    assert split_table() in CARD, f"the card should have:\n{split_table()}"


def test_the_card_names_the_licence_of_the_repository() -> None:
    assert "Licence: Apache-2.0" in CARD
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
