"""P-tuning: trained embeddings out of a small network. Liu et al., arXiv:2103.10385."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tuneval.models.methods.method import Method
from tuneval.models.methods.virtual import VirtualTokensMethod, wrap


class PTuningConfig(VirtualTokensMethod):
    """Virtual tokens out of an `mlp` of three layers, or of an `lstm` and two layers after it.

    `encoder_hidden_size` null is the width of the model. `encoder_layers` and `encoder_dropout`
    (between them) are those of the LSTM.
    """

    kind: Literal["p_tuning"] = "p_tuning"
    encoder: Literal["mlp", "lstm"] = "mlp"
    encoder_hidden_size: Annotated[int, Field(ge=1)] | None = None
    encoder_layers: Annotated[int, Field(ge=1)] = 2
    encoder_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    OF_THE_LSTM: ClassVar[tuple[str, ...]] = ("encoder_layers", "encoder_dropout")

    @model_validator(mode="after")
    def _nothing_that_would_be_ignored(self) -> Self:
        if self.encoder == "mlp":
            for name in self.OF_THE_LSTM:
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise ValueError(f"{name} is for encoder 'lstm', not 'mlp'")
        if self.encoder_dropout and self.encoder_layers == 1:
            raise ValueError("encoder_dropout lies between layers, and there is one")
        return self


def attach(model: Any, config: PTuningConfig, tokenizer: Any = None) -> Any:
    """The model in peft's wrapper, only the encoder of the virtual tokens trainable."""
    import peft

    settings = peft.PromptEncoderConfig(
        task_type="CAUSAL_LM",
        num_virtual_tokens=config.virtual_tokens,
        encoder_reparameterization_type=config.encoder.upper(),
        encoder_hidden_size=config.encoder_hidden_size,
        encoder_num_layers=config.encoder_layers,
        encoder_dropout=config.encoder_dropout,
    )
    return wrap(model, settings)


METHOD = Method(attach)
