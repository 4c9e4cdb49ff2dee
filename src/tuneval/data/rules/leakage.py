"""Labels that stand in the question: what shall be predicted can be read off.

Spoken of only where the set is one of labels: few different answers, all of them short. A
question that lists the labels to choose from gives nothing away, and is left alone. Whether
records of one file stand in another one is the matter of `contamination`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tuneval.data.draft import Draft
from tuneval.data.finding import Finding, clip
from tuneval.data.rule import Rule

_LONGEST_LABEL = 40  # characters
_MOST_LABELS = 100
_LEAST_RECORDS = 20
_LEAST_SHARE = 0.1  # of a label's records, from which on it is no chance
_KEPT = 20  # questions of each label, to see whether they list other labels too


class Leakage(Rule):
    """leakage.answer_in_prompt (info)"""

    def __init__(self) -> None:
        self._n_answers: Counter[str] = Counter()
        self._n_in_prompt: Counter[str] = Counter()
        self._first: dict[str, Draft] = {}
        self._prompts: dict[str, list[str]] = {}
        self._has_labels = True

    def see(self, draft: Draft) -> tuple[()]:
        """Count, as long as the answers are few and short."""
        if self._has_labels and draft.kind == "conversation":
            for exchange in draft.exchanges[-1:]:
                self._count(draft, exchange.prompt or "", exchange.response.strip())
        return ()

    def merge(self, later: Rule) -> None:
        """Add up."""
        assert isinstance(later, Leakage)
        if not (self._has_labels and later._has_labels):
            self._give_up()
            return
        self._n_answers += later._n_answers
        self._n_in_prompt += later._n_in_prompt
        self._first = later._first | self._first
        for label, prompts in later._prompts.items():
            self._prompts[label] = (self._prompts.get(label, []) + prompts)[:_KEPT]
        if len(self._n_answers) > _MOST_LABELS:
            self._give_up()

    def finish(self) -> Iterator[Finding]:
        """One info for each label that is given away, at the first record where it is."""
        n_records, n_labels = self._n_answers.total(), len(self._n_answers)
        if n_records < max(_LEAST_RECORDS, 2 * n_labels) or n_labels < 2:
            return
        for label, count in self._n_in_prompt.items():
            n_answers = self._n_answers[label]
            if count < _LEAST_SHARE * n_answers or self._are_choices(label):
                continue
            yield self._first[label].finding(
                "leakage.answer_in_prompt",
                f"The answer {clip(label, 30)} stands in the question of {count} of its "
                f"{n_answers} records, this the first.",
                mend="see whether the questions give the label away; take it out of them if so",
                path=self._first[label].exchanges[-1].path,
                severity="info",
            )

    def _count(self, draft: Draft, prompt: str, answer: str) -> None:
        if len(answer) > _LONGEST_LABEL:
            self._give_up()
            return
        self._n_answers[answer] += 1
        if len(self._n_answers) > _MOST_LABELS:
            self._give_up()
        elif answer in prompt and _stands_in(answer, prompt):
            self._n_in_prompt[answer] += 1
            self._first.setdefault(answer, draft)
            prompts = self._prompts.setdefault(answer, [])
            if len(prompts) < _KEPT:
                prompts.append(prompt)

    def _are_choices(self, label: str) -> bool:
        """Whether most of the questions that hold this label hold others as well."""
        others = [other for other in self._n_answers if other not in label]
        prompts = self._prompts[label]
        listing = sum(any(_stands_in(other, prompt) for other in others) for prompt in prompts)
        return 2 * listing > len(prompts)

    def _give_up(self) -> None:
        """The set is none of labels: forget all."""
        self._has_labels = False
        self._n_answers.clear()
        self._n_in_prompt.clear()
        self._first.clear()
        self._prompts.clear()


def _stands_in(label: str, prompt: str) -> bool:
    """As a word of its own, where words are parted by spaces."""
    before = r"(?<![^\W\d_])" if label[0].isascii() and label[0].isalnum() else ""
    after = r"(?![^\W\d_])" if label[-1].isascii() and label[-1].isalnum() else ""
    return re.search(before + re.escape(label) + after, prompt) is not None
