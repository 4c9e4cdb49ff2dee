from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tuneval.models.sequences import (
    Input,
    Request,
    common_prefix,
    distinct_inputs,
    packed_rows,
    padded_batches,
    shared_beginnings,
)

# Few distinct ids, so that sequences often begin alike.
ids = st.lists(st.integers(0, 2), min_size=1, max_size=12)
many_requests = st.lists(st.builds(Request, ids, st.lists(st.integers(0, 2), max_size=8)))


@given(many_requests)
def test_every_target_token_is_read_off_the_output_after_all_that_precedes_it(requests):
    read = {}
    for item in distinct_inputs(requests):
        for reading in item.readings:
            request = requests[reading.request]
            assert list(reading.targets) == list(request.target)
            before = [*request.context, *request.target][:-1]
            assert item.ids[: len(before)].tolist() == before
            assert reading.start == len(request.context) - 1
            read[reading.request] = True
    assert sorted(read) == [i for i, request in enumerate(requests) if request.target]


@given(many_requests)
def test_no_input_begins_another(requests):
    inputs = distinct_inputs(requests)
    for index, item in enumerate(inputs):
        for other in inputs[:index] + inputs[index + 1 :]:
            assert other.ids[: len(item)].tolist() != item.ids.tolist()


@given(many_requests, st.integers(4, 60))
def test_rows_and_batches_hold_every_input_once_within_the_budget(requests, token_budget):
    inputs = distinct_inputs(requests)
    rows = list(packed_rows(inputs, token_budget))
    assert [item for row in rows for item in row.inputs] == inputs
    for row in rows:
        assert len(row) <= token_budget or len(row.inputs) == 1
        first = row.inputs[0].ids[: row.n_shared].tolist()
        assert all(item.ids[: row.n_shared].tolist() == first for item in row.inputs)
        assert all(len(item) > row.n_shared for item in row.inputs)
    batches = list(padded_batches(inputs, token_budget))
    assert sorted(id(item) for batch in batches for item in batch) == sorted(map(id, inputs))
    for batch in batches:
        assert len(batch) * max(map(len, batch)) <= token_budget or len(batch) == 1


def test_choices_of_one_token_cost_one_reading_of_the_question():
    question = list(range(50))
    (only,) = distinct_inputs([Request(question, [choice]) for choice in (60, 61, 62, 63)])
    assert len(only) == 50
    assert len(only.readings) == 4


def test_prompt_and_response_are_read_off_one_input():
    (only,) = distinct_inputs([Request([1, 2, 3], [4, 5]), Request([1], [2, 3])])
    assert only.ids.tolist() == [1, 2, 3, 4]


def test_questions_under_a_long_common_shot_share_it_and_strangers_do_not_spoil_it():
    shot = list(range(400))
    asked = [Request([*shot, *range(n, n + 9)], [7]) for n in (500, 600, 700)]
    strangers = [Request(list(range(800 + n, 1000 + n)), [7]) for n in (0, 300)]
    rows = list(packed_rows(distinct_inputs([*strangers, *asked]), 4096))
    assert [(row.n_shared, len(row.inputs)) for row in rows] == [(400, 3), (0, 2)]
    assert sum(map(len, rows)) == 400 + 3 * 9 + 2 * 200


def test_beyond_the_preferred_length_only_what_shares_most_joins_a_row():
    shot = list(range(400))
    asked = [Request([*shot, *range(500 + 9 * n, 509 + 9 * n)], [7]) for n in range(20)]
    alone = [Request(list(range(1000 + 50 * n, 1050 + 50 * n)), [7]) for n in range(20)]
    rows = list(packed_rows(distinct_inputs([*asked, *alone]), 4096, preferred=500))
    assert [(row.n_shared, len(row.inputs)) for row in rows] == [(400, 20), (0, 10), (0, 10)]


def test_common_prefix_counts_equal_leading_tokens():
    a, b = np.array([1, 2, 3], np.int32), np.array([1, 2, 4, 5], np.int32)
    assert [common_prefix(a, b), common_prefix(a, a), common_prefix(a, b[2:])] == [2, 3, 0]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60), st.integers(1, 400))
def test_padding_is_never_above_five_percent_of_a_batch(lengths, token_budget):
    inputs = [Input(np.zeros(length, np.int32)) for length in lengths]
    for batch in padded_batches(inputs, token_budget):
        padded = len(batch) * max(map(len, batch))
        assert padded - sum(map(len, batch)) <= 0.05 * padded


def test_sequences_that_begin_alike_are_grouped_with_what_all_of_a_group_share():
    source = np.random.default_rng(7)
    heads = [source.integers(0, 9, n) for n in (40, 25, 20)]
    made = [
        np.concatenate([heads[n % 3], source.integers(10, 19, 1 + n)]).astype(np.int32)
        for n in range(12)
    ]
    made.append(source.integers(30, 39, 50).astype(np.int32))
    groups = {tuple(sorted(group)): shared for group, shared in shared_beginnings(made)}
    assert groups == {(0, 3, 6, 9): 40, (1, 4, 7, 10): 25, (2, 5, 8, 11): 20, (12,): 0}


def test_something_of_every_sequence_is_its_own():
    ids = np.arange(20, dtype=np.int32)
    ((group, shared),) = shared_beginnings([ids, ids, np.append(ids, 7).astype(np.int32)])
    assert (sorted(group), shared) == ([0, 1, 2], 19)
    assert list(shared_beginnings([])) == []
    short = [ids[:10], ids[:10]]
    assert [shared for _, shared in shared_beginnings(short)] == [0, 0]


def test_no_group_is_joined_that_would_lose_more_than_is_won():
    head = np.arange(100, dtype=np.int32)
    alike = [np.append(head, n).astype(np.int32) for n in (200, 201, 202)]
    other = np.concatenate([head[:20], np.full(30, 300)]).astype(np.int32)
    groups = sorted((sorted(g), shared) for g, shared in shared_beginnings([*alike, other]))
    assert groups == [([0, 1, 2], 100), ([3], 0)]
