"""The verdict on a pair of responses: "1", "2", or "0" for a tie."""

from __future__ import annotations

import re

from tuneval.evaluation.extraction.extractor import Extractor

TIE = "0"
_NAMED = re.compile(r"(?:^|response\s*|\W)(1|2|tie|equal)(?!\w)", re.IGNORECASE)


def verdict(text: str) -> str:
    """PandaLM's own reading: 1 or 2 on the first line, and anything else is a tie."""
    return strict_verdict(text) or TIE


def strict_verdict(text: str) -> str | None:
    """What the first line is: 1, 2 or tie; None where it is something else."""
    line = text.strip().split("\n")[0]
    if line in ("1", "2"):
        return line
    return TIE if line.lower() == "tie" else None


def lenient_verdict(text: str) -> str | None:
    """The first verdict that the first line names: `Response 2 is better`."""
    found = _NAMED.search(text.strip().split("\n")[0])
    if found is None:
        return None
    return found.group(1) if found.group(1) in ("1", "2") else TIE


PANDALM = Extractor(
    name="pandalm",
    summary="1, 2 or tie on the first line; officially all else is a tie",
    source="github.com/WeOpenML/PandaLM, pandalm_inference.py: parse_pandalm_response",
    strict=strict_verdict,
    lenient=lenient_verdict,
    official=verdict,
    faults=("`Response 1` is a tie", "what is no verdict at all is a tie"),
)
PANDALM_STRICT = Extractor(
    name="pandalm_strict",
    summary="1, 2 or tie on the first line; all else is no verdict",
    source="tuneval",
    strict=strict_verdict,
    lenient=lenient_verdict,
    official=strict_verdict,
)
