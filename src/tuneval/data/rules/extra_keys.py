"""Exactly the keys of the format, for those who refuse any other."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule

_OWN = ("group", "tags")  # keys that only tuneval knows
# OpenAI's, of which a conversation for training needs nothing.
_HARMLESS = {"parallel_tool_calls", "messages[].refusal", "messages[].audio"}


class ExtraKeys(Rule):
    """extra_keys.present"""

    marks = ()

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One error for each record, or turn in it, that has keys beyond those of its format."""
        value = draft.record.value
        if value is None:
            return
        found = [key for key in draft.unused_keys if key not in _HARMLESS]
        found += [key for key in _OWN if key in value]
        if found:
            keys = list(dict.fromkeys(found))
            more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
            yield draft.finding(
                "extra_keys.present",
                f"The format has no key {', '.join(map(clip, keys[:5]))}{more}.",
                mend="remove what is not part of the format",
                path=keys[0],
            )
