"""Bottleneck adapters: two small layers with a nonlinearity between, after frozen sublayers.

Houlsby et al., arXiv:1902.00751, put one after attention and one after the feed-forward; Pfeiffer
et al., arXiv:2005.00247, found the second alone nearly as good. peft has neither, so the modules
and the files are tuneval's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tuneval.models.methods.method import Method, TuningMethod


class BottleneckConfig(TuningMethod):
    """Adapters through `size` dimensions, added to what a sublayer gives to the residual stream."""

    cannot_merge: ClassVar[str] = "its nonlinearity has no place in the model's own matrices"
    library: ClassVar[Literal["peft", "tuneval"]] = "tuneval"

    kind: Literal["bottleneck"] = "bottleneck"
    size: Annotated[int, Field(ge=1)] = 64
    nonlinearity: Literal["relu", "gelu", "silu", "tanh"] = "gelu"
    placement: Literal["houlsby", "pfeiffer"] = "houlsby"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


def attach(model: Any, config: BottleneckConfig, tokenizer: Any = None) -> Any:
    """The same model, frozen, with trainable adapters that begin as no change."""
    from tuneval.models.methods.bottleneck_layers import insert

    insert(model.requires_grad_(False), config)
    return model


def save(model: Any, folder: Path) -> None:
    """The adapters' weights and config, under the names that peft gives such files."""
    from tuneval.models.methods.bottleneck_layers import write

    write(model, folder)


def has_bottlenecks(model: Any) -> bool:
    """Whether bottleneck adapters are part of what the model computes."""
    return hasattr(model, "bottleneck_config")


METHOD = Method(attach, save)
