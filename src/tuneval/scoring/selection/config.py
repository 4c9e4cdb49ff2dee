"""What a selection is asked to do, with every default in sight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from tuneval.config import config_of
from tuneval.errors import UsageError
from tuneval.scoring.selection.amount import parse_amount
from tuneval.scoring.selection.expression import parse_filter, parse_number

Parsed = TypeVar("Parsed")


def _as_text(value: Any) -> Any:
    """YAML reads `top: 500` as a number."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


Amount = Annotated[str, BeforeValidator(_as_text)]


class SelectConfig(BaseModel):
    """Which examples to choose.

    The stages, in this order: duplicates out; `keep` (every expression must hold; an example
    without a value that one names is out, with the measure's own reason); `by`, a measure or an
    expression, and `order` rank; `quota` names what the shares of the set are kept of (`task`, or
    a facet of the records: a tag, `label`, `group`, `file`); `diverse` thins what is left; `top`
    is how much remains: a share of the whole set (`20%`), a number (`500`) or response tokens
    (`200000 tokens`, `20% tokens`). `random` draws that many at random instead of ranking.

    `diverse_by` k_center or facility_location takes `top` out of the `pool` best-ranked (an amount
    as `top`; None: twice `top`, or all where nothing ranks). threshold walks down the ranks, and
    out is what is more like a kept one than `threshold`, a cosine. With a quota each value is
    thinned by itself.

    `random_baseline` also draws a set at random from the whole, of the same size and quotas.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: tuple[str, ...] = ()
    by: str | None = None
    order: Literal["descending", "ascending"] = "descending"
    top: Amount | None = None
    quota: str | None = None
    diverse: Literal["embeddings"] | None = None
    diverse_by: Literal["k_center", "facility_location", "threshold"] = "k_center"
    pool: Amount | None = None
    threshold: Annotated[float, Field(gt=0, le=1)] = 0.9
    embeddings: str = "auto"
    random: bool = False
    random_baseline: bool = True
    seed: int = 17

    @field_validator("keep")
    @classmethod
    def _keep_is_sound(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            _refusing(parse_filter, text)
        return tuple(dict.fromkeys(text.strip() for text in texts))

    @field_validator("by")
    @classmethod
    def _by_is_sound(cls, text: str | None) -> str | None:
        return None if text is None else _refusing(parse_number, text).text

    @field_validator("top", "pool")
    @classmethod
    def _amount_is_sound(cls, text: str | None) -> str | None:
        return None if text is None else _refusing(parse_amount, text).text

    @model_validator(mode="after")
    def _parts_fit(self) -> SelectConfig:
        faults = []
        needs_top = self.diverse is not None and self.diverse_by != "threshold"
        if self.random and self.by is not None:
            faults.append("`random` draws instead of ranking; leave `by` out, or `random`")
        if self.top is None and (self.quota or self.pool or self.random or needs_top):
            named = "quota" if self.quota else "pool" if self.pool else None
            named = named or ("random" if self.random else f"diverse_by: {self.diverse_by}")
            faults.append(f"`{named}` shares out an amount; say with `top` how much is chosen")
        if self.pool is not None and not needs_top:
            faults.append("`pool` is what `diverse_by` k_center or facility_location chooses from")
        if self.top is not None and not (self.by or self.random or self.diverse):
            faults.append("`top` of what order? Rank with `by`, or draw with `random`")
        if faults:
            raise ValueError(". ".join(faults))
        return self

    def settings(self) -> dict[str, Any]:
        """The fields of this class alone, whatever a recipe's step adds to them."""
        return self.model_dump(mode="json", include=set(SelectConfig.model_fields))


def config_from(**fields: Any) -> SelectConfig:
    """A config from what a person typed; None stands for the default. Raises UsageError."""
    return config_of(SelectConfig, fields, refusal="The selection cannot be made as asked")


def _refusing(parse: Callable[[str], Parsed], text: str) -> Parsed:
    """What `parse` makes of the text; its UsageError as the ValueError that pydantic tells."""
    try:
        return parse(text)
    except UsageError as error:
        raise ValueError("; ".join(filter(None, [error.what, error.where, error.mend]))) from None
