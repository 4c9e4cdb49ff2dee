"""Choose among the examples of a set by their scores: who is in, and why each other is out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuneval.data.cutting.facet import Facet
from tuneval.data.example import Item
from tuneval.errors import UsageError
from tuneval.runs.events import Report, ignore
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scorers import SCORERS
from tuneval.scoring.selection.amount import parse_amount
from tuneval.scoring.selection.candidate import Candidate
from tuneval.scoring.selection.choice import Choice, Sizes
from tuneval.scoring.selection.config import SelectConfig
from tuneval.scoring.selection.expression import Expression, parse_filter, parse_number
from tuneval.scoring.selection.outcome import Selection
from tuneval.scoring.selection.ranking import by_id, ranked, shuffled
from tuneval.scoring.selection.sieve import Sieve
from tuneval.scoring.selection.strata import TASK
from tuneval.scoring.selection.thinning import Embeddings, Thinning


def choose(
    config: SelectConfig,
    rows: Sequence[ScoreRow],
    *,
    items: Mapping[str, Item] | None = None,
    embeddings: Embeddings | None = None,
    report: Report = ignore,
) -> Selection:
    """Choose among the examples of a whole set, one row each; their order does not matter.

    `items` are the records by id, which an expression with `field["…"]` or a quota of a facet
    asks for (see `facets_of`); `embeddings` are needed for `diverse`. Raises UsageError when the
    config names what the scores or the records do not have.
    """
    refuse_unknown_names(config, rows)
    keep = [parse_filter(text) for text in config.keep]
    by = parse_number(config.by) if config.by is not None else None
    everything = _candidates(facets_of(config), rows, items)
    sizes = Sizes(rows)
    thinning = Thinning(config, embeddings, report) if config.diverse else None
    choice = Choice(config, everything, sizes, thinning)

    sieve = Sieve(everything)
    for expression in keep:
        sieve.keep(expression)
    if by is not None:
        sieve.demand(f"by {by.text}", by.value)
    amounts = [parse_amount(text) for text in (config.top, config.pool) if text]
    if any(amount.unit == "tokens" for amount in amounts):
        sieve.demand("response tokens", sizes.tokens)
    if embeddings is not None and config.diverse:
        sieve.demand("embeddings", embeddings.demand)
    eligible = list(sieve.left)
    in_order = _in_order(config, by, eligible)
    chosen = choice.of(sieve, in_order)
    ids = {each.id for group in chosen.groups.values() for each in group}
    drawn = choice.baseline(chosen) if config.random_baseline else []
    return Selection(
        chosen=tuple(each.id for each in in_order if each.id in ids),
        rejected=sieve.rejected,
        random=tuple(each.id for each in drawn),
        funnel=tuple(sieve.stages),
        size=chosen.size,
        strata=choice.strata(eligible, chosen, drawn),
    )


def facets_of(config: SelectConfig) -> list[str]:
    """The facets of the records that a selection asks for, over what the scores say."""
    names = [name for expression in _expressions(config) for name in expression.facets]
    if config.quota not in (None, TASK):
        names.append(str(config.quota))
    return list(dict.fromkeys(names))


def refuse_unknown_names(config: SelectConfig, rows: Sequence[ScoreRow]) -> None:
    """Raise UsageError when an expression names a measure that the scores do not have."""
    measures = list(dict.fromkeys(name for row in rows for name in row.scores))
    for expression in _expressions(config):
        expression.refuse_unknown(measures, SCORERS)


def _expressions(config: SelectConfig) -> list[Expression]:
    ranking = [parse_number(config.by)] if config.by is not None else []
    return [*map(parse_filter, config.keep), *ranking]


def _in_order(
    config: SelectConfig, by: Expression | None, eligible: Sequence[Candidate]
) -> list[Candidate]:
    if config.random:
        return shuffled(eligible, config.seed, "random")
    return ranked(eligible, by.value, config.order) if by else by_id(eligible)


def _candidates(
    names: Sequence[str], rows: Sequence[ScoreRow], items: Mapping[str, Item] | None
) -> list[Candidate]:
    """A candidate for each row, with what the facets say. UsageError when one says nothing."""
    if names and items is None:
        raise UsageError(f"The records are needed for {', '.join(map(repr, names))}.")
    facets = {name: Facet(name) for name in names}
    found = []
    for row in {row.id: row for row in reversed(rows)}.values():
        item = (items or {}).get(row.id)
        said = {} if item is None else {name: facet.of(item) for name, facet in facets.items()}
        found.append(Candidate(row, said))
    for facet in facets.values():
        facet.refuse_if_absent()
    return found
