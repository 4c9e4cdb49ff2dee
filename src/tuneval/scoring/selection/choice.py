"""The choice among ranked candidates: quota, diversity and amount, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tuneval.errors import UsageError
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.selection.amount import Amount, Unit, parse_amount
from tuneval.scoring.selection.candidate import Candidate, Undefined
from tuneval.scoring.selection.config import SelectConfig
from tuneval.scoring.selection.outcome import Rejection, Size, Stratum
from tuneval.scoring.selection.quota import take
from tuneval.scoring.selection.ranking import shuffled
from tuneval.scoring.selection.response_tokens import ResponseTokens
from tuneval.scoring.selection.sieve import Sieve
from tuneval.scoring.selection.strata import Quota, SizeOf, shares
from tuneval.scoring.selection.thinning import Thinning

Groups = dict[str, list[Candidate]]


class Sizes:
    """How large examples are, in examples or in response tokens."""

    def __init__(self, rows: Sequence[ScoreRow]) -> None:
        self._rows = rows
        self._tokens: ResponseTokens | None = None

    def tokens(self, candidate: Candidate) -> int | Undefined:
        """Its response tokens, or why they are not counted. UsageError when none are."""
        if self._tokens is None:
            self._tokens = ResponseTokens(self._rows)
        return self._tokens.of(candidate)

    def of(self, unit: Unit) -> SizeOf:
        """The size in the unit; what is not counted has none."""
        if unit == "examples":
            return lambda _: 1

        def size(candidate: Candidate) -> int:
            counted = self.tokens(candidate)
            return 0 if isinstance(counted, Undefined) else counted

        return size


@dataclass(frozen=True)
class Chosen:
    """Who is chosen, of each group, and how much that is."""

    groups: Groups
    size: Size | None = None


class Choice:
    """Chooses among what a sieve has left, in the order of rank, and tells the sieve why."""

    def __init__(
        self,
        config: SelectConfig,
        everything: Sequence[Candidate],
        sizes: Sizes,
        thinning: Thinning | None,
    ) -> None:
        self._config = config
        self._quota = Quota(config.quota)
        self._sizes = sizes
        self._thinning = thinning
        self._quota.refuse_if_absent(everything)
        self._everything = everything
        self._offered = self._quota.groups(everything)
        self._top = parse_amount(config.top) if config.top else None

    def of(self, sieve: Sieve, ranked: Sequence[Candidate]) -> Chosen:
        """Choose. `ranked` are the sieve's candidates, the best first."""
        ranks = {each.id: place for place, each in enumerate(ranked, start=1)}
        groups = self._quota.groups(ranked)
        thinning = self._thinning
        if thinning is None:
            chosen = self._first(groups)
        elif self._config.diverse_by == "threshold":
            thinning.begin(groups)
            chosen = self._first(self._walked(thinning, groups))
        else:
            groups = self._pooled(sieve, groups, ranks)
            thinning.begin(groups)
            chosen = self._most_diverse(thinning, groups)
        rejections: dict[str, Rejection] = {}
        for name, group in groups.items():
            of_group = chosen.groups.get(name, [])
            if thinning is not None:
                rejections |= thinning.rejections(group, of_group, ranks)
            else:
                kept = {each.id for each in of_group}
                rejections |= _below(ranks, (each for each in group if each.id not in kept))
        if self._top is not None or thinning is not None:
            sieve.reject(self._stage(), rejections)
        return chosen

    def baseline(self, chosen: Chosen) -> list[Candidate]:
        """As much at random, of the whole set, as was chosen of each group."""
        unit: Unit = self._top.unit if self._top else "examples"
        size = self._sizes.of(unit)
        drawn = shuffled(
            (each for each in self._everything if unit == "examples" or self._is_counted(each)),
            self._config.seed,
            "baseline",
        )
        groups = self._quota.groups(drawn)
        wanted = {name: sum(map(size, group)) for name, group in chosen.groups.items()}
        ids = {each.id for group in take(groups, wanted, size).values() for each in group}
        return [each for each in drawn if each.id in ids]

    def strata(
        self, eligible: Sequence[Candidate], chosen: Chosen, random: Sequence[Candidate]
    ) -> dict[str, Stratum]:
        """The counts of each group; none without a quota."""
        if self._quota.name is None:
            return {}
        left, drawn = self._quota.groups(eligible), self._quota.groups(random)
        return {
            name: Stratum(
                len(group),
                len(left.get(name, [])),
                len(chosen.groups.get(name, [])),
                len(drawn.get(name, [])),
            )
            for name, group in self._offered.items()
        }

    def _first(self, groups: Groups) -> Chosen:
        """The first of each group, as far as the amount goes; all where none is asked for."""
        if self._top is None:
            return Chosen(groups)
        size = self._sizes.of(self._top.unit)
        asked = self._asked(self._top)
        taken = take(groups, shares(asked, self._offered, groups, size), size)
        total = sum(size(each) for group in taken.values() for each in group)
        return Chosen(taken, Size(self._top.unit, self._total(self._top.unit), asked, total))

    def _walked(self, thinning: Thinning, groups: Groups) -> Groups:
        """Each group without what is like one before it, as far as any amount can reach."""
        is_counted = self._top is not None and self._top.unit == "examples"
        n = self._asked(self._top) if self._top and is_counted else None
        return {name: thinning.walked(group, n) for name, group in groups.items()}

    def _most_diverse(self, thinning: Thinning, pools: Groups) -> Chosen:
        """The amount, in the order in which each adds most, which begins alike for every n."""
        assert self._top is not None, "the config asks for an amount"
        if self._top.unit == "examples":
            size = self._sizes.of("examples")
            counts = shares(self._asked(self._top), self._offered, pools, size)
        else:  # how many fit is known only when the order is
            counts = {name: len(pool) for name, pool in pools.items()}
        return self._first(
            {name: thinning.ordered(pool, counts[name]) for name, pool in pools.items()}
        )

    def _pooled(self, sieve: Sieve, groups: Groups, ranks: Mapping[str, int]) -> Groups:
        """The best-ranked of each group, from which diversity chooses."""
        assert self._top is not None, "the config asks for an amount"
        asked = self._asked(self._top)
        if self._config.pool is not None:
            pool = parse_amount(self._config.pool)
            n, unit = self._asked(pool), pool.unit
            if unit == self._top.unit and n < asked:
                raise UsageError(
                    f"A pool of {n} is smaller than the {asked} {unit} to be chosen from it.",
                    mend="ask for a larger pool than `top`; twice `top` is the default",
                )
        elif self._config.by is None and not self._config.random:
            return groups  # nothing ranks, so there are no best
        else:
            n, unit = 2 * asked, self._top.unit
        size = self._sizes.of(unit)
        pools = take(groups, shares(n, self._offered, groups, size), size)
        inside = {each.id for pool in pools.values() for each in pool}
        outside = (e for group in groups.values() for e in group if e.id not in inside)
        sieve.reject(f"pool of {n} {unit}", _below(ranks, outside))
        return pools

    def _stage(self) -> str:
        words = [f"top {self._config.top}"] if self._top else []
        if self._thinning is not None:
            words.append(f"diverse by {self._config.diverse_by}")
        if self._quota.name is not None:
            words.append(f"quota {self._quota.name}")
        return ", ".join(words)

    def _asked(self, amount: Amount) -> int:
        return amount.of(self._total(amount.unit))

    def _total(self, unit: Unit) -> int:
        return sum(map(self._sizes.of(unit), self._everything))

    def _is_counted(self, candidate: Candidate) -> bool:
        return not isinstance(self._sizes.tokens(candidate), Undefined)


def _below(ranks: Mapping[str, int], out: Iterable[Candidate]) -> dict[str, Rejection]:
    return {each.id: Rejection("below_top", ranks[each.id]) for each in out}
