"""Which part of a prompt is the question in words, and what in it must stay as it is.

Changed is what is asked: neither the layout of the prompt, nor the options and what follows them,
nor anything that the right answer hangs on: numbers, formulae, code, short quotations, names in
capitals, blanks to fill, and every place where the key itself is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tuneval.evaluation.question import Question
from tuneval.evaluation.robustness.edits import Passage, Span

LONGEST_KEY = 100
"""Characters up to which a text of the task's fields is a key or a word to use, not a passage."""
_LONGEST_CUE = 80

_KEPT = re.compile(
    r"""
      ```.*?```                                 # code
    | `[^`\n]+`
    | \$\$.+?\$\$ | \$[^$\n]+\$                 # formulae
    | \\\[.+?\\\] | \\\(.+?\\\) | \\[A-Za-z]+(?:\{[^{}]*\})*
    | https?://\S+ | [\w.+-]+@[\w-]+\.[\w.]+    # addresses
    | "[^"\n]{1,40}" | “[^”\n]{1,40}” | ‘[^’\n]{1,40}’ | 「[^」\n]{1,40}」 | 『[^』\n]{1,40}』
    | 《[^》\n]{1,40}》
    | <[^<>\n]+> | \{[^{}\n]*\} | \[[^\[\]\n]*\]    # tags and places to fill
    | _{2,} | [(（]\s*[)）]
    | [A-Za-z]*\d(?:[\w.,:/%^+*=×÷°-]*[\w%°])?  # numbers and what hangs on them: 3x, H2O, 10:30
    | [A-Za-z]\w*(?:(?:\s*[=+*^×÷]\s*|\s+[-/<>]\s+)\w+)+      # a + b = c / d
    | [A-Za-z]+[A-Z]\w* | \b[A-Z]\b             # DNA, NaCl, point A
    | ^[^\n:：]{1,24}[:：]                      # Question:   答案：
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_FIRST_OPTION = re.compile(r"(?:^|(?<=\s)|(?<=[:：]))([(（]?)A([)）.．、])", re.MULTILINE)
_OPTIONS_CUE = re.compile(
    r"(?:Answer Choices|Choose from the following options|Choices|Options|选项|从以下选项中选择)"
    r"\s*[:：]\s*$"
)
_LABEL = re.compile(r"[^\n:：]{1,24}[:：]")


class Asked(NamedTuple):
    """A prompt's text in two parts: what asks, and the options and layout after it."""

    passage: Passage
    after: str


def asked(text: str, question: Question, *, is_turn: bool) -> Asked:
    """The part of `text` that asks, with the stretches of it that stay.

    It ends at the first option, or where the answer begins: in a last line such as "Answer:".
    `is_turn`: the text is a whole turn of a chat, which the answer does not go on.
    """
    end = min(_options_at(text), _cue_at(text, is_turn=is_turn))
    body = text[:end]
    kept = [*(match.span() for match in _KEPT.finditer(body)), *_places(body, question)]
    return Asked(Passage(body, tuple(sorted(kept))), text[end:])


def _options_at(text: str) -> int:
    """Where the options begin, with their heading: an A, then a B marked alike. Else the end."""
    for match in _FIRST_OPTION.finditer(text):
        opening, closing = map(re.escape, match.groups())
        if re.search(rf"(?:^|\s|[;；]){opening}B{closing}", text[match.end() :], re.MULTILINE):
            heading = _OPTIONS_CUE.search(text[: match.start()])
            return heading.start() if heading else match.start()
    return len(text)


def _cue_at(text: str, *, is_turn: bool) -> int:
    """Where the last of several lines begins, if it is a label that asks for the answer."""
    start = text.rstrip().rfind("\n") + 1
    line = text[start:].strip()
    label = _LABEL.match(line)
    is_cue = label is not None and (
        label.end() == len(line) or (not is_turn and len(line) <= _LONGEST_CUE)
    )
    return start if start and is_cue else len(text)


def _places(text: str, question: Question) -> Iterator[Span]:
    for key in keys_of(question):
        edge = r"(?<![A-Za-z0-9])" if key[0].isascii() else ""
        end = r"(?![A-Za-z0-9])" if key[-1].isascii() else ""
        for match in re.finditer(edge + re.escape(key) + end, text, re.IGNORECASE):
            yield match.span()


def keys_of(question: Question) -> set[str]:
    """Every text that grading this question looks for: reference, choices, words in its fields."""
    texts = [question.reference or "", *question.choices, *_texts_in(question.fields)]
    return {key for text in texts if 0 < len(key := text.strip()) <= LONGEST_KEY}


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts_in(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts_in(part)
