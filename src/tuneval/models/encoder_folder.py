"""What the folder of a sentence encoder says about itself, as sentence-transformers writes it.

`modules.json` lists what a text goes through: a transformer, a pooling of its hidden states, and
often a normalisation to unit length. Reimers and Gurevych (2019), https://www.sbert.net.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from tuneval import files
from tuneval.errors import ModelError

Pooling = Literal["mean", "cls", "lasttoken"]
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)

_MEND = "choose an encoder of a transformer and a pooling: mean, cls or lasttoken"
# Names of the switches in older pooling configs; newer ones have a `pooling_mode`.
_SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


@dataclass(frozen=True, slots=True)
class EncoderFolder:
    """How texts become vectors. `transformer` is the folder that transformers loads.

    `prompt` is put before every text; `max_length` counts tokens, None where the folder does not
    say. A folder without `modules.json` is a transformer whose hidden states are averaged.
    """

    transformer: Path
    pooling: Pooling = "mean"
    max_length: int | None = None
    lower_case: bool = False
    prompt: str = ""


def read_encoder_folder(folder: Path) -> EncoderFolder:
    """What the folder says. Raises ModelError for an encoder that works in another way."""
    modules = _json(folder / "modules.json", [])
    if not modules:
        return _plain_transformer(folder)
    by_type = {str(row["type"]).rpartition(".")[2]: folder / str(row["path"]) for row in modules}
    if by_type.keys() - {"Normalize"} != {"Transformer", "Pooling"}:
        raise ModelError(
            f"The sentence encoder is made of {', '.join(by_type)}.",
            where=str(folder / "modules.json"),
            mend=_MEND,
        )
    transformer = by_type["Transformer"]
    pooling = _json(by_type["Pooling"] / "config.json", {})
    length, lower_case = _limits(transformer)
    return EncoderFolder(
        transformer,
        _pooling(pooling, folder),
        length,
        lower_case,
        _prompt(folder, includes_prompt=pooling.get("include_prompt", True)),
    )


def _plain_transformer(folder: Path) -> EncoderFolder:
    architectures = _json(folder / "config.json", {}).get("architectures") or []
    if any(str(name).endswith(("ForCausalLM", "LMHeadModel")) for name in architectures):
        raise ModelError(
            f"This is a language model ({architectures[0]}), not a sentence encoder.",
            where=str(folder),
            mend=f"write model:{folder} to average its hidden states",
        )
    length, lower_case = _limits(folder)
    return EncoderFolder(folder, "mean", length, lower_case)


def _limits(transformer: Path) -> tuple[int | None, bool]:
    """Longest text in tokens, and whether texts are put in lower case first."""
    for path in sorted(transformer.glob("sentence_*_config.json")):
        said = _json(path, {})
        length = said.get("max_seq_length")
        return (int(length) if length else None), bool(said.get("do_lower_case"))
    return None, False


def _pooling(said: dict[str, Any], folder: Path) -> Pooling:
    modes = said.get("pooling_mode")
    if modes is None:
        modes = [name for switch, name in _SWITCHES.items() if said.get(switch)]
    modes = [modes] if isinstance(modes, str) else list(modes) or ["mean"]
    for known in POOLINGS:
        if modes == [known]:
            return known
    raise ModelError(
        f"The sentence encoder pools by {' and '.join(map(str, modes))}.",
        where=str(folder),
        mend=_MEND,
    )


def _prompt(folder: Path, *, includes_prompt: bool) -> str:
    said = _json(folder / "config_sentence_transformers.json", {})
    name = said.get("default_prompt_name")
    prompt = str((said.get("prompts") or {}).get(name) or "") if name else ""
    if prompt and not includes_prompt:
        raise ModelError(
            "The sentence encoder leaves its own prompt out of the pooling.",
            where=str(folder),
            mend=_MEND,
        )
    return prompt


def _json(path: Path, otherwise: Any) -> Any:
    """The file's content, or `otherwise` where there is no such file."""
    if not path.is_file():
        return otherwise
    content = files.read_json(path)
    if not isinstance(content, type(otherwise)):
        raise ModelError("The encoder's settings are not what they should be.", where=str(path))
    return content
