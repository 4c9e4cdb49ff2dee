"""Training on an accelerator gives what training on the CPU gives, within its precision."""

from __future__ import annotations

import pytest
import torch
from sums import sums

from tuneval.files import read_jsonl
from tuneval.models.packed_attention import Layout, packed_attention
from tuneval.training.config import TrainConfig
from tuneval.training.train import TrainResult, train

pytestmark = pytest.mark.gpu


def trained(folder, model, **settings) -> TrainResult:
    known = {
        "duration": {"steps": 12},
        "optimizer": {"learning_rate": 5e-3},
        "batches": {"max_length": 256},
    }
    config = TrainConfig.model_validate(known | settings)
    return train(config, model=str(model), examples=sums(48), folder=folder, template="chatml")


def losses(folder, model, **settings) -> list[float]:
    trained(folder, model, **settings)
    return [row["loss"] for row in read_jsonl(folder / "trainer_log.jsonl")]


def test_packed_attention_is_that_of_the_cpu():
    source = torch.Generator().manual_seed(3)
    layout = Layout(8, ((8, 40), (40, 57), (57, 96)))
    query, key, value = (torch.randn(1, heads, 96, 64, generator=source) for heads in (8, 2, 2))
    module = torch.nn.Module()
    expected, _ = packed_attention(module, query, key, value, None, layout=layout)
    on_device = [tensor.to("cuda", torch.bfloat16) for tensor in (query, key, value)]
    found, _ = packed_attention(module, *on_device, None, layout=layout)
    torch.testing.assert_close(found.float().cpu(), expected, rtol=0.03, atol=0.03)


def test_bfloat16_learns_as_float32_does(tmp_path, tiny_llama_folder):
    exact = losses(tmp_path / "float32", tiny_llama_folder)
    rounded = losses(tmp_path / "bfloat16", tiny_llama_folder, precision={"kind": "bfloat16"})
    assert exact[-1] < 0.9 * exact[0]
    assert rounded == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("bits", [4, 8])
def test_a_quantised_base_is_learnt_upon(tmp_path, tiny_llama_folder, bits):
    method = {"kind": "qlora", "bits": bits, "rank": 8}
    found = losses(tmp_path, tiny_llama_folder, method=method, precision={"kind": "bfloat16"})
    assert found[-1] < found[0]


def test_peak_memory_is_that_of_the_device(tmp_path, tiny_llama_folder):
    result = trained(tmp_path, tiny_llama_folder)
    weights = sum(path.stat().st_size for path in tiny_llama_folder.glob("*.safetensors"))
    assert result.peak_memory_bytes is not None
    assert weights < result.peak_memory_bytes <= torch.cuda.max_memory_reserved()
