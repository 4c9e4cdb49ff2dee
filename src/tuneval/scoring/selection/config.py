"""What a selection is asked to do, with every default in sight."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class SelectConfig(BaseModel):
    """Which examples to choose.

    The stages, in this order: duplicates out; `keep` (every expression must hold; an example
    without a value that one names is out, with the measure's own reason); `by` and `order` rank;
    `quota` names what the shares of the set are kept of (`task`, or a field); `diverse` thins
    what is left; `top` is how much remains: a share (`20%`), a number (`500`) or response tokens
    (`200000 tokens`). `random` draws that many at random instead of ranking.
    `random_baseline` also writes a set drawn at random, of the same size and quotas.
    `threshold`, of `diverse_by: threshold`: out is what is more like a kept one than this cosine.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: tuple[str, ...] = ()
    by: str | None = None
    order: Literal["descending", "ascending"] = "descending"
    top: str | None = None
    quota: str | None = None
    diverse: Literal["embeddings"] | None = None
    diverse_by: Literal["k_center", "facility_location", "threshold"] = "k_center"
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.9
    embeddings: str = "auto"
    random: bool = False
    random_baseline: bool = True
    seed: int = 17

    def settings(self) -> dict[str, Any]:
        """The fields of this class alone, whatever a recipe's step adds to them."""
        return self.model_dump(mode="json", include=set(SelectConfig.model_fields))
