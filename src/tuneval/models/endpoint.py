"""A model behind an address that speaks OpenAI's protocol, as a person writes it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from urllib.parse import parse_qsl, urlsplit

from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError

SCHEME = "endpoint:"
FORM = "endpoint:http://HOST:PORT/v1#MODEL, with ?concurrency=8&timeout_seconds=60 before the #"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is asked, and how patiently; only `url` and `model` say who answers.

    At most `concurrency` questions are in flight. One that fails in passing (busy, timed out,
    cut off) is asked up to `retries` times more. `key_variable` names the environment's variable
    with the key; where it is not set no other is sent: another address's key is not for this one.
    """

    url: str
    model: str
    concurrency: int = 16
    timeout_seconds: float = 120.0
    retries: int = 6
    key_variable: str = "TUNEVAL_ENDPOINT_KEY"

    @property
    def name(self) -> str:
        """Who answers, in the form that a person writes."""
        return f"{SCHEME}{self.url}#{self.model}"


OPTIONS = tuple(field.name for field in fields(Endpoint) if field.name not in ("url", "model"))


def is_endpoint(text: str) -> bool:
    """Whether a model is named by its address."""
    return text.strip().startswith(SCHEME)


def parse_endpoint(text: str) -> Endpoint:
    """The endpoint that `endpoint:URL[?option=value&…]#MODEL` means. Raises UsageError."""
    address, _, model = text.strip().removeprefix(SCHEME).partition("#")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or not model:
        raise UsageError(f"'{text}' is not the address of a model.", mend=f"write {FORM}")
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "An address with a name or password in it would stand in every result.",
            where=f"{parts.scheme}://…@{parts.hostname}",
            mend="leave it out, and set the environment variable TUNEVAL_ENDPOINT_KEY to the key",
        )
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = {}
    for name, value in given.items():
        if name not in OPTIONS:
            raise UsageError(
                f"An endpoint has no option '{name}'.",
                where=text,
                mend=did_you_mean(name, list(OPTIONS)),
            )
        known[name] = _value(name, value, text)
    url = parts._replace(query="", fragment="").geturl().rstrip("/")
    return Endpoint(url=url, model=model, **known)  # type: ignore[arg-type]


def _value(name: str, value: str, text: str) -> object:
    if name == "key_variable":
        return value
    least = {"concurrency": 1, "retries": 0, "timeout_seconds": 0.001}[name]
    try:
        number = float(value) if name == "timeout_seconds" else int(value)
    except ValueError:
        number = -1
    if not least <= number < float("inf"):
        raise UsageError(
            f"'{value}' cannot be the {name} of an endpoint.",
            where=text,
            mend=f"write a number from {least:g} on",
        )
    return number
