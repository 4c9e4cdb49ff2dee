"""Freeze tuning: a few layers of the model are trained as they are, all others stay.

Where the lowest layers stay, what they compute of an example is the same in every epoch, so that
training can keep it.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from tuneval.catalog import did_you_mean
from tuneval.errors import ModelError
from tuneval.models.methods.method import Method, TuningMethod


class FreezeConfig(TuningMethod):
    """Train the last `layers` layers, or with a negative number the first ones.

    `modules` names parts of these layers (`mlp`, `self_attn.q_proj`); "all" is the whole layer.
    `extra_modules` names parts outside the layers (`norm`, `lm_head`). `cache` keeps on the disk
    what enters the first trained layer, at most `cache_limit_gib` of it.
    """

    saved_as: ClassVar[Literal["adapter", "model"]] = "model"
    cannot_merge: ClassVar[str] = "what it leaves is a whole model already"

    kind: Literal["freeze"] = "freeze"
    layers: int = 3
    modules: Literal["all"] | Annotated[tuple[str, ...], Field(min_length=1)] = "all"
    extra_modules: tuple[str, ...] = ()
    cache: bool = True
    cache_limit_gib: Annotated[float, Field(gt=0)] = 8.0


def attach(model: Any, config: FreezeConfig, tokenizer: Any = None) -> Any:
    """The model with the chosen layers trainable. Raises ModelError for what it does not have."""
    from tuneval.models.blocks import find_blocks

    paths = [block.path for block in find_blocks(model)]
    chosen = _chosen(paths, config.layers)
    # Tied weights have a name at each of their places; by default only the first is listed.
    parameters = dict(model.named_parameters(remove_duplicate=False))
    inside = {
        name: name[len(path) + 1 :]
        for path in chosen
        for name in parameters
        if name.startswith(f"{path}.")
    }
    # Names count from where the layers are: `norm`, not `model.norm`.
    around = paths[0].rsplit(".", 2)[0] + "."
    outside = {
        name: name.removeprefix(around)
        for name in parameters
        if not any(name.startswith(f"{path}.") for path in paths)
    }
    trained = set(inside) if config.modules == "all" else _named(inside, config.modules, "modules")
    trained |= _named(outside, config.extra_modules, "extra_modules")
    model.requires_grad_(False)
    for name in trained:
        parameters[name].requires_grad_(True)
    return model


def _chosen(paths: list[str], layers: int) -> list[str]:
    if not 1 <= abs(layers) <= len(paths):
        raise ModelError(
            f"{layers} layers cannot be trained: the model has {len(paths)}.",
            where="method.layers",
            mend=f"choose 1 to {len(paths)} for the last, -1 to -{len(paths)} for the first ones",
        )
    return paths[-layers:] if layers > 0 else paths[:-layers]


def _named(parameters: dict[str, str], names: tuple[str, ...], field: str) -> set[str]:
    """The parameters below parts of these names, given each parameter's path from there."""
    found: set[str] = set()
    for name in names:
        below = {full for full, path in parameters.items() if f".{name}." in f".{path}"}
        if not below:
            parts = {part for path in parameters.values() for part in path.split(".")[:-1]}
            raise ModelError(
                f"The model has no part called '{name}' "
                f"{'in the trained layers' if field == 'modules' else 'outside its layers'}.",
                where=f"method.{field}",
                mend=did_you_mean(name, sorted(parts)),
            )
        found |= below
    return found


METHOD = Method(attach)
