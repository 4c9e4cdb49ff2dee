"""The weighted mean of several metrics, each brought to a scale from 0 to 1, higher better.

`combined:0.7*exact_match+0.3*rouge_l`. The weights are made to sum to 1; they and each part's own
figure stand in the result's detail. A metric whose range has no end cannot be brought to a scale
and is refused; `expression` computes with any figure.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from tuneval.errors import UsageError
from tuneval.evaluation.kinds import OfArgument, OfMetrics
from tuneval.evaluation.metric import About
from tuneval.evaluation.metrics.expressions import part_of_figures
from tuneval.evaluation.metrics.formula import Formula, Name, read_formula

if TYPE_CHECKING:
    from tuneval.evaluation.kinds.of_metrics import Figures
    from tuneval.statistics.sample import Floats


def scaled(value: Floats, about: About) -> Floats:
    """A figure on a scale from 0, the worst of its range, to 1, the best."""
    least, most = about.range
    share: Floats = (value - least) / (most - least)
    return share if about.higher_is_better else 1 - share


def _of_weights(text: str) -> OfMetrics:
    formula = read_formula(text, "figures")
    given: dict[str, float] = {}
    parts = {}
    for name, weight in _terms(formula.tree, text):
        part = part_of_figures(name, text)
        _check_scale(part.about, text)
        parts[part.about.name] = part
        given[part.about.name] = given.get(part.about.name, 0.0) + weight
    total = sum(given.values())
    weights = {name: weight / total for name, weight in given.items()}

    def combine(figures: Figures) -> Floats:
        import numpy as np

        found = [
            weight * scaled(figures[name], parts[name].about) for name, weight in weights.items()
        ]
        return np.asarray(sum(found))

    return OfMetrics(
        about=replace(COMBINED.about, name=f"combined:{text}"),
        parts=parts,
        combine=combine,
        weights=weights,
    )


def _terms(node: ast.expr, text: str) -> Iterator[tuple[Name, float]]:
    """Metrics with their weights. Raises UsageError for anything but a sum of weighted metrics."""
    match node:
        case ast.BinOp(op=ast.Add()):
            yield from _terms(node.left, text)
            yield from _terms(node.right, text)
            return
        case (
            ast.BinOp(
                op=ast.Mult(), left=ast.Constant(value=int() | float() as weight), right=inner
            )
            | ast.BinOp(
                op=ast.Mult(), left=inner, right=ast.Constant(value=int() | float() as weight)
            )
        ):
            pass
        case inner:
            weight = 1.0
    names = Formula(text, inner).names
    if not isinstance(inner, ast.Name | ast.Subscript) or not 0 < weight < math.inf:
        raise UsageError(
            "This is not a sum of metrics with weights above 0.",
            where=text,
            mend="write it as in `combined:0.7*exact_match+0.3*rouge_l`",
        )
    yield names[0], float(weight)


def _check_scale(about: About, text: str) -> None:
    if about.higher_is_better is None or not all(map(math.isfinite, about.range)):
        why = "has no end" if about.higher_is_better is not None else "has no better and worse"
        raise UsageError(
            f"'{about.name}' cannot be brought to a scale from 0 to 1: its range {why}.",
            where=text,
            mend="leave it out, or write expression:… and scale it yourself",
        )


COMBINED = OfArgument(
    about=About(
        name="combined",
        family="combined",
        unit="share",
        higher_is_better=True,
        range=(0.0, 1.0),
        needs=("other metrics",),
        source="weighted mean of the parts, each on a scale from the worst of its range to the "
        "best; the weights and parts stand beside it",
        use="where one number must be named, and its weights are agreed on beforehand",
        avoid="alone: the same value can hide very different parts, and other weights may turn "
        "the order of systems",
    ),
    argument="weights",
    make=_of_weights,
    example="0.7*exact_match+0.3*token_f1",
)
