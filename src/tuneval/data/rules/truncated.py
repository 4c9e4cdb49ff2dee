"""Answers that break off: the model, or the person, that wrote them was cut short.

Only what can hardly be meant: an answer that ends in a comma or an open bracket, on a word that
asks for another one, on the mark of a list item, in an open code block or open JSON; or a long
one whose last paragraph has whole sentences and then an unfinished one. Missing full stops after
short answers, names, formulas, verse and list items are no sign of anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule

IN_CODE, IN_JSON = "in an open code block", "in open JSON"

_LONG = 40  # characters, from which on an answer is more than a label or a name
_WRITTEN_OUT = 200  # from which on a writer who ends sentences ends the last one too
_TAIL = 1000  # of a long paragraph this much is looked at
_ENDS = ".!?。！？…\"'”’)）]】}」》>*_~`|:：;；%"
_OPEN_ENDS = ",，、:：（([{【《「“"

_item_mark = re.compile(r"\s*(?:\d{1,3}[.)、．]|[-*•])\s").match
_mark_of_item = re.compile(r"\n\s*(?:\d{1,3}[.)、．]|[-*•])\s*$").search
_asks_for_more = re.compile(
    r"(?:\b(?:the|a|an|of|and|or|which|because|their|its|our|your|than|into|such|from|but|while"
    r"|whose|including|between)|[\u4e00-\u9fff](?:和|与|及|以及|或者|并且|因为|但是|如果|对于|关于|通过))$"
).search
_fence = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_json_start = re.compile(r"[\[{]\s*[\[{\"\d]").match
_sentence_end = re.compile(r"(?:[.!?][\"”’)]?\s+(?=[A-Z\"“(])|[。！？][”」）]?)")
_formula = re.compile(r"[=≈#@<>{}\\|]|https?:|www\.").search


class Truncated(Rule):
    """truncated.response (warning)"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One warning for each answer to learn from that breaks off."""
        for exchange in draft.exchanges:
            response = exchange.response.rstrip()
            if how := breaks_off(response):
                yield draft.finding(
                    "truncated.response",
                    f"{exchange.path} breaks off {how}: {clip('…' + response[-30:], 40)}.",
                    mend="complete the answer or remove the record",
                    path=exchange.path,
                    severity="warning",
                )


def breaks_off(response: str) -> str | None:
    """How an answer breaks off; None where it is whole, or empty."""
    response = response.rstrip()
    if not response:
        return None
    last = response[-1]
    if "```" in response and len(_fence.findall(response)) % 2:
        return IN_CODE
    if response[0] in "[{" and last not in "]}" and _is_open_json(response):
        return IN_JSON
    if len(response) < _LONG and not _is_chinese(response):
        return None
    if last in _OPEN_ENDS:
        return f"after {clip(last)}"
    if last in _ENDS and last not in ".)":
        return None
    if _mark_of_item(response, max(0, len(response) - 20)):
        return "at the mark of a list item"
    if last in _ENDS:
        return None
    if _asks_for_more(response, len(response) - 20):
        return "on a word that wants another"
    if len(response) >= _WRITTEN_OUT and _stops_in_sentence(response):
        return "in the middle of a sentence"
    return None


def _is_chinese(response: str) -> bool:
    """Whether it is a Chinese answer of half that length: each character says more."""
    return len(response) >= _LONG // 2 and not response.isascii()


def _is_open_json(response: str) -> bool:
    opened = response.count("{") + response.count("[")
    return _json_start(response) is not None and opened > response.count("}") + response.count("]")


def _stops_in_sentence(response: str) -> bool:
    """Whether the last paragraph has a whole sentence, and then several words without an end."""
    paragraph = response[-_TAIL:].rpartition("\n")[2]
    if mark := _item_mark(paragraph):
        paragraph = paragraph[mark.end() :]
    ends = list(_sentence_end.finditer(paragraph))
    if not ends or not response[-1].isalnum():
        return False
    rest = paragraph[ends[-1].end() :]
    several = rest.count(" ") >= 3 if rest.isascii() else len(rest) >= 3
    return several and not _formula(rest)
