"""The verb: a model and examples in, every measure of every example out, resumable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuneval import __version__, files
from tuneval.data.example import Example
from tuneval.data.fingerprint import data_hash
from tuneval.errors import DataError, UsageError
from tuneval.runs.events import Event, Finished, Report, Started, Step, Warned, ignore
from tuneval.scoring.config import ScoreConfig
from tuneval.scoring.item import ScoringItem, exercises_of
from tuneval.scoring.prompts import CHAT, load_prompts
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scorer import Account, Scorer
from tuneval.scoring.scorers import SCORERS
from tuneval.scoring.scores import CARD, ROWS, Scores
from tuneval.scoring.setting import Setting
from tuneval.tokenization import tokenizer_hash

if TYPE_CHECKING:
    from tuneval.models.engines.engine import Engine
    from tuneval.models.likelihood import Nll
    from tuneval.scoring.measured import MeasuredParts

VERSION = 1
WINDOW = 8192
"""Examples planned at once: bounds memory, and what equal sequences are looked for among."""
STAGE = "score"
WORK = ("requests", "reused", "inputs", "tokens", "computed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The model that measures, None for measures without one, and what runs it.

    `workers` names a Ray cluster (see `open_ray`), `n_workers` says how many of its workers;
    without it one a GPU or a machine.
    """

    model: str | None
    adapter: str | None = None
    device: str = "auto"
    workers: str | None = None
    n_workers: int | None = None


@dataclass(frozen=True, slots=True)
class ReadFrom:
    """Where the examples were read, so that they are found again."""

    data: str = ""
    format: str = "auto"


def score(
    config: ScoreConfig,
    examples: Sequence[Example],
    *,
    by: Meter,
    folder: Path,
    read_from: ReadFrom = ReadFrom(),
    tasks: Mapping[str, str] | None = None,
    earlier: Iterable[Path] = (),
    report: Report = ignore,
) -> Scores:
    """Score `examples` in `folder`; an example that stands there twice is scored once.

    `tasks` are names by example id; without them the config's field of the examples' tags, or
    clusters. `earlier` are files of measured parts to take from. Goes on where a kill stopped it,
    and gives back what is finished. Raises DataError without examples, UsageError for measures of
    a model without one, RunError for a folder with others' scores.
    """
    if not examples:
        raise DataError("There is no example to score.", mend="give a file with examples")
    _refuse_without_model(config, by.model)
    work = _Work(config, by, folder, report)
    with files.lock(folder / ".scoring.lock", timeout_seconds=1.0):
        distinct = {example.id: example for example in reversed(examples)}
        ordered = [distinct.pop(e.id) for e in examples if e.id in distinct]
        identity = work.identity() | {
            "data": read_from.data,
            "format": read_from.format,
            "data_hash": data_hash(examples),
            "texts_hash": _texts_hash(ordered, config),
            "tasks_hash": files.sha256_json(dict(tasks))[:16] if tasks is not None else None,
            "n_records": len(examples),
        }
        if (done := _finished(folder, identity)) is not None:
            return done
        return work.carry_out(ordered, identity, tasks=tasks, earlier=earlier)


@dataclass(slots=True)
class _Work:
    """One scoring in its folder."""

    config: ScoreConfig
    by: Meter
    folder: Path
    report: Report
    counts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(WORK, 0)))

    def identity(self) -> dict[str, Any]:
        """What decides the scores, the data apart."""
        identity = {
            "version": VERSION,
            "tuneval_version": __version__,
            "model": None,
            "adapter": self.by.adapter,
            "model_hash": None,
            "config": self.config.settings(),
        }
        if self.by.model is not None:
            from tuneval.models.load import model_hash
            from tuneval.models.reference import parse_reference

            identity["model"] = parse_reference(self.by.model).text
            identity["model_hash"] = model_hash(
                self.by.model, adapter=self.by.adapter, report=self.report
            )
        return identity

    def carry_out(
        self,
        examples: Sequence[Example],
        identity: dict[str, Any],
        *,
        tasks: Mapping[str, str] | None,
        earlier: Iterable[Path],
    ) -> Scores:
        """Measure what is not measured yet, and write the rows and then the card."""
        from tuneval.scoring.measured import NAME, MeasuredParts, Measurer
        from tuneval.scoring.preparation import prepare

        config = self.config
        scorers: list[Scorer] = [SCORERS.load(name)(config) for name in config.measures]
        measurer = Measurer(identity["model_hash"], config.precision, config.engine)
        measured = MeasuredParts(self.folder / NAME, measurer, earlier=earlier, report=self.report)
        with ExitStack() as stack:
            engine = None
            if any("model" in scorer.needs for scorer in scorers):
                engine = stack.enter_context(self._open_engine())
            items = [ScoringItem(example, exercises_of(example)) for example in examples]
            items, setting = prepare(
                items,
                scorers,
                config,
                model=self.by.model,
                adapter=self.by.adapter,
                longest=engine.longest_input if engine else None,
                tasks=tasks,
                report=self.report,
            )
            for scorer in scorers:
                scorer.begin(items, setting)
            rows = list(self._rows(items, scorers, setting, measured, engine))
        card = identity | {
            "prompts": setting.encoder.name if setting.prompts else None,
            "prompts_hash": setting.encoder.hash if setting.prompts else None,
            "tokenizer_hash": tokenizer_hash(setting.tokenizer) if setting.tokenizer else None,
            "n_examples": len(items),
            "duplicates": identity["n_records"] - len(items),
            "measures": {scorer.name: _account(scorer, rows) for scorer in scorers},
            "boundary_moved": setting.n_moved,
            "work": {**self.counts, "seconds": round(measured.seconds, 3)},
        }
        (self.folder / CARD).unlink(missing_ok=True)  # an earlier card does not go with new rows
        files.write_jsonl(self.folder / ROWS, (row.as_dict() for row in rows))
        files.write_json(self.folder / CARD, card)
        return Scores(self.folder, card, rows)

    def _rows(
        self,
        items: Sequence[ScoringItem],
        scorers: Sequence[Scorer],
        setting: Setting,
        measured: MeasuredParts,
        engine: Engine | None,
    ) -> Iterator[ScoreRow]:
        from tuneval.scoring.plan import plan, score_rows

        for first in range(0, len(items), WINDOW):
            planned = plan(items[first : first + WINDOW], scorers, setting)
            keys = list(planned.requests)
            self.counts["requests"] += len(keys)
            self.counts["reused"] += measured.adopt(keys)
            known = {index for index, key in enumerate(keys) if key in measured}
            if engine is not None and len(known) < len(keys):
                engine.measure(
                    list(planned.requests.values()),
                    known=known,
                    on_batch=partial(_append, measured, keys),
                    report=self._told(first, len(items)),
                )
            yield from score_rows(planned, scorers, setting, measured)

    def _open_engine(self) -> Engine:
        from tuneval.models.engines import ENGINES
        from tuneval.models.engines.engine import EngineConfig

        assert self.by.model is not None
        asked = EngineConfig(
            model=self.by.model,
            adapter=self.by.adapter,
            precision=self.config.precision,
            device=self.by.device,
            token_budget=self.config.token_budget,
            max_length=self.config.max_length,
        )
        if self.by.workers is not None:
            from tuneval.models.engines.ray_workers import open_ray

            return open_ray(
                asked,
                engine=self.config.engine,
                address=self.by.workers,
                workers=self.by.n_workers,
                report=self.report,
            )
        engine: Engine = ENGINES.load(self.config.engine)(asked, report=self.report)
        return engine

    def _told(self, first: int, n_items: int) -> Report:
        """The engine's events under this stage's name; what it computed is counted."""
        stage = STAGE if n_items <= WINDOW else f"{STAGE} {first + 1}-{first + WINDOW}"

        def tell(event: Event) -> None:
            match event:
                case Finished(_, values):
                    for name in WORK[2:]:
                        self.counts[name] += int(values.get(name, 0))
                    self.report(Finished(stage, values))
                case Started(_, total, unit):
                    self.report(Started(stage, total, unit))
                case Step(_, done, total, values):
                    self.report(Step(stage, done, total, values))
                case Warned():
                    self.report(event)

        return tell


def _append(measured: MeasuredParts, keys: Sequence[str], found: Sequence[tuple[int, Nll]]) -> None:
    measured.append([(keys[index], nll) for index, nll in found])


def _refuse_without_model(config: ScoreConfig, model: str | None) -> None:
    if model is not None:
        return
    needing = [n for n in config.measures if SCORERS.load(n).needs & {"model", "tokenizer"}]
    if needing:
        raise UsageError(
            f"These measures need a model: {', '.join(needing)}.",
            mend="name one with --model (bundled:smollm2-135m comes with tuneval), "
            "or ask for other measures",
        )


def _texts_hash(examples: Sequence[Example], config: ScoreConfig) -> str:
    """16 hex digits over what scores rest on and ids do not tell: inputs, tasks and prompts."""
    inputs = [[message.input for message in example.messages] for example in examples]
    tasks = [example.tags.get(config.task) for example in examples] if config.task else []
    prompts = None if config.prompts == CHAT else load_prompts(config.prompts).hash
    return files.sha256_json([inputs, list(map(str, tasks)), prompts])[:16]


def _finished(folder: Path, identity: Mapping[str, Any]) -> Scores | None:
    """The scores in the folder, if they are of just this work."""
    if not (folder / CARD).is_file() or not (folder / ROWS).is_file():
        return None
    card = files.read_json(folder / CARD)
    same = {key: card.get(key) for key in identity} == identity
    return Scores.load(folder) if same else None


def _account(scorer: Scorer, rows: Sequence[ScoreRow]) -> dict[str, Any]:
    """What the measure says, and how many examples have it."""
    name = scorer.name
    reasons = Counter(row.reasons[name] for row in rows if name in row.reasons)
    account = Account(
        scored=sum(row.scores[name] is not None for row in rows),
        unscored=dict(sorted(reasons.items())),
        truncated=sum(name in row.truncated for row in rows),
    )
    own = {code: list(scorer.own_reasons[code]) for code in reasons if code in scorer.own_reasons}
    return {"reading": asdict(scorer.reading), **asdict(account), "own_reasons": own}
