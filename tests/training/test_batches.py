from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tuneval.models.packed_attention import use_packed_attention
from tuneval.tokenization import Tokens
from tuneval.training.batches import Collate, EpochSampler, Row, make_rows, shared_prefix_length


def document(prefix: list[int], own: list[int], answer: list[int]) -> Tokens:
    ids = [*prefix, *own, *answer]
    mask = [False] * (len(prefix) + len(own)) + [True] * len(answer)
    return Tokens(np.array(ids, np.int32), np.array(mask), "x")


@pytest.fixture
def documents() -> list[Tokens]:
    source = np.random.default_rng(3)
    prefix = source.integers(5, 200, 12).tolist()
    return [
        document(prefix, source.integers(5, 200, n).tolist(), source.integers(5, 200, m).tolist())
        for n, m in ((4, 3), (9, 1), (1, 6), (30, 5), (7, 2))
    ]


def losses_alone(model, documents) -> tuple[float, list[torch.Tensor]]:
    """Each document in a forward of its own with transformers' standard attention."""
    total = torch.zeros(())
    for d in documents:
        ids = torch.from_numpy(d.ids.astype(np.int64))[None]
        logits = model(input_ids=ids).logits[0, :-1]
        targets = torch.where(torch.from_numpy(d.loss_mask), ids[0], -100)[1:]
        total = total + F.cross_entropy(logits, targets, ignore_index=-100, reduction="sum")
    total.backward()
    return total.item(), _take_gradients(model)


def losses_packed(
    model, rows: list[Row], *, share_prefix: bool
) -> tuple[float, list[torch.Tensor]]:
    batch = Collate(share_prefix=share_prefix)(rows)
    logits = model(
        input_ids=batch["input_ids"],
        position_ids=batch["position_ids"],
        layout=batch["layout"],
        logits_to_keep=batch["target_positions"],
        use_cache=False,
    ).logits[0]
    total = F.cross_entropy(logits, batch["labels"][0], reduction="sum")
    total.backward()
    return total.item(), _take_gradients(model)


def _take_gradients(model) -> list[torch.Tensor]:
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad(set_to_none=True)
    return gradients


@pytest.mark.parametrize("share_prefix", [False, True])
def test_packed_loss_and_gradients_equal_those_of_examples_alone(
    tiny_llama, documents, share_prefix
):
    model = tiny_llama.model
    alone, gradients_alone = losses_alone(model, documents)
    assert use_packed_attention(model)
    try:
        packed, gradients = losses_packed(
            model, [Row(tuple(documents[:3])), Row(tuple(documents[3:]))], share_prefix=share_prefix
        )
    finally:
        model.set_attn_implementation("sdpa")
    assert packed == pytest.approx(alone, rel=1e-5)
    for ours, theirs in zip(gradients, gradients_alone, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_the_shared_prefix_stands_in_the_row_once(documents):
    batch = Collate(share_prefix=True)([Row(tuple(documents))])
    alone = sum(len(d) for d in documents)
    assert batch["layout"].n_shared >= 12
    assert batch["input_ids"].shape[1] == alone - batch["layout"].n_shared * (len(documents) - 1)
    targets = np.concatenate([d.ids[d.loss_mask] for d in documents])
    assert batch["labels"][0].tolist() == targets.tolist()


def test_a_prefix_is_shared_only_up_to_the_token_before_the_first_target():
    same = [document(list(range(20)), [], [7, 8]) for _ in range(2)]
    assert shared_prefix_length(same) == 19
    assert shared_prefix_length([document([], [], list(range(20)))] * 2) == 0


def test_documents_that_differ_early_share_nothing(documents):
    assert shared_prefix_length([documents[0], document([1, 2], [3], [4])]) == 0


def test_rows_hold_every_example_once_and_no_more_than_max_length(documents):
    rows = make_rows(documents, max_length=48, packing=True)
    assert sorted(len(d) for row in rows.rows for d in row.documents) == sorted(map(len, documents))
    assert all(len(row) <= 48 for row in rows.rows)
    assert len(make_rows(documents, max_length=48, packing=False)) == len(documents)


def test_an_epochs_order_depends_on_seed_and_epoch_alone():
    sampler, again = EpochSampler(50, seed=1), EpochSampler(50, seed=1)
    first = list(sampler)
    assert first == list(again) == list(again)
    again.set_epoch(1)
    assert sorted(again) == list(range(50))
    assert list(again) != first
    assert list(EpochSampler(50, seed=2)) != first
