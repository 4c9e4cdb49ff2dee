"""One question put to an address through the `openai` package, with patience.

A stream that breaks off is asked for again whole. What is passing (busy, timed out, cut off) is
tried again after a pause that doubles, or as long as the address says; what is not becomes an
error in our words, or `RefusedError` where only this question is at fault.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from tuneval.catalog import did_you_mean
from tuneval.errors import ModelError, TunevalError
from tuneval.evaluation.answering.endpoint.asking import Weighed, Written
from tuneval.extras import require
from tuneval.models.endpoint import Endpoint

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 30.0
MOST_STOPS = 4
"""How many stop texts OpenAI's own address takes; all are applied here anyway."""
NOT_OFFERED = (404, 405, 501)
BAD_QUESTION = (400, 413, 422)
Found = TypeVar("Found")


class RefusedError(Exception):
    """One question is not taken, and why."""


class _CutError(Exception):
    """A stream that ended before its answer did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was written. `n_tokens` is None where the address does not count."""

    text: str
    finish_reason: str
    n_tokens: int | None
    seconds_to_first: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an address does beside conversations: go on from texts, and weigh their tokens."""

    texts: bool
    likelihood: bool


class Client:
    """Asks one endpoint; used by many threads at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._openai: Any = require("openai", extra="endpoint", why="to ask a model at an address")
        self._client: Any = self._openai.OpenAI(
            base_url=endpoint.url,
            api_key=os.environ.get(endpoint.key_variable) or "none",
            timeout=endpoint.timeout_seconds,
            max_retries=0,  # ours know of broken streams too, and can be stopped
        )
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let go of what is in flight: it ends with its next piece, and is not asked again."""
        self._stopped.set()

    def close(self) -> None:
        """Give back the connections."""
        self.stop()
        self._client.close()

    def check(self) -> None:
        """Raises ModelError when nobody answers, the key is refused, or there is no such model."""
        try:
            served = self._patiently(lambda: [model.id for model in self._client.models.list()])
        except RefusedError:
            return  # it does not list its models
        if served and self.endpoint.model not in served:
            raise self._unknown_model(served)

    @cached_property
    def offer(self) -> Offer:
        """Found out with one short question."""
        try:
            answer = self._patiently(lambda: self._echo(["Question: 1 + 1. Answer:"]))
        except RefusedError:
            return self._without_echo()
        told = [_tokens(choice) for choice in answer.choices]
        return Offer(texts=True, likelihood=len(told) == 1 and told[0] is not None)

    def write(self, asked: Written, *, top_p: float, seed: int) -> Said:
        """The answer, up to the first of its stop texts."""
        return self._patiently(lambda: self._stream(asked, top_p, seed))

    def weigh(self, asked: Weighed) -> tuple[list[float], list[int]]:
        """Each continuation's log-probability, and its tokens.

        The tokens of a continuation are those after as many as the text alone has.
        """
        prompts = [asked.text, *(asked.text + more for more in asked.continuations)]
        answer = self._patiently(lambda: self._echo(prompts))
        told = [_tokens(c) for c in sorted(answer.choices, key=lambda choice: choice.index)]
        if len(told) != len(prompts) or any(tokens is None for tokens in told):
            raise RefusedError("the address gave no log-probabilities for it")
        context, *wholes = [tokens for tokens in told if tokens is not None]
        targets = [whole[len(context) :] for whole in wholes]
        if not all(targets):
            raise RefusedError("a choice has no token of its own after the prompt")
        return [sum(target) for target in targets], [len(target) for target in targets]

    def _echo(self, prompts: Sequence[str]) -> Any:
        """The prompts told back with the log-probability of each token, and one token more."""
        return self._client.completions.create(
            model=self.endpoint.model,
            prompt=list(prompts),
            echo=True,
            logprobs=1,
            max_tokens=1,
            temperature=0.0,
        )

    def _without_echo(self) -> Offer:
        try:
            self._patiently(
                lambda: self._client.completions.create(
                    model=self.endpoint.model, prompt="1 + 1 =", max_tokens=1
                )
            )
        except RefusedError:
            return Offer(texts=False, likelihood=False)
        return Offer(texts=True, likelihood=False)

    def _stream(self, asked: Written, top_p: float, seed: int) -> Said:
        settings: dict[str, Any] = {
            "model": self.endpoint.model,
            "max_tokens": asked.max_new_tokens,
            "temperature": asked.temperature,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if asked.temperature > 0:
            settings |= {"top_p": top_p, "seed": seed}
        if asked.stop:
            settings["stop"] = list(asked.stop[:MOST_STOPS])
        began = time.perf_counter()
        if asked.messages is None:
            stream = self._client.completions.create(prompt=asked.text, **settings)
        else:
            messages = [{"role": role, "content": content} for role, content in asked.messages]
            stream = self._client.chat.completions.create(messages=messages, **settings)
        return self._heard(stream, asked, began)

    def _heard(self, stream: Any, asked: Written, began: float) -> Said:
        text, reason, n_tokens = "", None, None
        to_first: float | None = None
        with stream:
            for piece in self._pieces(stream):
                if piece.usage is not None:
                    n_tokens = piece.usage.completion_tokens
                for choice in piece.choices[:1]:
                    more = choice.text if asked.messages is None else choice.delta.content
                    if more and to_first is None:
                        to_first = time.perf_counter() - began
                    text += more or ""
                    reason = choice.finish_reason or reason
        seconds = time.perf_counter() - began
        if reason is None:
            raise _CutError("the answer broke off")
        if reason == "content_filter":
            raise RefusedError("the address withheld the answer (content_filter)")
        places = [place for stop in asked.stop if (place := text.find(stop)) >= 0]
        return Said(
            text=text[: min(places, default=len(text))],
            finish_reason="length" if reason == "length" and not places else "stop",
            n_tokens=n_tokens,
            seconds_to_first=seconds if to_first is None else to_first,
            seconds=seconds,
        )

    def _pieces(self, stream: Any) -> Iterator[Any]:
        """The stream's parts; what breaks it in the connection below is one error."""
        try:
            for piece in stream:
                if self._stopped.is_set():
                    raise _CutError("stopped")
                yield piece
        except (_CutError, self._openai.OpenAIError):
            raise
        except Exception as error:  # older versions let their connection's own errors through
            raise _CutError(f"{type(error).__name__}: {error}") from error

    def _patiently(self, ask: Callable[[], Found]) -> Found:
        """What `ask` gives, asked again while it fails in passing."""
        for attempt in range(self.endpoint.retries + 1):
            try:
                return ask()
            except (self._openai.APIError, _CutError) as error:
                is_last = attempt == self.endpoint.retries
                if is_last or not self._is_passing(error):
                    raise self._explained(error) from error
                if self._stopped.wait(_pause(attempt, error)):
                    raise self._explained(error) from error
        raise AssertionError("the last attempt returns or raises")

    def _is_passing(self, error: Exception) -> bool:
        if isinstance(error, _CutError | self._openai.APIConnectionError):
            return True
        status = getattr(error, "status_code", None)
        return status in (408, 409, 425, 429) or (
            status is not None and status >= 500 and status not in NOT_OFFERED
        )

    def _explained(self, error: Exception) -> Exception:
        """The error in our words: of the whole address, or of this question only."""
        url, patience = self.endpoint.url, self.endpoint.timeout_seconds
        tried = f"{self.endpoint.retries + 1} times"
        status = getattr(error, "status_code", None)
        said = _message(error)
        if isinstance(error, self._openai.APITimeoutError):
            return ModelError(
                f"The address gave no answer within {patience:g} seconds, {tried}.",
                where=url,
                mend="ask less at once (?concurrency=…) or wait longer (?timeout_seconds=…)",
            )
        if isinstance(error, self._openai.APIConnectionError):
            return ModelError(
                f"Nobody answers at this address: {error.__cause__ or error}.",
                where=url,
                mend="look whether the server runs, and at host, port and path (…/v1)",
            )
        if status in (401, 403):
            return ModelError(
                f"The address refuses the key: {said}",
                where=url,
                mend=f"set the environment variable {self.endpoint.key_variable} to a key of "
                "this address, or name another variable (?key_variable=…)",
            )
        if status == 404 and self.endpoint.model in said:
            return self._unknown_model([], said)
        if status in NOT_OFFERED or status in BAD_QUESTION:
            return RefusedError(said)
        return ModelError(
            f"The address failed, {tried}: {said}",
            where=url,
            mend="run the same command again later: it goes on where it stopped",
        )

    def _unknown_model(self, served: Sequence[str], said: str = "") -> TunevalError:
        mend = did_you_mean(self.endpoint.model, list(served)) if served else "look at its name"
        return ModelError(
            f"The address has no model called '{self.endpoint.model}'. {said}".strip(),
            where=self.endpoint.url,
            mend=mend,
        )


def _tokens(choice: Any) -> list[float] | None:
    """The log-probabilities of a told-back prompt, without the token that was added.

    The first has none, as nothing stands before it: it counts as 0. None where none are told.
    """
    told = getattr(choice.logprobs, "token_logprobs", None)
    if not told or len(told) < 3 or any(value is None for value in told[1:]):
        return None
    return [0.0, *(float(value) for value in told[1:-1])]


def _pause(attempt: int, error: Exception) -> float:
    """Seconds until the next attempt: what the address says, else doubled each time, jittered."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return min(LONGEST_PAUSE_SECONDS, max(0.0, float(headers[name]) * scale))
        except (KeyError, ValueError):
            continue
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**attempt)
    return longest * random.uniform(0.5, 1.0)


def _message(error: Exception) -> str:
    """What the address says of it, in one line."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    return " ".join(str(said or getattr(error, "message", "") or error).split())[:300]
