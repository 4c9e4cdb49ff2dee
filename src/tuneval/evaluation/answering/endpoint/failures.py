"""What can go wrong at an address: what is worth another attempt and when, and what to tell."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from tuneval.catalog import did_you_mean
from tuneval.errors import ModelError, TunevalError
from tuneval.models.endpoint import Endpoint

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
LONGEST_WAIT_SECONDS = 600.0
"""So long an address may make us wait; who says longer means another day."""
NOT_OFFERED = (404, 405, 501)
BAD_QUESTION = (400, 413, 422)
BUSY = 429


class RefusedError(Exception):
    """One question is not taken, and why."""


class CutError(Exception):
    """An answer that ended before it was whole."""


class StrangeError(Exception):
    """An answer that is none of OpenAI's protocol."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Judges the errors of one address. `openai` is the package; `key` is never told."""

    endpoint: Endpoint
    openai: Any
    key: str = field(repr=False)

    def is_passing(self, error: Exception) -> bool:
        """Whether the same question may be answered at another time."""
        if isinstance(error, StrangeError):
            return False
        status = status_of(error)
        if status is None:
            return True  # no connection, no whole answer, or an error in the middle of one
        return status in (408, 409, 425, BUSY) or (status >= 500 and status not in NOT_OFFERED)

    def explained(self, error: Exception, n_tried: int) -> Exception:
        """The error in our words: of the whole address, or of this question only."""
        url, model = self.endpoint.url, self.endpoint.model
        times = "once" if n_tried == 1 else f"{n_tried} times"
        status, said = status_of(error), self._message(error)
        if isinstance(error, self.openai.APITimeoutError):
            return ModelError(
                f"The address gave no answer within {self.endpoint.timeout_seconds:g} seconds, "
                f"asked {times}.",
                where=url,
                mend="ask less at once (?concurrency=…) or wait longer (?timeout_seconds=…)",
            )
        if isinstance(error, self.openai.APIConnectionError):
            return ModelError(
                f"Nobody answers at this address: {error.__cause__ or error}.",
                where=url,
                mend="look whether the server runs, and at host, port and path (…/v1)",
            )
        if isinstance(error, StrangeError):
            return ModelError(
                f"What answers at this address does not speak OpenAI's protocol: {said}.",
                where=url,
                mend="look at host, port and path (…/v1)",
            )
        if status in (401, 403):
            return ModelError(
                f"The address refuses the key: {said}",
                where=url,
                mend=f"set the environment variable {self.endpoint.key_variable} to a key of "
                "this address, or name another variable (?key_variable=…)",
            )
        if status == 404 and model in said:
            return self.unknown_model([], said)
        if status in NOT_OFFERED or status in BAD_QUESTION:
            return RefusedError(said)
        wait = told_pause(error)
        return ModelError(
            f"The address failed, asked {times}: {said}",
            where=url,
            mend="run the same command again later: it goes on where it stopped"
            if wait is None
            else f"it wants to be asked in {wait:.0f} seconds: run the same command then, with "
            "less at once (?concurrency=…); it goes on where it stopped",
        )

    def unknown_model(self, served: Sequence[str], said: str = "") -> TunevalError:
        """The address serves other models."""
        mend = did_you_mean(self.endpoint.model, list(served)) if served else "look at its name"
        return ModelError(
            f"The address has no model called '{self.endpoint.model}'. {said}".strip(),
            where=self.endpoint.url,
            mend=mend,
        )

    def _message(self, error: Exception) -> str:
        """What the address says of it, in one line, without the key that it may quote."""
        body = getattr(error, "body", None)
        told = body.get("message") if isinstance(body, dict) else None
        said = " ".join(str(told or getattr(error, "message", "") or error).split())
        return (said.replace(self.key, "…") if self.key else said)[:300]


def status_of(error: Exception) -> int | None:
    """The HTTP status; of an error told in the middle of an answer the code that it gives."""
    status = getattr(error, "status_code", None)
    if status is None and isinstance(body := getattr(error, "body", None), dict):
        status = body.get("code")
    return status if isinstance(status, int) else None


def pause(n_failed: int, error: Exception) -> float | None:
    """Seconds until the next attempt: what the address says, else doubled each time, jittered.

    None where it says longer than anybody waits.
    """
    told = told_pause(error)
    if told is not None:
        return told if told <= LONGEST_WAIT_SECONDS else None
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** max(0, n_failed - 1))
    return longest * random.uniform(0.5, 1.0)


def told_pause(error: Exception) -> float | None:
    """The seconds that the address wants us to wait, told as such or as a date (RFC 9110)."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        try:
            seconds = float(text) * scale
        except ValueError:
            seconds = _seconds_until(text)
        if seconds == seconds:
            return max(0.0, seconds)
    return None


def _seconds_until(date: str) -> float:
    """NaN for what is no date."""
    try:
        then = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return float("nan")
    return (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
