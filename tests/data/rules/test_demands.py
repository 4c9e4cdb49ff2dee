"""Rules that only some takers ask for: no tools, exact keys, OpenAI's weights, ten records."""

from __future__ import annotations

from tuneval.data.profiles.everyday import EVERYDAY
from tuneval.data.rules import DEMANDS, RULES
from tuneval.data.rules.few_rows import FewRows

TURNS = [{"role": "user", "content": "问"}, {"role": "assistant", "content": "答"}]
CALL = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}


def told(findings: list) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.severity, finding.path) for finding in findings]


def test_they_do_not_run_every_day() -> None:
    assert {*EVERYDAY.rules} | DEMANDS == {*RULES}
    assert not {*EVERYDAY.rules} & DEMANDS


def test_tools_of_every_sort_are_one_error_a_record(look) -> None:
    answer = {"role": "tool", "content": "3"}
    expected = ("tool_roles.present", "error")
    (call,) = look("tool_roles", {"messages": [*TURNS, CALL, answer]})
    assert told([call]) == [(*expected, "messages[2].content")]
    (turn,) = look("tool_roles", {"messages": [*TURNS, answer]})
    assert told([turn]) == [(*expected, "messages[2].role")]
    (tools,) = look("tool_roles", {"messages": TURNS, "tools": [{"name": "f"}]})
    assert told([tools]) == [(*expected, "tools")]


def test_a_conversation_without_tools_passes(look) -> None:
    assert look("tool_roles", {"messages": TURNS, "tools": []}) == []


def test_keys_beyond_the_format_are_one_error_a_record(look) -> None:
    (finding,) = look("extra_keys", {"text": "海", "title": "a", "url": "b"}, format="text")
    assert told([finding]) == [("extra_keys.present", "error", "title")]
    assert "'title', 'url'" in finding.what


def test_group_and_tags_are_tunevals_own(look) -> None:
    (finding,) = look("extra_keys", {"text": "海", "group": "a"}, format="text")
    assert finding.path == "group"


def test_keys_of_messages_count(look) -> None:
    turns = [{"role": "user", "content": "问", "mood": "good"}, TURNS[1]]
    (finding,) = look("extra_keys", {"messages": turns})
    assert finding.path == "messages[].mood"


def test_exact_keys_pass_and_so_do_openais_own(look) -> None:
    assert look("extra_keys", {"text": "海"}, format="text") == []
    turns = [TURNS[0], TURNS[1] | {"weight": 1, "refusal": None}]
    assert look("extra_keys", {"messages": turns, "parallel_tool_calls": False}) == []


def test_a_weight_stands_at_assistant_turns_only(look) -> None:
    turns = [TURNS[0] | {"weight": 0}, TURNS[1] | {"weight": 0}]
    (finding,) = look("weights", {"messages": turns})
    assert told([finding]) == [("weights.not_assistant", "error", "messages[0].weight")]


def test_tunevals_own_switch_is_no_weight(look) -> None:
    (finding,) = look("weights", {"messages": [TURNS[0], TURNS[1] | {"train": False}]})
    assert told([finding]) == [("weights.train", "error", "messages[1].train")]


def test_nine_records_are_too_few_and_ten_are_enough(look) -> None:
    (finding,) = look("few_rows", *[{"messages": TURNS}] * 9)
    assert told([finding]) == [("few_rows.under_ten", "error", "")]
    assert "9 records" in finding.what
    assert look("few_rows", *[{"messages": TURNS}] * 10) == []


def test_records_of_several_parts_add_up(look) -> None:
    first, second = FewRows(), FewRows()
    for rule in (first, second):
        look(rule, *[{"messages": TURNS}] * 6)
    first.merge(second)
    assert list(first.finish()) == []
