"""Keys beside `messages` that make TRL read a record as something else, or not at all.

Found by trying each with SFTTrainer of TRL 1.16: of the whole set the columns decide, so one
record with such a key is enough.
"""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding
from tuneval.data.record import kind_of
from tuneval.data.rule import Rule

_TAKEN = {
    "prompt": "a prompt-completion record",
    "completion": "a prompt-completion record",
    "chosen": "a preference",
    "rejected": "a preference",
    "conversations": "a ShareGPT record",
    "input_ids": "a record that is tokens already",
    "image": "a record with pictures",
    "images": "a record with pictures",
}


class TrlKeys(Rule):
    """trl_keys.reserved, trl_keys.template_arguments, trl_keys.train_ignored (a warning)"""

    marks = ()

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One finding for each such key, one for the first turn with a loss switch."""
        value = draft.record.value or {}
        for key in (key for key in _TAKEN if key in value):
            yield draft.finding(
                "trl_keys.reserved",
                f"The key '{key}' makes TRL take the set for {_TAKEN[key]}.",
                mend="rename or remove the key",
                path=key,
            )
        arguments = value.get("chat_template_kwargs")
        if arguments is not None and not isinstance(arguments, dict):
            yield draft.finding(
                "trl_keys.template_arguments",
                f"chat_template_kwargs is {kind_of(arguments)}, not an object; TRL stops at it.",
                mend='write {"name": value}, or remove the key',
                path="chat_template_kwargs",
            )
        switched = next((turn for turn in draft.turns if turn.train is not None), None)
        if switched is not None:
            yield draft.finding(
                "trl_keys.train_ignored",
                f"{switched.path.removesuffix('.content')} switches the loss; TRL ignores that.",
                mend="train with tuneval, or leave the switch out",
                path=switched.path,
                severity="warning",
            )
