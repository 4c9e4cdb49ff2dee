from __future__ import annotations

from types import SimpleNamespace

import pytest

from tuneval.models.packed_attention import Layout, use_packed_attention


def model_with(**settings):
    """What `use_packed_attention` looks at, and a note of what it switched to."""
    config = SimpleNamespace(**settings)
    config.get_text_config = lambda: config
    chosen: list[str] = []
    return SimpleNamespace(
        config=config,
        _supports_attention_backend=True,
        set_attn_implementation=chosen.append,
        chosen=chosen,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {"layer_types": ["full_attention", "conv"]},
        {"layer_types": ["linear_attention", "full_attention"]},
        {"attn_logit_softcapping": 50.0},
        {"attention_chunk_size": 8192},
    ],
)
def test_a_model_whose_layers_would_mix_documents_is_refused(settings):
    model = model_with(**settings)
    assert not use_packed_attention(model)
    assert model.chosen == []


@pytest.mark.parametrize("settings", [{}, {"layer_types": ["full_attention", "sliding_attention"]}])
def test_attention_that_keeps_documents_apart_is_taken(settings):
    model = model_with(**settings)
    assert use_packed_attention(model)
    assert model.chosen == ["tuneval_packed"]


def test_documents_count_on_from_the_shared_beginning():
    layout = Layout(n_shared=2, documents=((2, 5), (5, 7)))
    assert layout.position_ids().tolist() == [[0, 1, 2, 3, 4, 2, 3]]
