"""The candidates that are left, stage by stage, with the reason of each that is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from tuneval.scoring.selection.candidate import Candidate, Undefined
from tuneval.scoring.selection.expression import Expression
from tuneval.scoring.selection.outcome import Rejection, Stage

Value = Callable[[Candidate], object]


class Sieve:
    """Begins with every example of the set. No example leaves it without a reason."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self.left = list(candidates)
        self.rejected: dict[str, Rejection] = {}
        self.stages = [Stage("distinct examples", len(self.left))]

    def keep(self, expression: Expression) -> None:
        """Out is where the expression does not hold, and where it has no value."""

        def reason(candidate: Candidate) -> str | None:
            value = expression.value(candidate)
            if isinstance(value, Undefined):
                return value.reason
            return None if value is True else f"keep:{expression.text}"

        self._stage(f"keep {expression.text}", reason)

    def demand(self, name: str, value: Value) -> None:
        """Out is what has no value. No stage is told of where nothing is out."""

        def reason(candidate: Candidate) -> str | None:
            found = value(candidate)
            return found.reason if isinstance(found, Undefined) else None

        self._stage(name, reason, quietly=True)

    def reject(self, name: str, rejections: Mapping[str, Rejection]) -> None:
        """Out is who has a rejection."""
        self.rejected |= rejections
        self.left = [each for each in self.left if each.id not in rejections]
        counts = Counter(each.reason for each in rejections.values())
        self.stages.append(Stage(name, len(self.left), dict(sorted(counts.items()))))

    def _stage(
        self, name: str, reason: Callable[[Candidate], str | None], *, quietly: bool = False
    ) -> None:
        reasons = {each.id: reason(each) for each in self.left}
        rejections = {id: Rejection(why) for id, why in reasons.items() if why is not None}
        if rejections or not quietly:
            self.reject(name, rejections)
