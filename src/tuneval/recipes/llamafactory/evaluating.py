"""What the flags of do_eval, do_predict and export come to, and the model they are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tuneval.errors import UsageError
from tuneval.evaluation.config import config_from
from tuneval.recipes.llamafactory.asked import Asked
from tuneval.recipes.llamafactory.datasets import Chosen
from tuneval.recipes.llamafactory.dialect import CLASSIC, Dialect
from tuneval.recipes.llamafactory.training import length, stage_of
from tuneval.recipes.llamafactory.translation import Evaluation, Export, Result

WITHOUT_MARKUP = ("default", "empty", "fewshot", "vanilla")
BUILT_IN = ("alpaca", "chatml")
WHOLE = ("full", "freeze")
"""Methods that leave a whole model, so that checkpoint_dir names one."""


def results_of(asked: Asked) -> tuple[Result, ...]:
    """Which results are asked for. Texts have none."""
    flags: dict[str, Result] = {"do_eval": "eval", "do_predict": "predict"}
    asked_for = [flag for flag in flags if asked.flag(flag)]
    generate = asked.flag("predict_with_generate")
    if "do_predict" in asked_for and not generate:
        asked.fault("do_predict", "needs predict_with_generate, which writes the predictions")
    for flag in asked_for:
        if stage_of(asked) != "sft":
            asked.fault(flag, "texts cannot be evaluated yet; eval_strategy measures their loss")
    return tuple(flags[flag] for flag in asked_for)


def evaluate_fields(asked: Asked, dialect: Dialect, *, seed: int) -> dict[str, Any]:
    """The fields of an evaluation that the flags say. Answers are drawn unless do_sample is off."""
    fields: dict[str, Any] = {"max_length": length(asked, dialect), "seed": seed}
    if not asked.flag("predict_with_generate"):
        return {"generate": False, **fields}
    for name in ("num_beams", "eval_num_beams", "generation_num_beams"):
        if asked.integer(name, 1) != 1:
            asked.fault(name, "beam search is not there; leave it out")
    for name in ("repetition_penalty", "length_penalty"):
        if asked.number(name, 1.0) != 1.0:
            asked.fault(name, "is not there; 1 is none")
    fields["max_new_tokens"] = _answer_length(asked, dialect)
    top_k = asked.integer("top_k", 50)
    if top_k > 1 and asked.has("top_k"):
        asked.changed("top_k", "sampling is bounded by top_p alone")
    if asked.flag("do_sample", True) and top_k != 1:
        fields["temperature"] = asked.number("temperature", 0.95)
        fields["top_p"] = asked.number("top_p", 0.7)
    return fields


def evaluation_of(
    asked: Asked,
    dialect: Dialect,
    data: Chosen,
    *,
    model: str,
    adapter: str | None,
    seed: int,
) -> Evaluation:
    """An evaluation of a model on a set of its own."""
    return Evaluation(
        file=data.file,
        limit=data.limit,
        model=model,
        adapter=adapter,
        template=template_of(asked, dialect),
        config=config_from(**evaluate_fields(asked, dialect, seed=seed)),
        results=results_of(asked),
    )


def export_of(asked: Asked, dialect: Dialect) -> Export:
    """The export. The older tool's script calls its folder output_dir."""
    model, adapter = tuned_model(asked)
    folder = asked.text("export_dir") or asked.text("output_dir")
    if folder is None:
        raise UsageError("export_dir is missing: where is the model to be written?")
    size = asked.number("export_size", dialect.shard_gigabytes)
    return Export(model, adapter, folder, f"{size:g}GB")


def tuned_model(asked: Asked) -> tuple[str, str | None]:
    """The model and the adapter on it, if it has one; what is no adapter is a model itself."""
    base = base_model(asked)
    if asked.has("quantization_bit"):
        bits = asked.integer("quantization_bit", 0)
        asked.changed("quantization_bit", f"{bits}: as the adapter itself says it was trained")
    folder = _adapter(asked)
    if folder is None:
        return base, None
    is_whole = asked.text("finetuning_type") in WHOLE or _holds_a_model(folder)
    return (folder, None) if is_whole else (base, folder)


def trained_model(asked: Asked) -> str:
    """The model that a training begins with: on an adapter's, only a new one can be trained."""
    base = base_model(asked)
    folder = _adapter(asked)
    if folder is None:
        return base
    anew = asked.flag("create_new_adapter") or not asked.flag("resume_lora_training", True)
    if not anew and not _holds_a_model(folder):
        asked.fault(
            "adapter_name_or_path" if asked.has("adapter_name_or_path") else "checkpoint_dir",
            "a finished adapter is not trained further; with create_new_adapter: true a new one "
            "is trained on the model with this one merged",
        )
    return folder


def base_model(asked: Asked) -> str:
    """`model_name_or_path`."""
    name = asked.text("model_name_or_path")
    if name is None:
        raise UsageError("model_name_or_path is missing: which model?")
    return name


def template_of(asked: Asked, dialect: Dialect) -> str:
    """The chat template: its own name where tuneval has it, else the model's own."""
    name = asked.text("template")
    if name in BUILT_IN:
        return name
    if name in WITHOUT_MARKUP:
        asked.changed("template", f"{name}: plain, whose words differ a little")
        return "plain"
    if name is not None or dialect is CLASSIC:
        asked.changed("template", f"{name or 'not given'}: the model's own chat template")
    return "auto"


def _adapter(asked: Asked) -> str | None:
    flag = "adapter_name_or_path" if asked.has("adapter_name_or_path") else "checkpoint_dir"
    folders = asked.names(flag)
    if len(folders) > 1:
        asked.fault(flag, "one adapter can be named; export the first one merged, and name that")
    return folders[0] if folders else None


def _holds_a_model(folder: str) -> bool:
    names = {path.name for path in Path(folder).glob("*config.json")}
    return "config.json" in names and "adapter_config.json" not in names


def _answer_length(asked: Asked, dialect: Dialect) -> int:
    """Tokens of an answer at most."""
    default = dialect.max_new_tokens
    if asked.has("max_target_length"):
        default = asked.integer("max_target_length", default) + 1
    default = asked.integer("generation_max_length", default)
    return asked.integer("max_new_tokens", default)
