"""Ways to tune a model, one file and one row each; their configs import no torch.

Verbs: `attach(model, config)` makes a loaded model trainable in the config's way;
`count_parameters(model)` says how much of it is trained.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tuneval.catalog import Catalog
from tuneval.models.methods.full import FullConfig
from tuneval.models.methods.lora import LoraConfig

__all__ = [
    "METHODS",
    "FullConfig",
    "LoraConfig",
    "MethodConfig",
    "ParameterCount",
    "attach",
    "count_parameters",
]

METHODS = Catalog(
    "method",
    {
        "full": "tuneval.models.methods.full:attach",
        "lora": "tuneval.models.methods.lora:attach",
    },
)

# A tagged union: in a pydantic model, declare the field with `discriminator="kind"`.
MethodConfig = FullConfig | LoraConfig


class ParameterCount(NamedTuple):
    """How many parameters are trained, of how many; those that two layers share count once."""

    trainable: int
    total: int

    @property
    def share(self) -> float:
        """The trained part, 0..1."""
        return self.trainable / self.total if self.total else 0.0


def attach(model: Any, config: MethodConfig) -> Any:
    """The model, trainable in the way `config` says. The given model is changed in place."""
    return METHODS.load(config.kind)(model, config)


def count_parameters(model: Any) -> ParameterCount:
    """Trained and all parameters of the model."""
    trainable = total = 0
    for parameter in model.parameters():
        # Quantised and sharded parameters carry their real size apart.
        count = getattr(parameter, "ds_numel", None) or parameter.numel()
        total += count
        trainable += count if parameter.requires_grad else 0
    return ParameterCount(trainable, total)
