from __future__ import annotations

import threading

import pytest

from tuneval.training.read_ahead import ReadAhead


def test_all_comes_in_its_order_and_ends():
    ahead = ReadAhead(iter(range(5)), 2)
    assert list(ahead) == [0, 1, 2, 3, 4]
    assert list(ahead) == []


def test_the_next_ones_are_made_while_one_is_in_use():
    made = [threading.Event() for _ in range(6)]

    def source():
        for event in made:
            event.set()
            yield event

    ahead = ReadAhead(source(), 2)
    first = next(ahead)
    assert first is made[0]
    assert made[2].wait(timeout=10)
    assert not made[4].is_set()
    ahead.close()


def test_an_error_of_the_source_comes_out_in_its_turn():
    def source():
        yield 1
        raise ValueError("torn")

    ahead = ReadAhead(source(), 3)
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="torn"):
        next(ahead)
    ahead.close()
