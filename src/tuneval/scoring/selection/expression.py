"""What a person writes to choose or rank examples: `ifd < 1 and response_tokens >= 5`.

A small language of its own, read with Python's grammar and never run as Python:

    0.2 < ifd < 1                         comparisons, chained as in mathematics
    task in ["qa", "code"]                one of these; `not in`
    not (repetition > 0.3 or ifd >= 1)    and, or, not
    log(response_ppl) + abs(ifd - 1)      + - * /, abs(x), log(x), min(x, y…), max(x, y…)
    field["topic"] == "law"               a tag, label, label.NAME, group, file

Names are measures and `task`. A facet is read as a number where one is wanted.

Logic has three values (Kleene 1938). An example without a measure is not below 1 and not above it:
`ifd < 1` has no value there, and neither has `not ifd < 1`. `and` is false as soon as one side is,
`or` true as soon as one side is, whatever the other is; so `ifd < 1 or prompt_tokens < 5` keeps an
unscored example with a short prompt. What ends without a value is left out with the reason of the
first part that had none. The same goes for `log` of 0, a division by 0, and a number too large.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError
from tuneval.scoring.selection.candidate import Candidate, Undefined
from tuneval.scoring.selection.grammar import meaning_of
from tuneval.scoring.selection.meaning import Fault, Kind, Meaning, Value

LONGEST = 1000
"""Characters of an expression."""
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that is sound in itself; `refuse_unknown` says whether its names are known."""

    text: str
    meaning: Meaning

    @property
    def kind(self) -> Kind:
        """What it gives: a number, a text or a truth."""
        return self.meaning.kind

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that it names, in order."""
        return tuple(self.meaning.measures)

    @property
    def facets(self) -> tuple[str, ...]:
        """The facets of records that it names, in order."""
        return tuple(self.meaning.facets)

    def value(self, candidate: Candidate) -> Value | Undefined:
        """What it gives for an example, or why it gives nothing."""
        return self.meaning.value(candidate)

    def refuse_unknown(self, measures: Collection[str], scorers: Collection[str] = ()) -> None:
        """Raise UsageError when a name is none of the `measures` that the scores have.

        A name of the `scorers` is one that could have been measured.
        """
        faults = []
        absent = [name for name in self.measures if name not in measures]
        known = [name for name in absent if name in scorers]
        for name in absent:
            if name in known:
                what = f"The scores do not hold '{name}'."
                options = " ".join(f"--measure {each}" for each in [*measures, *known])
                mend = f"score the set with {options}"
            else:
                what = f"There is no measure called '{name}'."
                mend = did_you_mean(name, [*measures, "task"])
            faults.append(Fault(self.meaning.measures[name], what, mend))
        _raise(self.text, faults)


def parse(text: str) -> Expression:
    """The expression. Raises UsageError with every fault, each with its column."""
    if len(text) > LONGEST:
        raise UsageError(
            f"An expression of {len(text)} characters is too long.",
            where=f"{text[:40]}…",
            mend=f"at most {LONGEST}; give several, all of which must hold",
        )
    text = text.strip()
    tree = _tree(text)
    faults: list[Fault] = []
    meaning = meaning_of(tree, _Columns(text).of, faults)
    _raise(text, faults)
    return Expression(text, meaning)


def parse_filter(text: str) -> Expression:
    """An expression that is true or false of an example. Raises UsageError."""
    return _of_kind(parse(text), "truth", "true or false", "compare it, as in `ifd < 1`")


def parse_number(text: str) -> Expression:
    """An expression that is a number. Raises UsageError."""
    return _of_kind(parse(text), "number", "a number", "name a measure, as in `ifd`")


def _of_kind(expression: Expression, kind: Kind, wanted: str, mend: str) -> Expression:
    if expression.kind != kind:
        found = {"number": "a number", "truth": "true or false"}.get(expression.kind, "a text")
        raise UsageError(
            f"The expression gives {found}, and {wanted} is wanted.",
            where=f"`{_shown(expression.text)}`",
            mend=mend,
        )
    return expression


def _tree(text: str) -> ast.expr:
    try:
        with warnings.catch_warnings():  # of odd literals, such as "\d"
            warnings.simplefilter("ignore")
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        above = text.splitlines(keepends=True)[: (error.lineno or 1) - 1]
        at = {None: 1, 0: len(text) + 1}.get(error.offset, error.offset)  # 0 is the end
        column = sum(map(len, above)) + (at or 1)
        said = (error.msg or "it cannot be read").split("(")[0].strip()
        fault = Fault(max(1, column), f"This is no expression: {said}.", _example(text))
        raise _error(text, [fault]) from None
    except (ValueError, RecursionError, MemoryError) as error:
        fault = Fault(1, f"This is no expression: {str(error) or 'it is nested too deep'}.", "")
        raise _error(text, [fault]) from None


def _example(text: str) -> str:
    if "&" in text or "|" in text or "!" in text:
        return "write and, or, not: `ifd < 1 and response_tokens >= 5`"
    if "=" in text and "==" not in text:
        return 'equality has two signs: `task == "qa"`'
    return "write it as `ifd < 1 and response_tokens >= 5`"


class _Columns:
    """Where a node begins, in characters from 1. Python counts bytes, line by line."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines(keepends=True) or [""]

    def of(self, node: ast.AST) -> int:
        """The column of a node."""
        line = min(getattr(node, "lineno", 1), len(self._lines)) - 1
        offset: int = getattr(node, "col_offset", 0)
        start = self._lines[line].encode("utf-8", "surrogatepass")[:offset]
        before = sum(len(each) for each in self._lines[:line])
        return before + len(start.decode("utf-8", "replace")) + 1


def _raise(text: str, faults: list[Fault]) -> None:
    if faults:
        raise _error(text, faults)


def _error(text: str, faults: list[Fault]) -> UsageError:
    columns = ", ".join(str(fault.column) for fault in faults)
    mends: Mapping[str, None] = dict.fromkeys(fault.mend for fault in faults if fault.mend)
    return UsageError(
        " ".join(dict.fromkeys(fault.what for fault in faults)),
        where=f"column {columns} of `{_shown(text)}`",
        mend="; ".join(mends),
    )


def _shown(text: str) -> str:
    """The expression for a message: one line, not too long, halves of surrogates as escapes."""
    line = " ".join(text.encode("utf-8", "backslashreplace").decode("utf-8").split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
