"""Share of checkable instructions that answers follow: IFEval's four figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfSums, PerItem
from tuneval.evaluation.kinds.per_item import lacks_answer
from tuneval.evaluation.metric import About, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats

NO_INSTRUCTIONS = "no instructions to check"


def _followed(loosely: bool, item: Item) -> list[bool] | Unscored:
    from tuneval.evaluation.instructions.follow import followed

    instructions = item.fields.get("instructions")
    if not instructions:
        return Unscored(NO_INSTRUCTIONS)
    reason = lacks_answer(item)
    if reason is not None:
        return Unscored(reason)
    return followed(item.predict or "", instructions, loosely=loosely)


def _all_followed(loosely: bool, item: Item) -> float | Unscored:
    found = _followed(loosely, item)
    return found if isinstance(found, Unscored) else float(all(found))


def _reason(loosely: bool, item: Item) -> str | None:
    found = _followed(loosely, item)
    return found.reason if isinstance(found, Unscored) else None


def _columns(loosely: bool, items: Sequence[Item]) -> Floats:
    """Instructions followed, and all there are, of each item; (n, 2)."""
    import numpy as np

    found = [_followed(loosely, item) for item in items]
    rows = [(sum(f), len(f)) for f in found if not isinstance(f, Unscored)]
    return np.array(rows, dtype=np.float64)


def _share(sums: Floats) -> Floats:
    share: Floats = sums[..., 0] / sums[..., 1]
    return share


def _of_prompts(loosely: bool, about: About) -> PerItem:
    return PerItem(about=about, score=partial(_all_followed, loosely), is_binary=True)


def _of_instructions(loosely: bool, about: About) -> OfSums:
    return OfSums(
        about=about,
        reason=partial(_reason, loosely),
        columns=partial(_columns, loosely),
        statistic=_share,
        is_share=True,
    )


_ABOUT = About(
    name="prompt_level_strict_acc",
    family="structured",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("prediction",),
    source="Zhou et al. (2023), IFEval: share of answers that follow all their instructions",
    use="as the figure that people quote of IFEval",
    avoid="to compare sets with different numbers of instructions for a prompt",
)
PROMPT_STRICT = _of_prompts(False, _ABOUT)
PROMPT_LOOSE = _of_prompts(
    True,
    replace(
        _ABOUT,
        name="prompt_level_loose_acc",
        source="Zhou et al. (2023), IFEval: the same, in any of eight forms of the answer: without "
        "first or last line, without asterisks",
        use="beside the strict figure: the gap is what politeness around an answer costs",
        avoid="alone: a wrong last line is forgiven too",
    ),
)
INSTRUCTION_STRICT = _of_instructions(
    False,
    replace(
        _ABOUT,
        name="inst_level_strict_acc",
        source="Zhou et al. (2023), IFEval: share of all instructions that are followed, prompts "
        "as clusters",
        use="where a prompt with three instructions should count for three",
        avoid="as independent trials: the instructions of one prompt stand and fall together",
    ),
)
INSTRUCTION_LOOSE = _of_instructions(
    True,
    replace(
        _ABOUT,
        name="inst_level_loose_acc",
        source="Zhou et al. (2023), IFEval: share of all instructions followed in any of the eight "
        "forms",
        use="as the most lenient reading",
        avoid="alone, as the loose figure of prompts",
    ),
)
