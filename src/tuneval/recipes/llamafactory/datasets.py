"""The sets that flags name: entries of LLaMA-Factory's registry, one or several."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuneval.data.cutting.mixture import Strategy
from tuneval.data.read import read_items
from tuneval.errors import UsageError
from tuneval.recipes.llamafactory.asked import Asked
from tuneval.recipes.llamafactory.translation import Joined

STRATEGIES: dict[str, Strategy] = {
    "concat": "concat",
    "interleave_under": "interleave_under",
    "interleave_over": "interleave_over",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A set to be read. Several sets are `joined` first; `limit` takes its first records only."""

    file: str
    limit: int | None = None
    joined: Joined | None = None
    sizes: tuple[int, ...] = ()

    def count(self) -> int:
        """How many records it has; reads it where that is not known.

        Raises UsageError for sets that are interleaved: that is known when they are joined.
        """
        if self.sizes:
            return sum(self.sizes)
        if self.joined is None:
            size = _size(self.file)
            return size if self.limit is None else min(size, self.limit)
        if self.joined.strategy != "concat":
            raise UsageError(
                "How many records interleaved sets come to is not known before they are joined.",
                mend="give val_size as a share, and eval_steps and save_steps in steps",
            )
        return sum(_size(location) for location, _ in self.joined.sets)


def chosen_set(asked: Asked, flag: str, *, output_dir: Path, seed: int) -> Chosen | None:
    """The set or sets that a flag names, or None. `max_samples` holds for each of them.

    Raises UsageError for a registry that lies on a hub.
    """
    names = asked.names(flag)
    folder = asked.text("dataset_dir", "data") or "data"
    limit = asked.integer("max_samples", 0) or None
    if folder.startswith("REMOTE:"):
        raise UsageError(
            "A registry on a hub is not read.",
            where=f"dataset_dir: {folder}",
            mend="download its folder, and name that",
        )
    if not names:
        return None
    places = [_place(folder, name) for name in names]
    if len(places) == 1:
        return Chosen(places[0], limit)
    return _joined(asked, places, limit, file=str(output_dir / f"{flag}.jsonl"), seed=seed)


def _size(location: str) -> int:
    return sum(1 for _ in read_items(location))


def _place(folder: str, name: str) -> str:
    return f"hub:{name}" if folder == "ONLINE" else f"{folder.rstrip('/')}/dataset_info.json#{name}"


def _joined(asked: Asked, places: list[str], limit: int | None, *, file: str, seed: int) -> Chosen:
    strategy = STRATEGIES[asked.one_of("mix_strategy", STRATEGIES, "concat")]
    weights, sizes = [1.0] * len(places), []
    if strategy != "concat":
        if probabilities := asked.names("interleave_probs"):
            weights = _probabilities(asked, probabilities, len(places))
        if limit is not None:
            asked.fault("max_samples", "the interleave strategies take whole sets; use concat")
    elif limit is not None:
        sizes = [_size(place) for place in places]
        weights = [min(1.0, limit / size) if size else 1.0 for size in sizes]
        sizes = [min(size, limit) for size in sizes]
        if any(weight < 1 for weight in weights):
            asked.changed("max_samples", "of each set so many are drawn by the seed, not the first")
    sets = tuple(zip(places, weights, strict=True))
    return Chosen(file, joined=Joined(file, sets, strategy, seed), sizes=tuple(sizes))


def _probabilities(asked: Asked, words: tuple[str, ...], count: int) -> list[float]:
    try:
        found = [float(word) for word in words]
    except ValueError:
        found = []
    if len(found) != count or any(p <= 0 for p in found):
        asked.fault("interleave_probs", f"is {count} numbers above 0, one for each set")
        return [1.0] * count
    return found
