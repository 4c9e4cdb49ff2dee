"""What is wrong with a task before anybody is asked: its keys, its doubles, what gives it away.

Prompts are compared as their protocol words them; the words that all questions of a subject share
are taken off where a question is looked for elsewhere.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.data.finding import Finding, clip
from tuneval.evaluation.extraction import load_extractor
from tuneval.evaluation.lint.overlap import overlaps
from tuneval.evaluation.lint.positions import skewed_positions
from tuneval.evaluation.lint.texts import normal, stems
from tuneval.evaluation.metrics.extraction import OFFICIAL_KEY
from tuneval.evaluation.question import Question
from tuneval.evaluation.task import Questions, Task

SHORTEST_STEM = 8
"""Characters below which a question may stand in a demonstration by chance."""
CHECKED_BY = ("rule", "instructions")
"""Fields that say themselves what a right answer is like, with no key."""
IDEAL = (
    "{key}",
    "The answer is {key}.",
    "The answer is therefore {key}",
    "答案是{key}。",
    "#### {key}",
    "\\boxed{{{key}}}",
    "所以答案是{key}。",
)
"""Answers that a model might give whose answer is the key; some reading should read it."""


@dataclass(frozen=True, slots=True)
class LintReport:
    """What was found in a task, by rule in the order below, then in the task's order."""

    task: str
    protocol: str
    n_questions: int
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings each rule has."""
        return dict(Counter(finding.rule for finding in self.findings))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"counts": self.counts}


def lint(task: Task, *, training: Sequence[files.Location] = ()) -> LintReport:
    """All that is wrong with a task's questions; with `training` also what stands in those sets.

    Raises DataError for files that cannot be read.
    """
    asked = task.load()
    checked = _Lint(asked)
    found = [
        *checked.empty(),
        *checked.doubles(),
        *checked.keys(),
        *checked.equal_choices(),
        *checked.shown(),
        *skewed_positions(asked.questions, asked.strata),
    ]
    for location in training:
        found += overlaps(asked.questions, asked.strata, Path(location))
    return LintReport(task.title, asked.protocol, len(asked.questions), tuple(found))


@dataclass(frozen=True)
class _Lint:
    asked: Questions

    @cached_property
    def stems(self) -> list[str]:
        return [normal(stem) for stem in stems(self.asked.questions, self.asked.strata)]

    def empty(self) -> Iterator[Finding]:
        """`question.empty`: nothing is asked but what every question has."""
        for question, stem in zip(self.asked.questions, self.stems, strict=True):
            if not stem:
                yield _finding(
                    "question.empty", question, "Nothing is asked.", "leave the question out"
                )

    def doubles(self) -> Iterator[Finding]:
        """`question.duplicate`, and `key.conflict` where equal questions have other keys."""
        same: dict[tuple[str, ...], list[Question]] = defaultdict(list)
        for question in self.asked.questions:
            whole = (question.after or "", question.asked, *question.choices)
            same[tuple(map(normal, whole))].append(question)
        for first, *others in same.values():
            for other in others:
                yield _finding(
                    "question.duplicate",
                    other,
                    f"The question stands at {first.source} too ({first.id}).",
                    "count it once, or give both a group",
                )
                if _key(other) != _key(first):
                    yield _finding(
                        "key.conflict",
                        other,
                        f"Its key is {_key(other)}; at {first.source} ({first.id}) it is "
                        f"{_key(first)}.",
                        "one of the keys is wrong: correct it, or leave both out",
                        severity="error",
                    )

    def keys(self) -> Iterator[Finding]:
        """`key.missing`, `key.outside` the options, `key.unreachable` for the extractor."""
        for question in self.asked.questions:
            if question.way == "read":
                continue
            if any(name in question.fields for name in CHECKED_BY):
                continue
            if question.reference is None and not question.gold:
                yield _finding(
                    "key.missing",
                    question,
                    "No key says what is right.",
                    "let a judge or a person decide, or leave it out",
                    severity="info",
                )
            elif _is_outside(question):
                yield _finding(
                    "key.outside",
                    question,
                    f"The key {clip(question.reference)} is none of the options.",
                    "correct the key; nobody can answer so",
                    severity="error",
                )
            elif not _is_reachable(question):
                yield _finding(
                    "key.unreachable",
                    question,
                    f"The extractor {question.extractor} never reads {clip(_key(question))}.",
                    "ask by a protocol that can, or know that everybody is wrong here",
                    severity="error",
                )

    def equal_choices(self) -> Iterator[Finding]:
        """`options.equal`: two choices are the same text, so that one of them is wrong by luck."""
        for question in self.asked.questions:
            texts = [normal(choice) for choice in question.choices]
            if len(set(texts)) < len(texts):
                twice = Counter(texts).most_common(1)[0][0]
                yield _finding(
                    "options.equal",
                    question,
                    f"Two options are {clip(twice)}.",
                    "correct one of them, or leave the question out",
                )

    def shown(self) -> Iterator[Finding]:
        """`demonstration.asked`: a question stands in a demonstration, with its answer."""
        shown = [normal(text) for text in self.asked.demonstrations]
        for question, stem in zip(self.asked.questions, self.stems, strict=True):
            if len(stem) >= SHORTEST_STEM and any(stem in text for text in shown):
                yield _finding(
                    "demonstration.asked",
                    question,
                    "A demonstration shows this question with its answer.",
                    "take another demonstration, or leave the question out",
                    severity="error",
                )


def _key(question: Question) -> str | None:
    if question.reference is not None or not question.gold:
        return question.reference
    return ", ".join(question.choices[place].strip() for place in question.gold)


def _is_outside(question: Question) -> bool:
    """Whether the key names no option; letters of several right options stand in one text."""
    if question.way == "choose":
        return not question.gold
    classes: Iterable[str] = question.fields.get("classes") or ()
    if question.reference is None or not classes or question.reference in classes:
        return False
    if "reference_labels" in question.fields:
        return not set(question.fields["reference_labels"]) <= set(classes)
    are_letters = all(len(name) == 1 for name in classes)
    return not (are_letters and set(question.reference) <= set(classes))


def _is_reachable(question: Question) -> bool:
    """Whether the reading that counts reads the key out of some answer that says it."""
    if question.extractor is None or question.reference is None:
        return True
    extractor = load_extractor(question.extractor)
    reading, key = extractor.lenient, question.reference
    if extractor.official is not None:
        reading, key = extractor.official, question.fields.get(OFFICIAL_KEY, key)
    written = {question.reference, str(question.tags.get("key", question.reference))}
    return any(reading(ideal.format(key=k)) == key for k in written for ideal in IDEAL)


def _finding(
    rule: str, question: Question, what: str, mend: str, *, severity: Any = "warning"
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        where=question.source,
        example_id=question.id,
        what=what,
        mend=mend,
    )
