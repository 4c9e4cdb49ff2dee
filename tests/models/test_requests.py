from __future__ import annotations

import pickle

import numpy as np
import pytest

from tuneval.errors import ModelError, UsageError
from tuneval.models.requests import PackedRequests, refuse_impossible
from tuneval.models.sequences import Request


def test_packed_requests_come_back_as_they_were(requests):
    packed = pickle.loads(pickle.dumps(PackedRequests.pack(requests)))
    assert packed.ids.dtype == np.int32
    plain = [Request([*map(int, r.context)], [*map(int, r.target)]) for r in packed.unpack()]
    assert plain == requests


def test_requests_that_nothing_can_answer_are_refused_by_number():
    fine, bare, long = Request([1], [2]), Request([], [2]), Request([1] * 5, [2] * 4)
    refuse_impossible([fine, long], None)
    refuse_impossible([fine, long], 8)  # the last token need not be read
    with pytest.raises(UsageError, match="1 requests have no context") as caught:
        refuse_impossible([fine, bare], 8)
    assert caught.value.where == "requests 1"
    with pytest.raises(ModelError, match="longer than the 7 tokens this model reads") as caught:
        refuse_impossible([fine, fine, long], 7)
    assert caught.value.where == "requests 2"
