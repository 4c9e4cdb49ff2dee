from __future__ import annotations

import torch

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


def test_draws_follow_the_probabilities():
    assert torch.allclose(draw(Sampling(1.0)), LOGITS.exp()[0], atol=0.03)


def test_temperature_sharpens():
    expected = (LOGITS[0] / 0.5).softmax(-1)
    assert torch.allclose(draw(Sampling(0.5)), expected, atol=0.03)


def test_top_p_keeps_the_fewest_tokens_that_have_so_much_probability():
    shares = draw(Sampling(1.0, top_p=0.6))
    assert torch.allclose(shares, torch.tensor([0.625, 0.375, 0, 0]), atol=0.03)
    assert draw(Sampling(1.0, top_p=0.0001), 50).tolist() == [1, 0, 0, 0]


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
