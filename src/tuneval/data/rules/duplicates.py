"""The same conversation twice, and the same question answered differently."""

from __future__ import annotations

from collections.abc import Iterator

from tuneval.data.duplicates import conflicting_answers, exact_duplicates
from tuneval.data.example import Example
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import WholeFileRule


class Duplicates(WholeFileRule):
    """duplicates.exact, duplicates.conflicting_answers"""

    def finish(self) -> Iterator[Finding]:
        """A warning at the later record of each pair; it names the first."""
        for pair in exact_duplicates(self.examples):
            yield _warning(
                "duplicates.exact",
                pair.second,
                f"This is the same conversation as in line {pair.first.source.line}.",
                "remove one of them, unless it is meant to weigh more"
                if pair.first.group == pair.second.group
                else "give both the same group, or remove one: a split may part them",
            )
        for pair in conflicting_answers(self.examples):
            yield _warning(
                "duplicates.conflicting_answers",
                pair.second,
                f"The same question as in line {pair.first.source.line} is answered otherwise: "
                f"{clip(pair.second.answer or '', 50)}, there {clip(pair.first.answer or '', 50)}.",
                "decide which answer is right, if only one can be",
            )


def _warning(rule: str, example: Example, what: str, mend: str) -> Finding:
    return Finding(
        rule=rule,
        severity="warning",
        where=str(example.source),
        example_id=example.id,
        what=what,
        mend=mend,
    )
