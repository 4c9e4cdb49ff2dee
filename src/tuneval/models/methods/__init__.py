"""Ways to tune a model, one file and one row each; their configs import no torch.

Verbs: `attach(model, config)` makes a loaded model trainable in the config's way;
`save(model, config, folder)` leaves what was learnt where peft or transformers find it;
`count_parameters(model)` says how much of it is trained.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

from tuneval.catalog import Catalog
from tuneval.errors import ModelError
from tuneval.models.methods.bottleneck import BottleneckConfig, has_bottlenecks
from tuneval.models.methods.freeze import FreezeConfig
from tuneval.models.methods.full import FullConfig
from tuneval.models.methods.ia3 import IA3Config
from tuneval.models.methods.lora import LoraConfig
from tuneval.models.methods.method import Method, TuningMethod
from tuneval.models.methods.p_tuning import PTuningConfig
from tuneval.models.methods.p_tuning_v2 import PTuningV2Config
from tuneval.models.methods.prefix import PrefixConfig
from tuneval.models.methods.prompt import PromptConfig
from tuneval.models.methods.qlora import QloraConfig

__all__ = [
    "METHODS",
    "BottleneckConfig",
    "FreezeConfig",
    "FullConfig",
    "IA3Config",
    "LoraConfig",
    "MethodConfig",
    "PTuningConfig",
    "PTuningV2Config",
    "ParameterCount",
    "PrefixConfig",
    "PromptConfig",
    "QloraConfig",
    "TuningMethod",
    "attach",
    "carries_adapter",
    "count_parameters",
    "learning_rate_scale",
    "save",
]

METHODS = Catalog(
    "method",
    {
        "bottleneck": "tuneval.models.methods.bottleneck:METHOD",
        "freeze": "tuneval.models.methods.freeze:METHOD",
        "full": "tuneval.models.methods.full:METHOD",
        "ia3": "tuneval.models.methods.ia3:METHOD",
        "lora": "tuneval.models.methods.lora:METHOD",
        "p_tuning": "tuneval.models.methods.p_tuning:METHOD",
        "p_tuning_v2": "tuneval.models.methods.p_tuning_v2:METHOD",
        "prefix": "tuneval.models.methods.prefix:METHOD",
        "prompt": "tuneval.models.methods.prompt:METHOD",
        "qlora": "tuneval.models.methods.qlora:METHOD",
    },
)

# A tagged union: in a pydantic model, declare the field with `discriminator="kind"`.
MethodConfig = (
    BottleneckConfig
    | FreezeConfig
    | FullConfig
    | IA3Config
    | LoraConfig
    | PTuningConfig
    | PTuningV2Config
    | PrefixConfig
    | PromptConfig
    | QloraConfig
)


class ParameterCount(NamedTuple):
    """How many parameters are trained, of how many; those that two layers share count once."""

    trainable: int
    total: int

    @property
    def share(self) -> float:
        """The trained part, 0..1."""
        return self.trainable / self.total if self.total else 0.0


def attach(model: Any, config: MethodConfig, tokenizer: Any = None) -> Any:
    """The model, trainable in the way `config` says. The given model is changed in place.

    Raises ModelError when it carries an adapter already: the new weights would depend on it, and
    what is saved would not name it.
    """
    if carries_adapter(model):
        raise ModelError(
            "The model carries an adapter that cannot be merged into it.",
            where=f"method: {config.kind}",
            mend="begin from the model under that adapter",
        )
    return _method(config).attach(model, config, tokenizer)


def carries_adapter(model: Any) -> bool:
    """Whether an adapter that is not merged is part of what the model computes."""
    return hasattr(model, "peft_config") or has_bottlenecks(model)


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
        stored = getattr(getattr(parameter, "quant_state", None), "shape", None) or parameter.shape
        count = getattr(parameter, "ds_numel", None) or math.prod(stored)
        total += count
        trainable += count if parameter.requires_grad else 0
    return ParameterCount(trainable, total)


def _method(config: MethodConfig) -> Method:
    method: Method = METHODS.load(config.kind)
    return method
