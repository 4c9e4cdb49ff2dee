"""LoRA: small low-rank matrices beside frozen linear layers. Hu et al., arXiv:2106.09685."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from tuneval.catalog import did_you_mean
from tuneval.errors import ModelError
from tuneval.models.methods.method import Method, TuningMethod


class LoraConfig(TuningMethod):
    """Adapters of rank `rank`, their output times `alpha / rank`.

    `target_modules` names layers by the end of their path (`q_proj`); "all-linear" is every
    linear layer but the output head.
    """

    kind: Literal["lora"] = "lora"
    rank: Annotated[int, Field(ge=1)] = 8
    alpha: Annotated[float, Field(gt=0)] = 16
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    target_modules: Literal["all-linear"] | Annotated[tuple[str, ...], Field(min_length=1)] = (
        "all-linear"
    )


def attach(model: Any, config: LoraConfig, tokenizer: Any = None) -> Any:
    """The model in peft's wrapper, only the new matrices trainable; they begin as zero change."""
    import peft

    targets = config.target_modules
    if targets != "all-linear":
        _refuse_unknown(model, targets)
    settings = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=targets if targets == "all-linear" else list(targets),
    )
    return peft.get_peft_model(model, settings)


def _refuse_unknown(model: Any, targets: tuple[str, ...]) -> None:
    """Every target must be the end of some layer's path: peft is content with one that is."""
    paths = [name for name, module in model.named_modules() if hasattr(module, "weight")]
    unknown = [t for t in targets if not any(p == t or p.endswith(f".{t}") for p in paths)]
    if unknown:
        known = sorted({path.rpartition(".")[2] for path in paths} - {""})
        raise ModelError(
            f"The model has no layer called {', '.join(repr(u) for u in unknown)}.",
            where="method.target_modules",
            mend=did_you_mean(unknown[0], known),
        )


METHOD = Method(attach)
