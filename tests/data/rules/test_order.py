from __future__ import annotations

import pytest

CALL = {"function": {"name": "add", "arguments": {}}}
ROLES = {"s": "system", "u": "user", "a": "assistant", "c": "assistant", "t": "tool"}


def turns(letters: str) -> list[dict]:
    """Turns by their letters; c is an assistant turn that calls a tool."""
    rows = [{"role": ROLES[letter], "content": f"text {n}"} for n, letter in enumerate(letters)]
    for row, letter in zip(rows, letters, strict=True):
        if letter == "c":
            row["tool_calls"] = [CALL]
    return rows


@pytest.mark.parametrize(
    "letters", ["ua", "sua", "uaua", "suaua", "ucta", "ucttctaua", "uc", "uauctc"]
)
def test_conversations_in_order_pass(look, letters: str) -> None:
    assert look("order", {"messages": turns(letters)}) == []


@pytest.mark.parametrize(
    ("letters", "kind", "place"),
    [
        ("usa", "system_not_first", 1),
        ("ssua", "system_not_first", 1),
        ("sa", "first_not_user", 1),
        ("a", "first_not_user", 0),
        ("uua", "not_alternating", 1),
        ("uaa", "not_alternating", 2),
        ("u", "no_answer", 0),
        ("s", "no_answer", 0),
        ("uau", "no_answer", 2),
        ("uct", "no_answer", 2),
        ("uta", "tool_without_call", 1),
        ("uata", "tool_without_call", 2),
        ("ucua", "call_without_answer", 2),
        ("uca", "call_without_answer", 2),
        ("uctua", "tool_not_taken_up", 3),
    ],
)
def test_one_fault_is_one_error_at_its_turn(look, letters: str, kind: str, place: int) -> None:
    (finding,) = look("order", {"messages": turns(letters)})
    assert (finding.rule, finding.severity) == (f"order.{kind}", "error")
    assert finding.path == f"messages[{place}].role"


def test_a_fault_in_the_prompt_of_a_preference_is_told_once(look) -> None:
    sides = {"chosen": turns("a"), "rejected": turns("a")}
    (finding,) = look("order", {"prompt": turns("uu")} | sides, format="preference")
    assert (finding.rule, finding.path) == ("order.not_alternating", "prompt[1].role")


def test_each_side_of_a_preference_is_looked_at(look) -> None:
    sides = {"chosen": turns("a"), "rejected": turns("aa")}
    (finding,) = look("order", {"prompt": turns("u")} | sides, format="preference")
    assert (finding.rule, finding.path) == ("order.not_alternating", "rejected[1].role")


def test_a_plain_text_has_no_order(look) -> None:
    assert look("order", {"text": "海内存知己，天涯若比邻。"}, format="text") == []


def test_an_unknown_role_is_left_to_the_rule_about_roles(look) -> None:
    assert look("order", {"messages": [{"role": "assisiant", "content": "a"}]}) == []
