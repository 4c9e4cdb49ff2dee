"""Answers that say next to nothing: no word at all, a word for nothing, or far less than asked for.

Short answers are no fault: a letter of a choice, a number, yes or no, a label, JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneval.data.draft import Draft, Exchange
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule

_SHORT = 20  # characters; nothing longer is said in a word for nothing
_MODEST = 400  # characters; an answer of this length may still be far from 500 words
_FRAME = " \t\n\r.…,;:!?-_—–~*\"'`<>()[]。，、；：！？“”‘’（）【】「」《》·"
_NOTHING = frozenset(
    (
        *("n/a", "na", "nan", "nil", "null", "none", "undefined", "todo", "tbd", "ok", "okay"),
        *("no output", "nooutput", "no input", "noinput", "no response", "no answer"),
        *("empty", "blank", "无", "暂无", "略", "空", "好的", "嗯", "同上", "待补充"),
        *("无输出", "没有输出", "无回答", "无答案"),
    )
)
_FAR_LESS = 0.2  # of the words or characters that were asked for
_FEW_WORDS, _FEW_CHARACTERS = 8, 15  # for a whole text
_find_count = re.compile(
    r"(?:at least|a minimum of|no (?:less|fewer) than) (\d{2,5}) words"
    r"|\b(\d{3,5})[- ]word (?:essay|article|story|report|speech|blog|review|paper)"
    r"|(?:不少于|不低于|至少|大约|约)\s?(\d{2,5})\s?个?汉?字(?!以内|以下|之内)"
    r"|(\d{2,5})\s?个?汉?字(?:以上|左右)",
    re.IGNORECASE,
).search
_asks_for_text = re.compile(
    r"\b(?:write|compose|draft) (?:me )?an? (?:(?!for|of|about|to|in|on|that)[\w-]+ ){0,3}"
    r"(?:essay|article|blog post|story|report|speech|novel|letter|poem)\b"
    r"(?! title| headline| outline| prompt| idea| topic|'s)"
    r"|写[一1]?(?:篇|首|封|个)[^。？！，\n]{0,15}"
    r"(?:文章|作文|故事|小说|报告|演讲稿|论文|博客|诗|信)"
    r"(?!的|标题|题目|大纲|开头|结尾|息|号|用)",
    re.IGNORECASE,
).search


class NearEmpty(Rule):
    """near_empty.response, near_empty.too_short (warnings)"""

    def see(self, draft: Draft) -> Iterator[Finding]:
        """One warning for each answer to learn from that says next to nothing."""
        for exchange in draft.exchanges:
            if len(exchange.response) > _MODEST:
                continue
            if _says_nothing(exchange):
                yield draft.finding(
                    "near_empty.response",
                    f"{exchange.path} says nothing: {clip(exchange.response)}.",
                    mend="write the answer, or remove the record",
                    path=exchange.path,
                    severity="warning",
                )
            elif exchange.prompt and (wanted := _wanted(exchange)):
                yield draft.finding(
                    "near_empty.too_short",
                    f"{exchange.path} is {clip(exchange.response, 40)}; {wanted}.",
                    mend="write the answer, or remove the record",
                    path=exchange.path,
                    severity="warning",
                )


def _says_nothing(exchange: Exchange) -> bool:
    if len(exchange.response) > _SHORT:
        return False
    word = exchange.response.strip(_FRAME).casefold()
    if not word:
        return True
    # A word that the prompt offers is a label.
    return word in _NOTHING and word not in (exchange.prompt or "").casefold()


def _wanted(exchange: Exchange) -> str | None:
    """What the prompt asked for, if the answer is far from it."""
    prompt, response = exchange.prompt or "", exchange.response
    is_word_by_word = response.isascii()
    length = len(response.split()) if is_word_by_word else len(response)
    if ("word" in prompt or "字" in prompt) and (count := _find_count(prompt)):
        number = next(int(group) for group in count.groups() if group)
        return f"asked for: {count[0]}" if length < _FAR_LESS * number else None
    few = _FEW_WORDS if is_word_by_word else _FEW_CHARACTERS
    if length < few and (asked := _asks_for_text(prompt)):
        return f"asked for: {clip(asked[0])}"
    return None
