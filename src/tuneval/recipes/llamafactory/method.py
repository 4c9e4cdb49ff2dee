"""The tuning method that `finetuning_type` and its companions name."""

from __future__ import annotations

from typing import Any

from tuneval.recipes.llamafactory.asked import Asked
from tuneval.recipes.llamafactory.dialect import CLASSIC, Dialect

KINDS = ("lora", "freeze", "full", "p_tuning")
_BITS = (4, 8)


def method_of(asked: Asked, dialect: Dialect) -> dict[str, Any]:
    """The section `method` of a train step."""
    match asked.one_of("finetuning_type", KINDS, "lora"):
        case "freeze":
            return _freeze(asked, dialect)
        case "full":
            return {"kind": "full"}
        case "p_tuning":
            kind = "prefix" if asked.flag("prefix_projection") else "p_tuning_v2"
            return {"kind": kind, "virtual_tokens": asked.integer("pre_seq_len", 64)}
    quantized = _quantized(asked)
    rank = asked.integer("lora_rank", 8)
    alpha = asked.number("lora_alpha", dialect.lora_alpha or 2 * rank)
    method = {
        "kind": "qlora" if quantized else "lora",
        **quantized,
        "rank": rank,
        "alpha": alpha,
        "dropout": asked.number("lora_dropout", dialect.lora_dropout),
        "target_modules": _targets(asked, dialect),
    }
    for name in ("use_rslora", "use_dora"):
        if asked.flag(name):
            method[name] = True
    if asked.has("loraplus_lr_ratio"):
        method["learning_rate_ratio"] = asked.number("loraplus_lr_ratio", 1.0)
    if asked.flag("pissa_init"):
        iterations = asked.integer("pissa_iter", 16)
        method["init"] = "pissa" if iterations == -1 else f"pissa_niter_{iterations}"
        if quantized:
            asked.fault("pissa_init", "needs weights that are not quantised")
    return method


def _targets(asked: Asked, dialect: Dialect) -> str | list[str]:
    names = asked.names("lora_target")
    if not names and dialect is CLASSIC:
        asked.changed(
            "lora_target",
            "not given: all linear layers; older versions took query_key_value (ChatGLM's alone) "
            "or q_proj,v_proj",
        )
    return "all-linear" if names in ((), ("all",)) else list(names)


def _freeze(asked: Asked, dialect: Dialect) -> dict[str, Any]:
    older = asked.has("num_layer_trainable") or not asked.has("freeze_trainable_layers")
    layers = asked.integer(
        "num_layer_trainable" if older else "freeze_trainable_layers", dialect.freeze_layers
    )
    modules = asked.names("freeze_trainable_modules") or asked.names("name_module_trainable")
    modules = modules or (dialect.freeze_modules,)
    method: dict[str, Any] = {
        "kind": "freeze",
        "layers": layers,
        "modules": "all" if modules == ("all",) else list(modules),
    }
    if extra := asked.names("freeze_extra_modules"):
        method["extra_modules"] = list(extra)
    return method


def _quantized(asked: Asked) -> dict[str, Any]:
    """The fields of qlora, {} where the base is not quantised."""
    bits = asked.integer("quantization_bit", 0)
    if not bits:
        return {}
    if bits not in _BITS:
        asked.fault("quantization_bit", "4 or 8 is possible")
    library = asked.text("quantization_method", "bnb")
    if library not in ("bnb", "bitsandbytes", "BNB"):
        asked.fault("quantization_method", "only bitsandbytes (bnb) quantises here")
    fields: dict[str, Any] = {"bits": bits}
    if bits == 4:
        fields["quant_type"] = asked.one_of("quantization_type", ("nf4", "fp4"), "nf4")
        fields["double_quant"] = asked.flag("double_quantization", True)
    return fields
