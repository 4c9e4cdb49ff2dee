"""What a run is, on one card: `run.json`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Status = Literal["running", "done", "failed", "interrupted"]


class Manifest(BaseModel):
    """Name, identity and state of a run.

    `key` is the hash of everything that decides the outcome: two runs with one key are the same
    work. `parents` are the ids of the runs whose artefacts this one read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    key: str
    created: str
    """ISO 8601, UTC."""
    status: Status = "running"
    command: str | None = None
    tuneval_version: str | None = None
    recipe_hash: str | None = None
    data_hash: str | None = None
    template_hash: str | None = None
    model: str | None = None
    parents: tuple[str, ...] = ()
    error: str | None = None
