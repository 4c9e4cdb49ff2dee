"""What a set of flags comes to here."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tuneval.data.cutting.mixture import Strategy
from tuneval.evaluation.config import EvaluateConfig
from tuneval.recipes.llamafactory.asked import Note

Result = Literal["eval", "predict"]
"""What users ask for: `eval_results.json`, or `predict_results.json` and the predictions."""

HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class Joined:
    """Several sets written into one file. `sets` are locations with their weights."""

    file: str
    sets: tuple[tuple[str, float], ...]
    strategy: Strategy
    seed: int

    @property
    def command(self) -> str:
        """The command that does the same."""
        words = [
            location if weight == 1 else f"{location}={weight!r}" for location, weight in self.sets
        ]
        options = ["--strategy", self.strategy, "--seed", str(self.seed), "--no-tag"]
        return shlex.join(["tuneval", "data", "mix", *words, "--out", self.file, *options])


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation on a set of its own, and which results it is for."""

    file: str
    limit: int | None
    model: str
    adapter: str | None
    template: str
    config: EvaluateConfig
    results: tuple[Result, ...]

    @property
    def name(self) -> str:
        """`eval`, `predict` or `eval-predict`."""
        return "-".join(self.results)

    @property
    def command(self) -> str:
        """The command that does the same."""
        config = self.config
        options = {
            "--model": self.model,
            "--adapter": self.adapter,
            "--template": None if self.template == "auto" else self.template,
            "--limit": self.limit,
            "--max-length": config.max_length,
            "--max-new-tokens": config.max_new_tokens if config.generate else None,
            "--temperature": config.temperature or None,
            "--top-p": config.top_p if config.temperature else None,
            "--seed": config.seed,
        }
        words = [str(w) for pair in options.items() if pair[1] is not None for w in pair]
        silent = [] if config.generate else ["--no-generate"]
        return shlex.join(["tuneval", "evaluate", self.file, *words, *silent])


@dataclass(frozen=True, slots=True)
class Export:
    """A model to be written as one that stands by itself, over an earlier export as there."""

    model: str
    adapter: str | None
    to: str
    shard_size: str

    @property
    def command(self) -> str:
        """The command that does the same; its source is the adapter, which knows its base."""
        source = self.adapter or self.model
        options = ["--to", self.to, "--shard-size", self.shard_size, "--replace"]
        return shlex.join(["tuneval", "export", source, *options])


@dataclass(frozen=True, slots=True)
class Translation:
    """The equivalent of a set of flags.

    `recipe` trains, and evaluates on what it holds out where `held_out` asks for a result;
    `evaluations` are those on other sets. `overwrite`: `output_dir` may hold other files.
    """

    dialect: str
    output_dir: Path
    overwrite: bool
    recipe: dict[str, Any] | None = None
    held_out: tuple[Result, ...] = ()
    accuracy: bool = False
    joined: tuple[Joined, ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    export: Export | None = None
    notes: tuple[Note, ...] = ()

    @property
    def commands(self) -> dict[str, list[str]]:
        """The commands to be given `before` the recipe is run, and `after`."""
        after = [evaluation.command for evaluation in self.evaluations]
        if self.export is not None:
            after.append(self.export.command)
        return {"before": [joined.command for joined in self.joined], "after": after}

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "read_as": self.dialect,
            "output_dir": str(self.output_dir),
            "recipe": self.recipe,
            "commands": self.commands,
            "notes": [note.as_dict() for note in self.notes],
        }

    def as_yaml(self) -> str:
        """The recipe as a file that can be run; commands and notes stand in it as comments."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        yield f"# read as flags of {self.dialect}"
        for note in self.notes:
            yield f"# {note.fate}: {note.flag}: {note.said}"
        for command in self.commands["before"]:
            yield f"# first: {command}"
        if self.recipe is not None:
            yield yaml.safe_dump(
                self.recipe, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
            ).rstrip()
        for command in self.commands["after"]:
            yield f"# {'then' if self.recipe else 'the same'}: {command}"
