"""How lm-eval wants an answer written: its settings of a generation, as far as we follow them."""

from __future__ import annotations

from typing import Any

from tuneval.errors import UsageError

USUAL_NEW_TOKENS = 256
FOLLOWED = {"until", "max_gen_toks", "do_sample", "temperature", "top_p"}
FOR_DRAWING = {"top_k", "min_p", "typical_p"}
"""Settings of a generation that change nothing where answers are greedy."""
WITHOUT_EFFECT: dict[str, tuple[object, ...]] = {"top_k": (None, 0), "min_p": (None, 0)}
USUALLY_WITHOUT = (None, False, 1)
"""Values with which a setting changes nothing: a penalty of 1, one beam, no early stopping."""


def settings_of(given: dict[str, Any]) -> dict[str, Any]:
    """lm-eval's settings of a generation, whole. Raises UsageError for those not followed here."""
    from lm_eval.models.utils import normalize_gen_kwargs

    settings: dict[str, Any] = dict(normalize_gen_kwargs(given, USUAL_NEW_TOKENS))
    settings.setdefault("temperature", 1.0 if settings["do_sample"] else 0.0)
    idle = FOLLOWED | (set() if settings["temperature"] else FOR_DRAWING)
    other = sorted(
        name
        for name, value in settings.items()
        if name not in idle and value not in WITHOUT_EFFECT.get(name, USUALLY_WITHOUT)
    )
    if other:
        raise UsageError(
            f"The task wants answers drawn with {', '.join(other)}, which is not followed here.",
            mend="choose another task, or lm-eval's own model",
        )
    return settings
