"""One question put to an address through the `openai` package, with patience.

A stream that breaks off is asked for again whole. What is passing (busy, timed out, cut off) is
tried again after a pause that doubles, or as long as the address says; what is not becomes an
error in our words, or `RefusedError` where only this question is at fault.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from tuneval.evaluation.answering.endpoint.asking import Weighed, Written
from tuneval.evaluation.answering.endpoint.failures import (
    BUSY,
    CutError,
    Failures,
    RefusedError,
    StrangeError,
    pause,
    status_of,
)
from tuneval.extras import require
from tuneval.models.endpoint import Endpoint

MOST_STOPS = 4
"""How many stop texts OpenAI's own address takes; all are applied here anyway."""
NEWER_BOUND = "max_completion_tokens"
"""How OpenAI's newer models want the length of an answer called; they say so."""
NO_KEY = "none"
"""Sent in place of a key: the package wants one, and servers without keys heed none."""
Found = TypeVar("Found")


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
        key = os.environ.get(endpoint.key_variable) or NO_KEY
        self._client: Any = self._openai.OpenAI(
            base_url=endpoint.url,
            api_key=key,
            timeout=endpoint.timeout_seconds,
            max_retries=0,  # ours know of broken streams too, and can be stopped
            default_headers=_headers(self._openai, key),
        )
        self._failures = Failures(endpoint, self._openai, "" if key == NO_KEY else key)
        self._stopped, self._leaving = threading.Event(), threading.Event()
        self._n_answers = 0
        self._bound = "max_tokens"

    def leave(self) -> None:
        """End with the answers that are in flight: what fails now is not asked again."""
        self._leaving.set()

    def stop(self) -> None:
        """Let go of what is in flight: it ends with its next piece, and is not asked again."""
        self._stopped.set()
        self.leave()

    def close(self) -> None:
        """Give back the connections."""
        self.stop()
        self._client.close()

    def check(self) -> None:
        """Raises ModelError when nobody answers, the key is refused, or there is no such model."""
        try:
            served = self._patiently(self._served)
        except RefusedError:
            return  # it does not list its models
        if served and self.endpoint.model not in served:
            raise self._failures.unknown_model(served)

    @cached_property
    def offer(self) -> Offer:
        """Found out with one short question."""
        try:
            told, _ = self._patiently(lambda: self._echo(["Question: 1 + 1. Answer:"]))
        except RefusedError:
            return self._without_echo()
        return Offer(texts=True, likelihood=told[0] is not None)

    def write(self, asked: Written, *, top_p: float, seed: int) -> Said:
        """The answer, up to the first of its stop texts."""
        bound = self._bound
        try:
            return self._patiently(lambda: self._stream(asked, top_p, seed))
        except RefusedError as refusal:
            if bound == NEWER_BOUND or NEWER_BOUND not in str(refusal):
                raise
            self._bound = NEWER_BOUND
            return self._patiently(lambda: self._stream(asked, top_p, seed))

    def weigh(self, asked: Weighed) -> tuple[list[float], list[int]]:
        """Each continuation's log-probability, and its tokens.

        The tokens of a continuation are those after as many as the text alone has.
        """
        prompts = [asked.text, *(asked.text + more for more in asked.continuations)]
        answered, n_counted = self._patiently(lambda: self._echo(prompts))
        told = [tokens for tokens in answered if tokens is not None]
        if len(told) < len(prompts):
            raise RefusedError("the address gave no log-probabilities for it")
        n_told = sum(map(len, told))
        if n_counted not in (None, n_told):
            raise RefusedError(f"the address counts {n_counted} tokens in it and weighs {n_told}")
        context, *wholes = told
        targets = [whole[len(context) :] for whole in wholes]
        if not all(targets):
            raise RefusedError("a choice has no token of its own after the prompt")
        return [sum(target) for target in targets], [len(target) for target in targets]

    def _served(self) -> list[str]:
        """The names of the models that the address lists."""
        try:
            return [str(model.id) for model in self._client.models.list().data]
        except (AttributeError, TypeError) as error:  # a page for browsers, say
            raise StrangeError("its list of models is none") from error

    def _echo(self, prompts: Sequence[str]) -> tuple[list[list[float] | None], int | None]:
        """Of each prompt its tokens' log-probabilities, None where they are not told; and how
        many tokens the address counts in all of them.
        """
        answer = self._client.completions.create(
            model=self.endpoint.model,
            prompt=list(prompts),
            echo=True,
            logprobs=1,
            max_tokens=1,
            temperature=0.0,
        )
        choices = getattr(answer, "choices", None)
        if not isinstance(choices, list) or len(choices) != len(prompts):
            raise RefusedError("the address gave back other prompts than it was sent")
        told = [_tokens(each) for each in sorted(choices, key=lambda choice: choice.index)]
        return told, getattr(getattr(answer, "usage", None), "prompt_tokens", None)

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
            self._bound: asked.max_new_tokens,
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
                if (usage := getattr(piece, "usage", None)) is not None:
                    n_tokens = usage.completion_tokens
                for choice in (getattr(piece, "choices", None) or [])[:1]:
                    said = choice if asked.messages is None else choice.delta
                    more = getattr(said, "text" if asked.messages is None else "content", None)
                    if more and to_first is None:
                        to_first = time.perf_counter() - began
                    text += more or ""
                    reason = choice.finish_reason or reason
        seconds = time.perf_counter() - began
        if reason is None:
            raise CutError("the answer broke off")
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
                    raise CutError("stopped")
                yield piece
        except (CutError, self._openai.OpenAIError):
            raise
        except Exception as error:  # older versions let their connection's own errors through
            raise CutError(f"{type(error).__name__}: {error}") from error

    def _patiently(self, ask: Callable[[], Found]) -> Found:
        """What `ask` gives, asked again while it fails in passing.

        An address that is only asked too much at once answers others meanwhile: as long as it
        does, waiting is no failure.
        """
        n_tried, n_failed, n_before = 0, 0, self._n_answers
        while True:
            n_tried += 1
            try:
                found = ask()
            except (self._openai.APIError, CutError, StrangeError, ValueError) as error:
                is_waiting = status_of(error) == BUSY and self._n_answers > n_before
                n_before = self._n_answers
                n_failed += not is_waiting
                seconds = pause(n_failed, error)
                gives_up = n_failed > self.endpoint.retries or seconds is None
                if gives_up or not self._failures.is_passing(error) or self._leaving.wait(seconds):
                    raise self._failures.explained(error, n_tried) from error
            else:
                self._n_answers += 1
                return found


def _headers(openai: Any, key: str) -> dict[str, Any]:
    """Our key, and none of what the package reads in the environment: that is for OpenAI's own."""
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    names = {line.partition(":")[0].strip() for line in lines if ":" in line}
    others = {"OpenAI-Organization", "OpenAI-Project", *names}
    omitted = {name: openai.Omit() for name in others if name.lower() != "authorization"}
    return {**omitted, "Authorization": f"Bearer {key}"}


def _tokens(choice: Any) -> list[float] | None:
    """The log-probabilities of a told-back prompt, without the token that was added.

    The first has none, as nothing stands before it: it counts as 0. None where none are told.
    """
    told = getattr(getattr(choice, "logprobs", None), "token_logprobs", None)
    if not told or len(told) < 3 or any(value is None for value in told[1:]):
        return None
    return [0.0, *(float(value) for value in told[1:-1])]
