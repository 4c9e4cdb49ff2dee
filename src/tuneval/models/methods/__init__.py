"""Ways to tune a model, one file and one row each; their configs import no torch.

Verbs: `attach(model, config)` makes a loaded model trainable in the config's way;
`save(model, config, folder)` leaves what was learnt where peft or transformers find it;
`count_parameters(model)` says how much of it is trained.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from tuneval.catalog import Catalog
from tuneval.models.methods.full import FullConfig
from tuneval.models.methods.lora import LoraConfig
from tuneval.models.methods.method import Method, TuningMethod

__all__ = [
    "METHODS",
    "FullConfig",
    "LoraConfig",
    "MethodConfig",
    "ParameterCount",
    "TuningMethod",
    "attach",
    "count_parameters",
    "learning_rate_scale",
    "save",
]

METHODS = Catalog(
    "method",
    {
        "full": "tuneval.models.methods.full:METHOD",
        "lora": "tuneval.models.methods.lora:METHOD",
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


def attach(model: Any, config: MethodConfig, tokenizer: Any = None) -> Any:
    """The model, trainable in the way `config` says. The given model is changed in place."""
    return _method(config).attach(model, config, tokenizer)


def save(model: Any, config: MethodConfig, folder: Path) -> None:
    """Write what was learnt, with its config, into an empty folder."""
    _method(config).save(model, folder)


def learning_rate_scale(name: str, config: MethodConfig) -> float:
    """What the learning rate of the parameter `name` is multiplied by."""
    return _method(config).learning_rate_scale(name, config)


def count_parameters(model: Any) -> ParameterCount:
    """Trained and all parameters of the model."""
    trainable = total = 0
    for parameter in model.parameters():
        # Quantised and sharded parameters carry their real size apart.
        count = getattr(parameter, "ds_numel", None) or parameter.numel()
        total += count
        trainable += count if parameter.requires_grad else 0
    return ParameterCount(trainable, total)


def _method(config: MethodConfig) -> Method:
    method: Method = METHODS.load(config.kind)
    return method
