"""What a changed input costs: how far a metric falls, and what is left at an item's worst.

An item and its perturbed copies are one family; families that share a group hang together.
"""

from __future__ import annotations

from dataclasses import replace

from tuneval.evaluation.kinds import OfArgument
from tuneval.evaluation.kinds.drop import Drop
from tuneval.evaluation.kinds.worst import Worst
from tuneval.evaluation.metric import About


def _drop_of(argument: str) -> Drop:
    from tuneval.evaluation.metrics import load_metric

    inner = load_metric(argument)
    least, most = inner.about.range
    about = replace(
        _DROP,
        name=f"robustness_drop:{argument}",
        unit=inner.about.unit,
        higher_is_better=None if inner.about.higher_is_better is None else False,
        range=(least - most, most - least),
    )
    return Drop(about=about, inner=inner)


def _worst_of(argument: str) -> Worst:
    from tuneval.evaluation.metrics import load_metric

    inner = load_metric(argument)
    about = replace(
        _WORST,
        name=f"worst_case:{argument}",
        unit=inner.about.unit,
        higher_is_better=inner.about.higher_is_better,
        range=inner.about.range,
    )
    return Worst(about=about, inner=inner)


_DROP = About(
    name="robustness_drop",
    family="robustness",
    unit="share",
    higher_is_better=False,
    range=(-1.0, 1.0),
    needs=("perturbed answers", "other metrics"),
    source="the metric on the questions less that on their perturbed copies (the other way round "
    "where lower is better); perturbations: typos, case, spacing, synonyms, contractions, "
    "punctuation, adversarial_suffix, and for Chinese homophones and traditional_simplified",
    use="to see what slips of the pen or another spelling cost; positive is a loss",
    avoid="beside a drop from a lower height: who guesses anyhow has nothing to lose",
)
_WORST = About(
    name="worst_case",
    family="robustness",
    unit="share",
    higher_is_better=True,
    range=(0.0, 1.0),
    needs=("perturbed answers", "other metrics"),
    source="HELM (Liang et al. 2022), robustness: the worst grade of each item over its own input "
    "and the perturbed ones; the highest where lower is better, where HELM takes the lowest",
    use="where one wrong answer among equal questions is one too many",
    avoid="between different numbers of perturbations: more of them can only make it worse",
)
ROBUSTNESS_DROP = OfArgument(about=_DROP, argument="metric", make=_drop_of, example="exact_match")
WORST_CASE = OfArgument(about=_WORST, argument="metric", make=_worst_of, example="exact_match")
