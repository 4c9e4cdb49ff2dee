"""Keys and values of a batch whose rows leave one by one.

Room for every token to come is taken once, so a step writes its tokens instead of copying all
that came before; a row that leaves gives its place to the last one.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

from tuneval.models.packed_attention import States


class RoomyLayer(DynamicLayer):
    """Keys and values (rows, heads, tokens, dim) as a view into room for `capacity` tokens."""

    def __init__(self, rows: int, capacity: int) -> None:
        super().__init__()
        self.rows = rows
        self.capacity = capacity
        self.length = 0
        self.key_room: torch.Tensor
        self.value_room: torch.Tensor

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Take the room once the shapes are known."""
        super().lazy_initialization(key_states, value_states)
        self.key_room = self._room_for(key_states)
        self.value_room = self._room_for(value_states)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new tokens; all keys and values of the rows that take part."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        rows, end = key_states.shape[0], self.length + key_states.shape[-2]
        self.key_room[:rows, :, self.length : end] = key_states
        self.value_room[:rows, :, self.length : end] = value_states
        self.length = end
        self._look(rows)
        return self.keys, self.values

    def share(self, rows: int) -> None:
        """Let `rows` rows begin with what the one row has so far."""
        self.key_room[1:rows, :, : self.length] = self.key_room[:1, :, : self.length]
        self.value_room[1:rows, :, : self.length] = self.value_room[:1, :, : self.length]
        self._look(rows)

    def fill_gaps(self, left: int, moved: list[tuple[int, int]]) -> None:
        """Copy rows to places that are free, (from, to), and go on with the first `left`."""
        if moved:
            source, target = ([move[i] for move in moved] for i in (0, 1))
            self.key_room[target, :, : self.length] = self.key_room[source, :, : self.length]
            self.value_room[target, :, : self.length] = self.value_room[source, :, : self.length]
        self._look(left)

    def _look(self, rows: int) -> None:
        self.keys = self.key_room[:rows, :, : self.length]
        self.values = self.value_room[:rows, :, : self.length]

    def _room_for(self, states: torch.Tensor) -> torch.Tensor:
        _, heads, _, dim = states.shape
        return states.new_empty((self.rows, heads, self.capacity, dim))


def make_cache(config: Any, *, rows: int, capacity: int) -> Cache:
    """A cache for a batch of `rows`, `capacity` tokens each.

    Models with windows or states in place of full attention get transformers' own.
    """
    cache = DynamicCache(config=config)
    if cache.layers and all(type(layer) is DynamicLayer for layer in cache.layers):
        return Cache(layers=[RoomyLayer(rows, capacity) for _ in cache.layers])
    return cache


def is_roomy(cache: Cache) -> bool:
    """Whether every token stays in the cache at its own place, so that rows can share them."""
    return all(isinstance(layer, RoomyLayer) for layer in cache.layers)


def begin_with(cache: Cache, states: States, *, rows: int) -> None:
    """Put keys and values of one row at the beginning of `rows` rows of an empty cache.

    A roomy one gets them in its first row; `share_rows` gives them to the others.
    """
    first = 1 if is_roomy(cache) else rows
    for layer, (keys, values) in zip(cache.layers, states, strict=True):
        layer.update(keys.expand(first, -1, -1, -1), values.expand(first, -1, -1, -1))


def share_rows(cache: Cache, rows: int) -> None:
    """Let `rows` rows begin with the one row of a roomy cache."""
    for layer in cache.layers:
        layer.share(rows)


def places_after(stay: list[bool]) -> tuple[list[int], list[tuple[int, int]]]:
    """Where the rows that stay come to lie: old row of each new place, and the moves (from, to)."""
    left = sum(stay)
    order = list(range(left))
    free = [row for row in range(left) if not stay[row]]
    late = [row for row in range(left, len(stay)) if stay[row]]
    moved = list(zip(late, free, strict=True))
    for source, target in moved:
        order[target] = source
    return order, moved


def keep_rows(cache: Cache, order: list[int], moved: list[tuple[int, int]]) -> None:
    """Drop the rows that left; `order` and `moved` come from `places_after`."""
    if is_roomy(cache):
        for layer in cache.layers:
            layer.fill_gaps(len(order), moved)
    else:
        cache.reorder_cache(torch.tensor(order))  # also known to layers that hold states
