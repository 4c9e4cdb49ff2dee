"""Which of two families of tools a set of flags is for: they differ in what is not said."""

from __future__ import annotations

from dataclasses import dataclass

from tuneval.recipes.llamafactory.arguments import Arguments

_ONLY_OLDER = {
    *("checkpoint_dir", "resume_lora_training", "max_source_length", "max_target_length"),
    *("num_layer_trainable", "name_module_trainable", "pre_seq_len", "prefix_projection"),
    *("dev_ratio", "source_prefix", "use_v2", "use_auth_token"),
}
_ONLY_NEWER = {
    *("template", "cutoff_len", "adapter_name_or_path", "create_new_adapter", "export_dir"),
    *("val_size", "eval_dataset", "eval_strategy", "packing"),
    *("freeze_trainable_layers", "freeze_trainable_modules"),
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """A tool's defaults, where tuneval's own or the other's differ. `lora_alpha` None: twice the
    rank. Lengths are in tokens; `shard_gigabytes` is the largest file of an export.
    """

    name: str
    lora_alpha: float | None
    lora_dropout: float
    freeze_layers: int
    freeze_modules: str
    max_length: int
    max_new_tokens: int
    shard_gigabytes: float


LLAMA_FACTORY = Dialect("LLaMA-Factory", None, 0.0, 2, "all", 2048, 1024, 5)
CLASSIC = Dialect("ChatGLM-Efficient-Tuning", 32.0, 0.1, 3, "mlp", 1024, 513, 1)


def dialect_of(arguments: Arguments) -> Dialect:
    """The older tool where a flag is its alone, or a command of neither tool's own program has none
    that only the newer knows.

    The first versions of LLaMA-Factory have the older one's flags and defaults.
    """
    given = arguments.values.keys()
    if given & _ONLY_OLDER:
        return CLASSIC
    is_newer = arguments.form != "command" or given & _ONLY_NEWER
    return LLAMA_FACTORY if is_newer else CLASSIC
