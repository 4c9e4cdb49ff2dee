"""`tuneval compare`: evaluations of the same items, item by item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.comparisons import show_all
from tuneval.cli.console import answer, json_option
from tuneval.errors import UsageError

if TYPE_CHECKING:
    from tuneval.evaluation.comparing.compare_several import SeveralComparisons
    from tuneval.evaluation.comparing.comparison import Comparison, Evaluation
    from tuneval.evaluation.comparing.gate import GateResult


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
@click.option(
    "--rank-by",
    metavar="A,B,…",
    help="Also one order of all by these metrics together, by mean rank.",
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Also write report.html and report.md there.",
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
    rank_by: str | None,
    report: Path | None,
    as_json: bool,
) -> int:
    """Compare evaluation B with evaluation A, item by item; differences are B less A.

    Each is an evaluation's folder or RUN:NAME, such as latest:base; LABEL= before it names it
    here. Of three and more every pair is compared, and those that cannot be told apart are tied.
    One alone can only be held against a number: --fail-if "exact_match < 60%".
    """
    named = _load(evaluations)
    judged = _judge(named, fail_if, fail_unless)
    compared = _compared(named, metrics, flips_on)
    content = {} if compared is None else compared.as_dict()
    if judged:
        content["gates"] = [gate.as_dict() for gate in judged]
    if follow is not None:
        content["followed"] = _followed(named, follow, margin)
    if rank_by is not None:
        content["ranks"] = _ranks(named, rank_by)
    if report is not None:
        content["report"] = _report(report, named, compared, judged)
    answer(as_json, content, lambda found: show_all(found, compared, show))
    return int(any(gate.failed for gate in judged))


def _load(texts: Sequence[str]) -> dict[str, Evaluation]:
    """The evaluations by name; a label goes before the name that one was saved under."""
    from tuneval.evaluation.comparing.compare_several import renamed
    from tuneval.evaluation.comparing.comparison import Evaluation
    from tuneval.evaluation.own_file import find_evaluation

    found: dict[str, Evaluation] = {}
    for text in texts:
        label, equals, place = text.partition("=")
        is_labelled = bool(equals) and not Path(text).exists()
        evaluation = Evaluation.load(find_evaluation(place if is_labelled else text))
        name = label if is_labelled else evaluation.result.name
        name = text if name in found else name
        found[name] = renamed(evaluation, name)
    if len(found) < len(texts):
        raise UsageError("The same evaluation stands twice.", mend="name each once")
    return found


def _judge(
    named: Mapping[str, Evaluation], fail_if: Sequence[str], fail_unless: Sequence[str]
) -> list[GateResult]:
    from tuneval.evaluation.comparing.gate import judge, parse_condition

    conditions = [parse_condition(text) for text in (*fail_if, *fail_unless)]
    if len(named) < 2 and not conditions:
        raise UsageError("A comparison needs two evaluations.", mend="name another one")
    return [
        judge(condition, named, fails="if" if place < len(fail_if) else "unless")
        for place, condition in enumerate(conditions)
    ]


def _compared(
    named: Mapping[str, Evaluation], metrics: Sequence[str], flips_on: str | None
) -> Comparison | SeveralComparisons | None:
    """A comparison of two, or of every pair of several; None of one."""
    from tuneval.evaluation.comparing.compare import compare as compare_two
    from tuneval.evaluation.comparing.compare_several import compare_several

    found = list(named.values())
    if len(found) == 1:
        return None
    if len(found) == 2:
        return compare_two(*found, metrics=metrics or None, flips_on=flips_on)
    if flips_on is not None:
        raise UsageError("Flips are listed for two evaluations.", mend="leave out --flips-on")
    return compare_several(found, metrics=metrics or None)


def _followed(
    named: Mapping[str, Evaluation], metric: str, margin: float | None
) -> dict[str, dict[str, Any]]:
    from tuneval.evaluation.comparing.follow import follow

    return {
        f"{a} → {b}": follow(named[a], named[b], metric, margin_points=margin).as_dict()
        for a, b in combinations(named, 2)
    }


def _ranks(named: Mapping[str, Evaluation], metrics: str) -> dict[str, Any]:
    from tuneval.evaluation.comparing.rank_aggregation import aggregate
    from tuneval.evaluation.metrics import names_in

    return aggregate(list(named.values()), names_in(metrics)).as_dict()


def _report(
    folder: Path,
    named: Mapping[str, Evaluation],
    compared: Comparison | SeveralComparisons | None,
    judged: Sequence[GateResult],
) -> str:
    """Write the report of all of it; where it lies."""
    from tuneval.evaluation.comparing.compare import model_text
    from tuneval.evaluation.comparing.compare_several import SeveralComparisons
    from tuneval.evaluation.comparing.comparison import Comparison
    from tuneval.evaluation.report import ReportFacts, write_report

    results = {name: evaluation.result for name, evaluation in named.items()}
    of_files = {name: r for name, r in results.items() if compared is None or r.task is None}
    written = write_report(
        folder,
        ReportFacts(
            title=", ".join(named),
            run_id=folder.name,
            created=max(result.created for result in results.values()),
            model=", ".join(dict.fromkeys(map(model_text, results.values()))),
            evaluations=of_files,
            comparison=compared if isinstance(compared, Comparison) else None,
            comparisons=compared.pairs if isinstance(compared, SeveralComparisons) else {},
            standings=compared.standings if isinstance(compared, SeveralComparisons) else {},
            gates=judged,
        ),
    )
    return str(written.html)
