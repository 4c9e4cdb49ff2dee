"""What a selection is asked to do is checked before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from tuneval.errors import UsageError
from tuneval.scoring.selection.config import SelectConfig, config_from


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"keep": ["ifd < 1", "ifd"]}, "keep: The expression gives a number"),
        ({"keep": ["ifd <"]}, "column 6 of `ifd <`"),
        ({"by": "ifd < 1"}, "by: The expression gives true or false"),
        ({"by": "ifd", "top": "0.2"}, "write a whole number from 1, or 20% for that share"),
        ({"by": "ifd", "top": "many"}, "top: 'many' is no amount"),
        ({"by": "ifd", "top": "5", "pool": "x"}, "pool: 'x' is no amount"),
        ({"top": "20%"}, "Rank with `by`"),
        ({"by": "ifd", "quota": "task"}, "`quota` shares out an amount"),
        ({"random": True}, "`random` shares out an amount"),
        ({"random": True, "by": "ifd", "top": "5"}, "leave `by` out"),
        ({"diverse": "embeddings"}, "`diverse_by: k_center` shares out an amount"),
        ({"by": "ifd", "top": "5", "pool": "9"}, "`pool` is what"),
        ({"threshold": 0.0}, "threshold"),
        ({"ordr": "ascending"}, "ordr"),
    ],
)
def test_a_fault_is_told_with_the_way_out(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        config_from(**fields)
    assert said in str(caught.value)


def test_yaml_may_say_an_amount_as_a_number() -> None:
    assert SelectConfig(by="ifd", top=500).top == "500"  # type: ignore[arg-type]


def test_diversity_by_a_threshold_needs_no_amount() -> None:
    config = config_from(diverse="embeddings", diverse_by="threshold")
    assert config.settings()["threshold"] == 0.9


def test_the_same_filter_twice_is_one() -> None:
    assert config_from(keep=["ifd < 1", " ifd < 1 "]).keep == ("ifd < 1",)
