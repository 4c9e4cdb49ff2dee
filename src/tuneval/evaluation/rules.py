"""What a right answer must be like, where a rule can tell: the checks of one item.

An answer is compared without regard to case, width of characters and the words that a reasoning
model thinks before it speaks (up to `</think>`; all of it where that is missing). An empty answer
fulfils no rule.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tuneval.evaluation.extraction.extractor import spoken
from tuneval.evaluation.extraction.letters import lenient_letter
from tuneval.evaluation.extraction.numbers import lenient_number, number_form
from tuneval.evaluation.metrics.json_fields import canonical, read_object

Phrase = Annotated[str, Field(min_length=1)]
Bounds = tuple[int | None, int | None]
N_GRAM = 4

_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,]\d+)*")
_UNIT = re.compile(rf"{_HAN.pattern}|[a-z0-9]+")
_MARKER = re.compile(r"^\s*(?:[-*•·]|\(?\d{1,3}[.)、:])\s*")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？…]+[”’」』）]*")
_EDGES = " \t\r\n\"'“”‘’`*.,;:!?。，；：！？、「」『』（）()[]【】"


class Rule(BaseModel):
    """Every check that is given must hold; at least one is.

    `one_of`: the whole answer is one of these, but for quotes and full stops around it. `opens`:
    it begins with one of these, as words of their own. `says`: each phrase stands in it, as words
    of their own; of a list one is enough. `never`: none of these does. `order`: these stand there,
    each behind the one before. `number`, `choice`: the number and the letter that the
    lenient extractors find. `regex`: found in the answer as it stands, over lines. `object`: the
    answer is this JSON object, in a fence or bare.

    `words` (Latin script and numbers), `han` (Chinese characters), `sentences`, `lines` (that are
    not empty): how many, [least, most]; `line_words`, `line_han`: in each line, markers of lists
    not counted. `distinct_lines`, `distinct_openings`: so many lines at least, and no two of them,
    or of their first words, are alike; list markers do not count either. `distinct_4grams`: the
    least share of runs of four words or characters that are not repeats. `language`: most letters
    are of its script.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    one_of: tuple[Phrase, ...] = ()
    opens: tuple[Phrase, ...] = ()
    says: tuple[Phrase | tuple[Phrase, ...], ...] = ()
    never: tuple[Phrase, ...] = ()
    order: tuple[Phrase, ...] = ()
    number: float | None = None
    choice: Annotated[str, Field(pattern="^[A-G]$")] | None = None
    regex: str | None = None
    object: dict[str, Any] | None = None
    words: Bounds | None = None
    han: Bounds | None = None
    sentences: Bounds | None = None
    lines: Bounds | None = None
    line_words: Bounds | None = None
    line_han: Bounds | None = None
    distinct_lines: Annotated[int, Field(ge=1)] | None = None
    distinct_openings: Annotated[int, Field(ge=1)] | None = None
    distinct_4grams: Annotated[float, Field(gt=0, le=1)] | None = None
    language: Literal["en", "zh"] | None = None

    @field_validator("regex")
    @classmethod
    def _is_a_pattern(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"no pattern: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _checks_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("a rule checks nothing")
        return self

    def passes(self, answer: str) -> bool:
        """Whether the answer is as it must be."""
        return not self.broken(answer)

    def broken(self, answer: str) -> list[str]:
        """The checks that the answer fails, by name; ["empty"] for an empty one."""
        said = spoken(answer).strip()
        if not said:
            return ["empty"]
        return [name for name, holds in self._checks(said) if not holds]

    def _checks(self, said: str) -> Iterator[tuple[str, bool]]:
        text = plain(said)
        if self.one_of:
            yield "one_of", text.strip(_EDGES) in {plain(o).strip(_EDGES) for o in self.one_of}
        if self.opens:
            bare = text.lstrip(_EDGES)
            yield "opens", any(_place(phrase, bare) == 0 for phrase in self.opens)
        if self.says:
            groups = [(part,) if isinstance(part, str) else part for part in self.says]
            yield "says", all(any(_place(p, text) >= 0 for p in group) for group in groups)
        if self.never:
            yield "never", all(_place(phrase, text) < 0 for phrase in self.never)
        if self.order:
            yield "order", _stand_in_order(self.order, text)
        if self.number is not None:
            yield "number", lenient_number(said) == number_form(repr(self.number))
        if self.choice is not None:
            yield "choice", lenient_letter(said) == self.choice
        if self.regex is not None:
            yield "regex", re.search(self.regex, said, re.MULTILINE) is not None
        if self.object is not None:
            yield "object", _object(said) == canonical(self.object)
        yield from self._measures(said, text)

    def _measures(self, said: str, text: str) -> Iterator[tuple[str, bool]]:
        n_han = len(_HAN.findall(said))
        lines = [line for line in said.splitlines() if line.strip()]
        for name, count in (
            ("words", _n_words(said)),
            ("han", n_han),
            ("sentences", n_sentences(said)),
            ("lines", len(lines)),
        ):
            bounds: Bounds | None = getattr(self, name)
            if bounds is not None:
                yield name, _within(count, bounds)
        for name, counts in (
            ("line_words", [_n_words(_MARKER.sub("", line)) for line in lines]),
            ("line_han", [len(_HAN.findall(line)) for line in lines]),
        ):
            of_each: Bounds | None = getattr(self, name)
            if of_each is not None:
                yield name, all(_within(count, of_each) for count in counts)
        bare = [_MARKER.sub("", plain(line)).strip(_EDGES) for line in lines]
        openings = [next(iter(_UNIT.findall(line)), "") for line in bare]
        for name, units in (("distinct_lines", bare), ("distinct_openings", openings)):
            least: int | None = getattr(self, name)
            if least is not None:
                yield name, len(set(units)) == len(units) >= least
        if self.distinct_4grams is not None:
            yield "distinct_4grams", share_distinct(_UNIT.findall(text)) >= self.distinct_4grams
        if self.language is not None:
            n_latin = len(re.findall("[a-z]", text))
            yield "language", (n_han > n_latin) == (self.language == "zh") and n_han + n_latin > 0


def plain(text: str) -> str:
    """The text without differences of case, width, or kind of quote."""
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("‘", "'")


def n_sentences(text: str) -> int:
    """How many sentences: by their ends, the last one's end being optional."""
    return sum(bool(_WORD.search(part)) for part in _SENTENCE_END.split(text))


def share_distinct(units: Sequence[str]) -> float:
    """The share of runs of four that are the first of their kind; 1 where there is no run."""
    runs = list(zip(*(units[i:] for i in range(N_GRAM)), strict=False))
    return len(set(runs)) / len(runs) if runs else 1.0


def _n_words(text: str) -> int:
    return len(_WORD.findall(_HAN.sub(" ", text)))


def _stand_in_order(phrases: Sequence[str], text: str) -> bool:
    start = 0
    for phrase in phrases:
        place = _place(phrase, text, start)
        if place < 0:
            return False
        start = place + len(plain(phrase))
    return True


def _place(phrase: str, text: str, start: int = 0) -> int:
    """Where a phrase stands in a plain text as words of their own, from `start`; -1: nowhere."""
    wanted = plain(phrase)
    before = r"(?<![a-z0-9])" if re.match("[a-z0-9]", wanted) else ""
    after = r"(?![a-z0-9])" if re.search("[a-z0-9]$", wanted) else ""
    found = re.compile(before + re.escape(wanted) + after).search(text, start)
    return found.start() if found else -1


def _object(said: str) -> str | None:
    fenced = _FENCE.search(said)
    found = read_object(fenced.group(1) if fenced else said)
    return None if found is None else canonical(json.loads(json.dumps(found)))


def _within(count: int, bounds: Bounds) -> bool:
    least, most = bounds
    return (least is None or count >= least) and (most is None or count <= most)
