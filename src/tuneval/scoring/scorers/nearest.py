"""How far an example is from the most similar other one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tuneval.scoring.item import ScoringItem
from tuneval.scoring.neighbours import nearest_kept
from tuneval.scoring.reasons import Unscored
from tuneval.scoring.scorer import Asked, Measured, Reading, Scorer
from tuneval.scoring.setting import Setting

READING = Reading(
    title="Distance to the nearest example",
    title_zh="与最相近样本的距离",
    unit="distance",
    text=(
        "Cosine distance (1 - cosine, 0 to 2) between the sentence embedding of the question and "
        "the most similar other question of the set. Near 0: the set says this twice. High: a rare "
        "question, or one that does not belong. Diverse sets teach more for their size, while the "
        "farthest examples deserve a look. Sizes of different encoders do not compare."
    ),
    text_zh=(
        "该样本的问题与集合中最相近的另一个问题之间的句向量余弦距离（1 − 余弦，取值 0 到 2）。"
        "接近 0：集合中有几乎相同的问题；数值高：问题少见，或不属于该集合。"
        "多样的数据在同样规模下更有用，但距离最大的样本值得人工查看。不同编码器的数值不可互相比较。"
    ),
    source="Liu et al. 2024, What Makes Good Data for Alignment? (Deita)",
)


class NearestNeighbour(Scorer):
    """nearest: symmetric, and so free of the file's order: each against all others of the set.

    What matters for choosing, the distance to the nearest *kept* one, is the selection's matter.
    """

    name: ClassVar[str] = "nearest"
    needs: ClassVar[frozenset[str]] = frozenset({"embeddings"})

    @property
    def reading(self) -> Reading:
        """What the measure says."""
        return READING

    def begin(self, items: Sequence[ScoringItem], setting: Setting) -> None:
        """Compare every item with every other."""
        ids = [item.id for item in items if item.id in setting.embeddings]
        ids = list(dict.fromkeys(ids))
        self._distance: dict[str, float] = {}
        if len(ids) > 1:
            vectors = np.stack([setting.embeddings[id] for id in ids])
            found = nearest_kept(vectors, np.arange(len(ids)))
            self._distance = dict(zip(ids, found.distance.tolist(), strict=True))

    def ask(self, item: ScoringItem, setting: Setting) -> Asked | Unscored:
        """Nothing of the model; an item without a text, or alone in its set, has no value."""
        if item.id not in setting.embeddings:
            return Unscored("no_embedding")
        return Asked() if item.id in self._distance else Unscored("no_peer")

    def combine(
        self, item: ScoringItem, measured: Sequence[Measured], setting: Setting
    ) -> float | Unscored:
        """Cosine distance to the nearest other item, 0 to 2."""
        return self._distance[item.id]
