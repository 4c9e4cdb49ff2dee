"""Whether the likeliest of given choices is a right one, by three measures of likely."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import PerItem
from tuneval.evaluation.metric import About, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item

NO_GOLD = "no right choice is known"
Length = Callable[[str], int]


def _row(name: str, length: Length, *, source: str, use: str, avoid: str) -> PerItem:
    def score(item: Item) -> float | Unscored:
        if item.chosen is None:
            return Unscored(item.skipped.get("chosen", "no choices"))
        if not item.chosen.gold:
            return Unscored(NO_GOLD)
        # A blank before a choice parts it from the prompt, and is no part of it.
        sizes = [max(1, length(choice.lstrip())) for choice in item.chosen.choices]
        means = [p / n for p, n in zip(item.chosen.logprobs, sizes, strict=True)]
        return float(means.index(max(means)) in item.chosen.gold)

    about = About(
        name=name,
        family="multiple choice",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("choices",),
        source=source,
        use=use,
        avoid=avoid,
    )
    return PerItem(about=about, score=score, is_binary=True)


CHOICE_ACCURACY = _row(
    "choice_accuracy",
    lambda choice: 1,
    source="share of items whose likeliest choice is right; of equally likely ones the first "
    "(acc of lm-eval)",
    use="where the choices are letters or of one length",
    avoid="where choices are whole sentences: the shortest is favoured",
)
CHOICE_ACCURACY_BY_CHARACTERS = _row(
    "choice_accuracy_by_characters",
    len,
    source="the same with each log-probability divided by the choice's characters "
    "(acc_norm of lm-eval)",
    use="where choices are sentences of different length in one script",
    avoid="for letters, and between scripts: a Chinese character is worth three Latin ones",
)
CHOICE_ACCURACY_BY_BYTES = _row(
    "choice_accuracy_by_bytes",
    lambda choice: len(choice.encode("utf-8", "surrogatepass")),
    source="the same with each log-probability divided by the choice's UTF-8 bytes "
    "(acc_bytes of lm-eval)",
    use="where choices mix Chinese and Latin text",
    avoid="for letters, where it changes nothing",
)
