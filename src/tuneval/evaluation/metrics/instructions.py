"""Share of checkable instructions that answers follow: IFEval's four figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from tuneval.evaluation.kinds import OfSums, PerItem
from tuneval.evaluation.kinds.per_item import NOT_ANSWERED
from tuneval.evaluation.metric import About, Unscored

if TYPE_CHECKING:
    from tuneval.evaluation.items import Item
    from tuneval.statistics.sample import Floats

NO_INSTRUCTIONS = "no instructions to check"


def _followed(item: Item, *, loosely: bool) -> list[bool] | Unscored:
    from tuneval.evaluation.instructions.follow import followed

    instructions = item.fields.get("instructions")
    if not instructions:
        return Unscored(NO_INSTRUCTIONS)
    if item.predict is None:
        return Unscored(item.skipped.get("generated", NOT_ANSWERED))
    return followed(item.predict, instructions, loosely=loosely)


def _all_followed(item: Item, *, loosely: bool) -> float | Unscored:
    found = _followed(item, loosely=loosely)
    return found if isinstance(found, Unscored) else float(all(found))


def _reason(item: Item, *, loosely: bool) -> str | None:
    found = _followed(item, loosely=loosely)
    return found.reason if isinstance(found, Unscored) else None


def _columns(loosely: bool) -> Callable[[Sequence[Item]], Floats]:
    def columns(items: Sequence[Item]) -> Floats:
        import numpy as np

        found = [_followed(item, loosely=loosely) for item in items]
        rows = [(sum(f), len(f)) for f in found if not isinstance(f, Unscored)]
        return np.array(rows, dtype=np.float64)

    return columns


def _share(sums: Floats) -> Floats:
    share: Floats = sums[..., 0] / sums[..., 1]
    return share


def _about(name: str, *, source: str, use: str, avoid: str) -> About:
    return About(
        name=name,
        family="structured",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("prediction",),
        source=f"Zhou et al. (2023), IFEval: {source}",
        use=use,
        avoid=avoid,
    )


PROMPT_STRICT = PerItem(
    about=_about(
        "prompt_level_strict_acc",
        source="share of answers that follow all their instructions",
        use="as the figure that people quote of IFEval",
        avoid="to compare sets with different numbers of instructions for a prompt",
    ),
    score=partial(_all_followed, loosely=False),
    is_binary=True,
)
PROMPT_LOOSE = PerItem(
    about=_about(
        "prompt_level_loose_acc",
        source="the same, in any of eight forms of the answer: without first or last line, "
        "without asterisks",
        use="beside the strict figure: the gap is what politeness around an answer costs",
        avoid="alone: a wrong last line is forgiven too",
    ),
    score=partial(_all_followed, loosely=True),
    is_binary=True,
)
INSTRUCTION_STRICT = OfSums(
    about=_about(
        "inst_level_strict_acc",
        source="share of all instructions that are followed, prompts as clusters",
        use="where a prompt with three instructions should count for three",
        avoid="as independent trials: the instructions of one prompt stand and fall together",
    ),
    reason=partial(_reason, loosely=False),
    columns=_columns(loosely=False),
    statistic=_share,
    is_share=True,
)
INSTRUCTION_LOOSE = OfSums(
    about=_about(
        "inst_level_loose_acc",
        source="share of all instructions followed in any of the eight forms",
        use="as the most lenient reading",
        avoid="alone, as the loose figure of prompts",
    ),
    reason=partial(_reason, loosely=True),
    columns=_columns(loosely=True),
    statistic=_share,
    is_share=True,
)
