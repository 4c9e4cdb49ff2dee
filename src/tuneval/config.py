"""Configs from what a person gave: every fault at once, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tuneval.errors import UsageError

Config = TypeVar("Config", bound=BaseModel)


def config_of(kind: type[Config], fields: Mapping[str, Any], *, refusal: str) -> Config:
    """The config of a kind; a field that is None has its default.

    Raises UsageError that begins with `refusal` and names every fault.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return kind(**given)
    except ValidationError as error:
        raise UsageError(f"{refusal}: {'; '.join(faults_of(error))}") from None


def faults_of(error: ValidationError) -> list[str]:
    """`field.inner: what is wrong` for each fault."""
    return [
        f"{'.'.join(map(str, fault['loc']))}: ".removeprefix(": ")
        + str(fault["msg"]).removeprefix("Value error, ")
        for fault in error.errors()
    ]
