"""LoRA: small low-rank matrices beside frozen linear layers. Hu et al., arXiv:2106.09685."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from tuneval.catalog import did_you_mean
from tuneval.errors import ModelError
from tuneval.models.methods.method import Method, TuningMethod

_INIT = re.compile(r"default|pissa(_niter_[1-9]\d*)?")


class LowRank(TuningMethod):
    """Matrices A (rank, in) and B (out, rank) beside a layer; B A times `alpha / rank` is added.

    `use_rslora` divides by √rank instead (Kalajdzievski, arXiv:2312.03732). `use_dora` learns the
    length of each output's weights apart from their direction (Liu et al., arXiv:2402.09353).
    `learning_rate_ratio` is LoRA+'s: how many times faster B learns than A (Hayou et al.,
    arXiv:2402.12354). `target_modules` names layers by the end of their path (`q_proj`);
    "all-linear" is every linear layer but the output head.
    """

    kind: str
    rank: Annotated[int, Field(ge=1)] = 8
    alpha: Annotated[float, Field(gt=0)] = 16
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    target_modules: Literal["all-linear"] | Annotated[tuple[str, ...], Field(min_length=1)] = (
        "all-linear"
    )
    use_rslora: bool = False
    use_dora: bool = False
    learning_rate_ratio: Annotated[float, Field(gt=0)] = 1.0


class LoraConfig(LowRank):
    """`init`: how A and B begin.

    "default" begins with no change, "pissa" with the largest singular values of the layer's own
    weights, "pissa_niter_N" with a fast estimate of them by N subspace iterations.
    """

    kind: Literal["lora"] = "lora"
    init: str = "default"

    @field_validator("init")
    @classmethod
    def _known_init(cls, init: str) -> str:
        if not _INIT.fullmatch(init):
            known = ["default", "pissa", "pissa_niter_4"]
            raise ValueError(f"there is no init '{init}': {did_you_mean(init, known)}")
        return init


def attach(model: Any, config: LoraConfig, tokenizer: Any = None) -> Any:
    """The model in peft's wrapper, only the new matrices trainable; they begin as no change."""
    attached = attach_low_rank(model, config)
    if config.init != "default":
        from tuneval.models.methods import pissa

        pissa.begin(attached, config.init)
    return attached


def attach_low_rank(model: Any, config: LowRank) -> Any:
    """The model in peft's wrapper, with the matrices that all kinds of LoRA have."""
    import peft
    from transformers.pytorch_utils import Conv1D

    targets = config.target_modules
    if targets != "all-linear":
        _refuse_unknown(model, targets)
    settings = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=targets if targets == "all-linear" else list(targets),
        use_rslora=config.use_rslora,
        use_dora=config.use_dora,
        # peft warns of a wrong guess here, and corrects it.
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
    )
    return peft.get_peft_model(model, settings)


def save(model: Any, folder: Path) -> None:
    """Write the adapter; what PiSSA learnt becomes a LoRA of the base as it was."""
    from tuneval.models.methods import pissa

    if pissa.has_begun(model):
        pissa.save(model, folder)
    else:
        model.save_pretrained(str(folder))


def learning_rate_scale(name: str, config: LowRank) -> float:
    """LoRA+: `learning_rate_ratio` for every B."""
    return config.learning_rate_ratio if ".lora_B." in name else 1.0


def _refuse_unknown(model: Any, targets: tuple[str, ...]) -> None:
    """Every target must be the end of some layer's path: peft is content with one that is."""
    import torch

    from tuneval.models.blocks import matrices

    paths = [path for path, _ in matrices(model)]
    paths += [p for p, part in model.named_modules() if isinstance(part, torch.nn.Embedding)]
    unknown = [t for t in targets if not any(p == t or p.endswith(f".{t}") for p in paths)]
    if unknown:
        known = sorted({path.rpartition(".")[2] for path in paths})
        raise ModelError(
            f"The model has no layer called {', '.join(repr(u) for u in unknown)}.",
            where="method.target_modules",
            mend=did_you_mean(unknown[0], known),
        )


METHOD = Method(attach, save, learning_rate_scale)
