"""Shares of a whole, in whole numbers, and what is taken of ranked groups to meet them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Ranked = TypeVar("Ranked")


def allot(total: int, weights: Mapping[str, int], limits: Mapping[str, int]) -> dict[str, int]:
    """Share `total` out in proportion to the weights by largest remainders (Hamilton).

    No group gets more than its limit; what it cannot take goes to the others in proportion to
    their weights. So the shares sum to `total`, or to all limits where these are less. A tie of
    remainders goes to the larger weight, then to the name that sorts first: the order of the
    groups does not matter. A group without weight gets nothing while another can take it.
    """
    shares = dict.fromkeys(weights, 0)
    open_groups = {name for name in weights if limits.get(name, 0) > 0}
    left = min(total, sum(limits.get(name, 0) for name in weights))
    while left and open_groups:
        weighted = {name for name in open_groups if weights[name] > 0}
        parts = {name: weights[name] if weighted else 1 for name in weighted or open_groups}
        full = {
            name
            for name, part in parts.items()
            if left * part >= limits[name] * sum(parts.values())
        }
        if not full:
            return shares | _largest_remainders(left, parts)
        for name in full:
            shares[name] = limits[name]
        left -= sum(limits[name] for name in full)
        open_groups -= full
    return shares


def take(
    groups: Mapping[str, Sequence[Ranked]],
    shares: Mapping[str, int],
    size: Callable[[Ranked], int],
) -> dict[str, list[Ranked]]:
    """The first of each group until the next would be larger than what is left of its share.

    Then what all groups together have left is spent, one after the other, on the next of the
    group that has most left and whose next fits.
    """
    n_taken: dict[str, int] = {}
    left: dict[str, int] = {}
    for name, group in groups.items():
        n_taken[name], left[name] = _fitting(group, shares.get(name, 0), size)
    rest = sum(left.values())
    while rest:
        nexts = {
            name: size(g[n_taken[name]]) for name, g in groups.items() if n_taken[name] < len(g)
        }
        fitting = [name for name, needed in nexts.items() if needed <= rest]
        if not fitting:
            break
        name = min(fitting, key=lambda each: (-left[each], each))
        n_taken[name] += 1
        left[name] -= nexts[name]
        rest -= nexts[name]
    return {name: list(group[: n_taken[name]]) for name, group in groups.items()}


def _fitting(group: Sequence[Ranked], share: int, size: Callable[[Ranked], int]) -> tuple[int, int]:
    """How many from the start fit into the share, and what is left of it."""
    for n, each in enumerate(group):
        needed = size(each)
        if needed > share:
            return n, share
        share -= needed
    return len(group), share


def _largest_remainders(total: int, weights: Mapping[str, int]) -> dict[str, int]:
    whole = sum(weights.values())
    shares = {name: total * weight // whole for name, weight in weights.items()}
    order = sorted(
        weights, key=lambda name: (-(total * weights[name] % whole), -weights[name], name)
    )
    for name in order[: total - sum(shares.values())]:
        shares[name] += 1
    return shares
