"""How many tokens an example's responses have, from its scores."""

from __future__ import annotations

from collections.abc import Iterable

from tuneval.errors import UsageError
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.selection.candidate import Candidate, Undefined

COUNTED = "response_tokens"
_MEASURED = "response_ppl"


class ResponseTokens:
    """Counts by the measure `response_tokens`; without it, by the parts of `response_ppl`.

    The parts hold what the model read, and the tokens that were cut off are added. UsageError when
    the scores hold neither.
    """

    def __init__(self, rows: Iterable[ScoreRow]) -> None:
        measured = {name for row in rows for name in row.scores}
        self._from = next((name for name in (COUNTED, _MEASURED) if name in measured), "")
        if not self._from:
            raise UsageError(
                "An amount of tokens was asked for, and the scores do not count response tokens.",
                mend=f"score the set with --measure {COUNTED}, too, or ask for so many examples",
            )

    def of(self, candidate: Candidate) -> int | Undefined:
        """The tokens of all its responses, or why they are not counted."""
        counted = candidate.measure(self._from)
        if isinstance(counted, Undefined) or self._from == COUNTED:
            return counted if isinstance(counted, Undefined) else round(counted)
        row = candidate.row
        parts = row.parts.get(_MEASURED, [])
        return int(sum(part["n_tokens"] for part in parts)) + row.truncated.get(_MEASURED, 0)
