"""How far a metric falls from questions to their perturbed copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tuneval.evaluation.kinds.of_set import OfSet
from tuneval.evaluation.kinds.of_sums import OfSums
from tuneval.evaluation.kinds.of_weights import OfWeights
from tuneval.evaluation.kinds.per_item import PerItem
from tuneval.evaluation.metric import About, Metric
from tuneval.evaluation.robustness.families import COPIES, PERTURBATION, families, is_copy

if TYPE_CHECKING:
    from collections.abc import Hashable

    from tuneval.evaluation.items import Item
    from tuneval.statistics.estimate import Estimate
    from tuneval.statistics.jackknife import LeftOut
    from tuneval.statistics.paired import PairedComparison
    from tuneval.statistics.sample import Clusters, Floats

NOT_PERTURBED = "no question was asked with a changed input"
UNCHANGEABLE = "no perturbation changes the question"


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Originals beside their copies, an original once for each copy; `keys` say what is one."""

    originals: list[Item]
    copies: list[Item]
    keys: list[Hashable]

    @classmethod
    def of(cls, items: Sequence[Item]) -> _Pairs:
        pairs = [(f.original, copy) for f in families(items) for copy in f.copies]
        keys: list[Hashable] = [x.id if x.group is None else ("group", x.group) for x, _ in pairs]
        return cls([x for x, _ in pairs], [y for _, y in pairs], keys)

    @property
    def clusters(self) -> Clusters | None:
        return self.keys if len(set(self.keys)) < len(self.keys) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """How much worse `inner` is on the copies than on their originals; every copy counts once."""

    about: About
    inner: Metric
    is_binary: bool = False

    def missing(self, item: Item) -> str | None:
        """As in `Metric`."""
        if not is_copy(item) and not item.fields.get(COPIES):
            return UNCHANGEABLE if COPIES in item.fields else NOT_PERTURBED
        return self.inner.missing(item)

    def estimate(
        self, items: Sequence[Item], *, clusters: Clusters | None, seed: int, level: float = 0.95
    ) -> Estimate | None:
        """As in `Metric`; clustered by original, or by its group. `clusters` plays no part."""
        return self._drop(_Pairs.of(items), seed, level)

    def compare(
        self,
        a: Sequence[Item],
        b: Sequence[Item],
        *,
        clusters: Clusters | None,
        seed: int,
        level: float = 0.95,
    ) -> PairedComparison | None:
        """As in `Metric`; None where `inner` is of a kind whose drops cannot be paired."""
        first, second = _Pairs.of(a), _Pairs.of(b)
        if not first.copies:
            return None
        match self.inner:
            case PerItem() as inner:
                return self._compare_values(inner, first, second, seed, level)
            case OfSums() as inner:
                return self._compare_sums(inner, first, second, seed, level)
            case OfWeights() as inner:
                return self._compare_weights(inner, first, second, seed, level)
            case OfSet() as inner:
                return self._compare_sets(inner, first, second, level)
            case _:
                return None

    def detail(self, items: Sequence[Item]) -> Mapping[str, Any] | None:
        """As in `Metric`: the drop under each perturbation by itself."""
        by_name: dict[str, list[Item]] = {}
        for item in items:
            if is_copy(item):
                by_name.setdefault(item.fields[PERTURBATION], []).append(item)
        originals = [item for item in items if not is_copy(item)]
        found = {}
        for name, copies in by_name.items():
            pairs = _Pairs.of([*originals, *copies])
            drop = self._drop(pairs, seed=0, level=0.95)
            if drop is not None:
                found[name] = {"n": len(pairs.copies), "drop": drop.as_dict()}
        return {"metric": self.inner.about.name, "by_perturbation": found}

    @property
    def _sign(self) -> int:
        """1 where the copies' higher value is a loss, or where there is neither loss nor gain."""
        return -1 if self.inner.about.higher_is_better else 1

    def _drop(self, pairs: _Pairs, seed: int, level: float) -> Estimate | None:
        if not pairs.copies:
            return None
        found = self.inner.compare(
            pairs.originals, pairs.copies, clusters=pairs.clusters, seed=seed, level=level
        )
        if found is None:
            return None
        return found.difference if self._sign > 0 else _negative(found.difference)

    def _compare_values(
        self, inner: PerItem, a: _Pairs, b: _Pairs, seed: int, level: float
    ) -> PairedComparison | None:
        from tuneval.statistics.paired import paired_comparison

        return paired_comparison(
            [self._change(inner, x, y) for x, y in zip(a.originals, a.copies, strict=True)],
            [self._change(inner, x, y) for x, y in zip(b.originals, b.copies, strict=True)],
            binary=False,
            seed=seed,
            clusters=a.clusters,
            level=level,
            unit=self.about.unit,
        )

    def _change(self, inner: PerItem, original: Item, copy: Item) -> float:
        return self._sign * (inner.known(copy) - inner.known(original))

    def _compare_sums(
        self, inner: OfSums, a: _Pairs, b: _Pairs, seed: int, level: float
    ) -> PairedComparison | None:
        import numpy as np

        from tuneval.statistics.paired_sums import paired_sums_comparison

        columns = inner.columns([*a.originals, *a.copies, *b.originals, *b.copies])
        if not columns.size:
            return None
        parts = np.split(columns, 4)
        width = columns.shape[1]

        def change(sums: Floats) -> Floats:
            drop = inner.statistic(sums[..., width:]) - inner.statistic(sums[..., :width])
            return np.asarray(self._sign * drop)

        return paired_sums_comparison(
            np.concatenate(parts[:2], axis=1),
            np.concatenate(parts[2:], axis=1),
            change,
            seed=seed,
            clusters=a.clusters,
            level=level,
            unit=self.about.unit,
        )

    def _compare_weights(
        self, inner: OfWeights, a: _Pairs, b: _Pairs, seed: int, level: float
    ) -> PairedComparison | None:
        import numpy as np

        from tuneval.statistics.paired_weights import paired_weights_comparison, weights_gap

        n = len(a.copies)
        figure = inner.prepare([*a.originals, *b.originals, *a.copies, *b.copies])
        change = weights_gap(figure, 2 * n, sign=self._sign)
        of_each = np.repeat(np.eye(2), n, axis=1)
        if np.isnan(change(of_each)).any():
            return None
        return paired_weights_comparison(
            change,
            n,
            seed=seed,
            clusters=a.clusters,
            n_resamples=inner.n_resamples,
            level=level,
            unit=self.about.unit,
        )

    def _compare_sets(
        self, inner: OfSet, a: _Pairs, b: _Pairs, level: float
    ) -> PairedComparison | None:
        import numpy as np

        from tuneval.statistics.jackknife import paired_jackknife

        drops = [self._set_drop(inner, pairs, clusters=a.clusters) for pairs in (a, b)]
        if drops[0] is None or drops[1] is None:
            return None
        changes = [
            self._sign * (inner.own(yb) - inner.own(xb) - inner.own(ya) + inner.own(xa))
            for xa, ya, xb, yb in zip(a.originals, a.copies, b.originals, b.copies, strict=True)
        ]
        return paired_jackknife(
            drops[0], drops[1], np.array(changes), level=level, unit=self.about.unit
        )

    def _set_drop(self, inner: OfSet, pairs: _Pairs, clusters: Clusters | None) -> LeftOut | None:
        before = inner.left_out(pairs.originals, clusters)
        after = inner.left_out(pairs.copies, clusters)
        if before is None or after is None:
            return None
        return replace(
            after,
            value=self._sign * (after.value - before.value),
            without=self._sign * (after.without - before.without),
        )


def _negative(estimate: Estimate) -> Estimate:
    low, high = estimate.low, estimate.high
    return replace(
        estimate,
        value=-estimate.value,
        low=None if high is None else -high,
        high=None if low is None else -low,
    )
