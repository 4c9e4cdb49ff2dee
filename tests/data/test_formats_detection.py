"""Which format a record is in, by its keys."""

from __future__ import annotations

import pytest

from tuneval.data.format import best_formats, detect


@pytest.mark.parametrize(
    ("keys", "format"),
    [
        ("messages", "messages"),
        ("messages tools group tags id", "messages"),
        ("prompt prompt_id messages category", "messages"),  # no_robots
        ("instruction output", "alpaca"),
        ("instruction input output text", "alpaca"),  # Stanford's alpaca
        ("instruction input output label", "alpaca"),
        ("id conversations", "sharegpt"),
        ("conversations system tools", "sharegpt"),
        ("prompt completion", "prompt_completion"),
        ("prompt completion tools", "prompt_completion"),
        ("text", "text"),
        ("text label meta", "text"),
        ("chosen rejected", "preference"),
        ("prompt chosen rejected", "preference"),
        # ultrafeedback_binarized
        ("prompt prompt_id messages chosen rejected score_chosen score_rejected", "preference"),
        ("instruction input output chosen rejected", "preference"),
        ("conversations chosen rejected", "preference"),
        ("conversations system chosen rejected tools", "preference"),
        ("prompt completion label", "kto"),
        ("prompt completion kto_tag", "kto"),
        ("messages label", "kto"),
        ("conversations kto_tag", "kto"),
        ("instruction input output kto_tag", "kto"),
    ],
)
def test_the_format_is_found_by_the_keys(keys: str, format: str) -> None:
    value = dict.fromkeys(keys.split())
    assert [found.name for found in best_formats(value)] == [format]
    detection = detect([value] * 3)
    assert detection.format is not None
    assert detection.format.name == format
    assert "3 of 3" in detection.reason


@pytest.mark.parametrize(
    ("keys", "formats"),
    [
        ("messages conversations", ["messages", "sharegpt"]),
        ("messages instruction output", ["messages", "alpaca"]),
        ("prompt completion chosen rejected", ["prompt_completion", "preference"]),
        ("question answer", []),
        ("prompt", []),
        ("instruction", []),
    ],
)
def test_keys_that_do_not_tell_are_not_guessed_at(keys: str, formats: list[str]) -> None:
    value = dict.fromkeys(keys.split())
    assert [found.name for found in best_formats(value)] == formats
    assert detect([value]).format is None


def test_the_reason_names_the_keys_that_most_records_have() -> None:
    rows = [{"conversations": 1, "rejected": 1, "chosen": 1, "id": 1}] * 2 + [{"prompt": 1}]
    assert detect(rows).reason == (
        "2 of 3 records looked at have 'conversations' and 'rejected' and 'chosen'"
    )
