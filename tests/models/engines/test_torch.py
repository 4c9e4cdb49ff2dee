"""The engine of this process, as it is opened by a configuration."""

from __future__ import annotations

import numpy as np
import pytest

from tuneval.models.engines.engine import EngineConfig
from tuneval.models.engines.torch import open_engine
from tuneval.models.forward import Forward
from tuneval.models.sequences import Request


@pytest.mark.parametrize("whole_passes", [True, False])
def test_a_pass_known_in_part_runs_whole_where_that_is_asked(
    tiny_llama_folder, monkeypatch, whole_passes
):
    source = np.random.default_rng(3)
    requests = [Request(source.integers(3, 290, 9), source.integers(3, 290, 2)) for _ in range(6)]
    sizes, real = [], Forward.batch

    def counting(self, row):
        sizes.append(len(row.inputs))
        return real(self, row)

    monkeypatch.setattr(Forward, "batch", counting)
    config = EngineConfig(model=str(tiny_llama_folder), device="cpu", whole_passes=whole_passes)
    told: dict = {}
    with open_engine(config) as engine:
        engine.measure(requests, known={0, 1, 2}, on_batch=told.update)
    assert sizes == [6 if whole_passes else 3]
    assert told.keys() == {3, 4, 5}
