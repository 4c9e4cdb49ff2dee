"""`tuneval compare`: evaluations of the same items, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.console import answer, json_option, table, warn
from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.evaluation.comparison import Comparison, Evaluation
    from tuneval.evaluation.gate import GateResult
    from tuneval.evaluation.ranking_shown import SeveralComparisons


@click.command()
@click.argument("evaluations", nargs=-1, required=True, metavar="A B [C…]")
@click.option("--metric", "metrics", multiple=True, help="Only these metrics; may stand often.")
@click.option("--flips-on", help="List the items that flip on this metric.")
@click.option(
    "--show", type=click.IntRange(min=0), default=3, show_default=True, help="Flips shown."
)
@click.option(
    "--fail-if",
    multiple=True,
    metavar="CONDITION",
    help='End with status 1 where it holds: "accuracy < base - 1pt @95%"; may stand often.',
)
@click.option(
    "--fail-unless",
    multiple=True,
    metavar="CONDITION",
    help='End with status 1 where it does not hold: "accuracy > base - 1pt @95%".',
)
@click.option(
    "--follow",
    metavar="METRIC",
    help="Also say after how many items in random order it was decided.",
)
@click.option(
    "--margin",
    type=click.FloatRange(min=0, min_open=True),
    metavar="POINTS",
    help="With --follow: a difference within so many points is decided too, as alike.",
)
@json_option
def compare(
    evaluations: tuple[str, ...],
    metrics: tuple[str, ...],
    flips_on: str | None,
    show: int,
    fail_if: tuple[str, ...],
    fail_unless: tuple[str, ...],
    follow: str | None,
    margin: float | None,
    as_json: bool,
) -> int:
    """Compare evaluation B with evaluation A, item by item; differences are B less A.

    Each is an evaluation's folder or RUN:NAME, such as latest:base, and LABEL= before it names it
    here. Of three and more every pair is compared, and those that cannot be told apart are tied.
    """
    named = _load(evaluations)
    judged = _judge(named, fail_if, fail_unless)
    followed = None if follow is None else _follow(named, follow, margin)
    extra: dict[str, Any] = {}
    if judged:
        extra["gates"] = [gate.as_dict() for gate in judged]
    if followed is not None:
        extra["followed"] = followed
    if len(named) == 2:
        content = _pair(named, metrics, flips_on) | extra
        answer(as_json, content, lambda found: _show(found, show))
    else:
        _several(named, metrics, extra, as_json)
    if not as_json:
        _show_extra(extra)
    return int(any(gate.failed for gate in judged))


def _load(texts: Sequence[str]) -> dict[str, Evaluation]:
    """The evaluations by name, a label before the name it was saved under."""
    from tuneval.evaluation.compare_several import renamed
    from tuneval.evaluation.comparison import Evaluation
    from tuneval.evaluation.own_file import find_evaluation

    if len(texts) < 2:
        raise UsageError("A comparison needs two evaluations.", mend="name another one")
    found: dict[str, Evaluation] = {}
    for text in texts:
        label, equals, place = text.partition("=")
        evaluation = Evaluation.load(find_evaluation(place if equals else text))
        name = label if equals else evaluation.result.name
        if name in found:
            name = text
        found[name] = evaluation if name == evaluation.result.name else renamed(evaluation, name)
    if len(found) < len(texts):
        raise UsageError("The same evaluation stands twice.", mend="name each once")
    return found
