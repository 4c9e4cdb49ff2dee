from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("answer", "rules"),
    [
        ("请联系13812345678。", ["personal_data.phone"]),
        (
            "Write to li@qq.com or to wang@qq.com, or pay to 4111 1111 1111 1111.",
            ["personal_data.email", "personal_data.card"],
        ),
        ("Write to support@example.com by 2024-05-06.", []),
    ],
)
def test_one_finding_of_each_kind_a_turn(look_at_answer, answer: str, rules: list[str]) -> None:
    assert look_at_answer("personal_data", "怎样联系他们？", answer) == rules


def test_a_finding_never_shows_the_whole_of_it(look) -> None:
    (finding,) = look("personal_data", {"text": "身份证11010519491231002X"}, format="text")
    assert (finding.severity, finding.path) == ("warning", "text")
    assert "11***************X" in finding.what
    assert "11010519491231002X" not in str(finding)


def test_an_ip_address_is_an_info(look) -> None:
    (finding,) = look("personal_data", {"text": "from 123.125.114.144"}, format="text")
    assert (finding.rule, finding.severity) == ("personal_data.ip", "info")
