"""What needs an accelerator; all of it skips itself where there is none."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def accelerator():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
