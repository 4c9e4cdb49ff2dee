from __future__ import annotations

import pytest
import torch

from tuneval.errors import ModelError
from tuneval.models.kv_cache import places_after
from tuneval.models.sampling import Sampling, choose_tokens, dice_seeds

LOGITS = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]]))


def draw(sampling: Sampling, count: int = 4000) -> torch.Tensor:
    """Share of each token among `count` draws."""
    dice = [torch.Generator().manual_seed(n) for n in range(count)]
    ids = choose_tokens(LOGITS.expand(count, 4), [sampling] * count, dice)
    return torch.bincount(ids, minlength=4) / count


def test_temperature_zero_takes_the_likeliest():
    assert choose_tokens(LOGITS, [Sampling()], []).tolist() == [0]


def test_of_equals_the_first_is_the_likeliest_and_nan_is_none():
    logits = torch.tensor([[1.0, 3, 3], [2, 2, 2]])
    assert choose_tokens(logits, [Sampling()] * 2, []).tolist() == [1, 0]
    with pytest.raises(ModelError, match="NaN"):
        choose_tokens(torch.tensor([[1.0, 2], [1, float("nan")]]), [Sampling()] * 2, [])


def test_draws_follow_the_probabilities():
    assert torch.allclose(draw(Sampling(1.0)), LOGITS.exp()[0], atol=0.03)


def test_temperature_sharpens():
    expected = (LOGITS[0] / 0.5).softmax(-1)
    assert torch.allclose(draw(Sampling(0.5)), expected, atol=0.03)


def test_top_p_keeps_the_fewest_tokens_that_have_so_much_probability():
    shares = draw(Sampling(1.0, top_p=0.6))
    assert torch.allclose(shares, torch.tensor([0.625, 0.375, 0, 0]), atol=0.03)
    assert draw(Sampling(1.0, top_p=0.0001), 50).tolist() == [1, 0, 0, 0]


def test_equally_likely_tokens_are_drawn_alike_in_any_batch():
    """In half precision many tokens have the very same logit."""
    source = torch.Generator().manual_seed(3)
    logits = torch.randint(0, 4, (6, 5000), generator=source).float()
    for top_p in (0.5, 1.0):
        sampling = Sampling(1.0, top_p)

        def drawn(rows: list[int], sampling: Sampling = sampling) -> list[int]:
            dice = [torch.Generator().manual_seed(row) for row in rows]
            return choose_tokens(logits[rows], [sampling] * len(rows), dice).tolist()

        assert drawn(list(range(6))) == [drawn([row])[0] for row in range(6)]
        assert drawn([5, 2, 0]) == [drawn([row])[0] for row in (5, 2, 0)]


def test_dice_differ_by_prompt_seed_and_occurrence():
    seeds = dice_seeds([[1], [2], [1]], 7)
    assert len({*seeds, *dice_seeds([[1]], 8)}) == 4
    assert dice_seeds([[1], [1]], 7) == [seeds[0], seeds[2]]


def test_the_last_rows_take_the_places_that_became_free():
    order, moved = places_after([False, True, False, True, True])
    assert order == [3, 1, 4]
    assert moved == [(3, 0), (4, 2)]
    assert places_after([True, True]) == ([0, 1], [])
    assert places_after([False, False]) == ([], [])
