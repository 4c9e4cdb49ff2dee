"""Length of the longest common subsequence, a machine word of table cells at a time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence


def lcs_length(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Length of the longest common subsequence of two sequences.

    Bit-parallel (Hyyrö 2004, after Crochemore et al. 2001) on Python's big integers: one row of
    the table is one integer, a zero bit marks a step, and a row costs four operations.
    """
    start, end_first, end_second = 0, len(first), len(second)
    while start < end_first and start < end_second and first[start] == second[start]:
        start += 1
    while (
        end_first > start and end_second > start and first[end_first - 1] == second[end_second - 1]
    ):
        end_first -= 1
        end_second -= 1
    shared_ends = start + len(first) - end_first

    places: dict[Hashable, int] = {}
    for bit, item in enumerate(first[start:end_first]):
        places[item] = places.get(item, 0) | 1 << bit
    width = end_first - start
    all_ones = (1 << width) - 1
    row = all_ones
    for item in second[start:end_second]:
        matches = places.get(item)
        if matches is not None:
            steps = row & matches
            row = (row + steps | row - steps) & all_ones
    return shared_ends + width - row.bit_count()
