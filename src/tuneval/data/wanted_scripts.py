"""Which other languages a person asks for, by the scripts that they are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What a person says who wants another language than his own, or something that has none: words
# that name what is written in a script, and words that leave open which one it shall be.
_NAMED = {
    "latin": "english|pinyin|transliterat|英文|英语|单词|词汇|法语|法文|德语|德文|西班牙|葡萄牙"
    "|意大利|拉丁|代码|程序|编程|脚本|函数|公式|拼音|正则|网址|命令|字母|缩写|查询|网页|化学式|分子式",
    "zh": "chinese|mandarin|cantonese|hanzi",
    "kana": "japanese|kanji|日语|日文",
    "ko": "korean|韩语|韩文",
    "cyrillic": "russian|ukrainian|俄语|俄文",
    "greek": "greek|希腊语|希腊文",
    "arabic": "arabic|persian|阿拉伯语|波斯语",
    "hebrew": "hebrew|希伯来语",
    "devanagari": "hindi|印地语",
    "thai": "thai|泰语|泰文",
}
_LEFT_OPEN = (
    "translat|language|alphabet|(?<![a-z])script|character|翻译|译成|译为|译文|外语|语言|语种"
)
_find_named = re.compile(
    "|".join(f"(?P<{script}>{words})" for script, words in _NAMED.items()), re.IGNORECASE
).finditer
_leaves_open = re.compile(_LEFT_OPEN, re.IGNORECASE).search


@dataclass(frozen=True, slots=True)
class Wanted:
    """Scripts, by the names of `script_weights`, that may be answered in. True if there are any.

    `open`: languages or translating are spoken of, so that one that is not named may be meant.
    """

    scripts: frozenset[str]
    open: bool

    def __bool__(self) -> bool:
        return self.open or bool(self.scripts)


def wanted_scripts(said: str) -> Wanted:
    """What a person's words ask for besides his own script."""
    named = frozenset(match.lastgroup or "" for match in _find_named(said))
    return Wanted(named, _leaves_open(said) is not None)
