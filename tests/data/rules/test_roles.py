from __future__ import annotations

import pytest


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_known_roles_pass(look, role: str) -> None:
    assert look("roles", {"messages": [{"role": role, "content": "a"}]}) == []


@pytest.mark.parametrize(
    ("role", "mend"),
    [
        ("assisiant", "did you mean 'assistant'?"),
        ("Assistant", "write 'assistant'"),
        ("human", "write 'user'"),
        ("text", "known: assistant, system, tool, user"),
        ("助手", "known: assistant, system, tool, user"),
    ],
)
def test_any_other_role_is_an_error(look, role: str, mend: str) -> None:
    (finding,) = look("roles", {"messages": [{"role": role, "content": "a"}]})
    assert (finding.rule, finding.severity) == ("roles.unknown", "error")
    assert (finding.path, finding.mend) == ("messages[0].role", mend)


def test_a_plain_text_has_no_role(look) -> None:
    assert look("roles", {"text": "a"}, format="text") == []
