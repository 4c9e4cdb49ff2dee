"""What has been measured, kept by content: a file that grows, from which a killed run goes on."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tuneval import files
from tuneval.errors import ModelError, RunError, StorageError
from tuneval.models.likelihood import Nll
from tuneval.models.precision import Precision
from tuneval.models.sequences import Request
from tuneval.runs.events import Report, Warned, ignore

NAME = "measured.jsonl"


@dataclass(frozen=True, slots=True)
class Measurer:
    """By what likelihood was measured. Its numbers are worth nothing for another one."""

    model_hash: str
    precision: Precision
    engine: str


def request_key(request: Request) -> str:
    """32 hex digits over the ids of context and target, and where one ends."""
    context, target = (np.asarray(ids, np.int32) for ids in (request.context, request.target))
    digest = hashlib.blake2b(len(context).to_bytes(4), digest_size=16)
    digest.update(context.tobytes())
    digest.update(target.tobytes())
    return digest.hexdigest()


class MeasuredParts:
    """Nll by request key. A line of the file is one forward pass: it is there whole or not."""

    def __init__(
        self,
        path: Path,
        measurer: Measurer,
        *,
        earlier: Iterable[Path] = (),
        report: Report = ignore,
    ) -> None:
        self.path = path
        self._began = time.monotonic()
        self._inherited: dict[str, Nll] = {}
        for other in earlier:
            try:
                content = _read(other)
            except StorageError as error:
                report(Warned("measured", f"{error.what} What stands there is measured again."))
                continue
            if content.measurer == measurer:
                self._inherited |= content.found
        own = _read(path) if path.exists() else _Content()
        if own.measurer not in (None, measurer):
            raise RunError(
                "This folder holds scores measured by another model, precision or engine.",
                where=str(path),
                mend="choose another folder",
            )
        self._found, self._seconds_before = own.found, own.seconds
        if own.measurer is None:
            files.append_jsonl(path, {"measurer": asdict(measurer)})

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def __getitem__(self, key: str) -> Nll:
        return self._found[key]

    @property
    def seconds(self) -> float:
        """Seconds of work so far, over all starts."""
        return self._seconds_before + time.monotonic() - self._began

    def adopt(self, keys: Collection[str]) -> int:
        """Write down what earlier files have of these keys and this one has not; how many."""
        found = [
            (key, self._inherited[key])
            for key in keys
            if key in self._inherited and key not in self._found
        ]
        if found:
            self.append(found)
        return len(found)

    def append(self, answers: Sequence[tuple[str, Nll]]) -> None:
        """Keep what one forward pass found. Raises ModelError for what is no number."""
        if bad := [nll for _, nll in answers if not math.isfinite(nll.total)]:
            raise ModelError(
                f"The model finds a text of {bad[0].n_tokens} tokens {bad[0].total} nats unlikely.",
                mend="score with precision float32, or check that the weights are whole",
            )
        row = {
            "parts": [[key, nll.total, nll.n_tokens] for key, nll in answers],
            "elapsed_seconds": round(self.seconds, 3),
        }
        files.append_jsonl(self.path, row)
        self._found.update(answers)


class _Content:
    """What stands in a file of measured parts."""

    def __init__(self) -> None:
        self.measurer: Measurer | None = None
        self.found: dict[str, Nll] = {}
        self.seconds = 0.0


def _read(path: Path) -> _Content:
    """Raises StorageError for what is no such file; a torn last line is left out."""
    content = _Content()
    for number, row in enumerate(files.read_jsonl(path, tolerate_torn_tail=True), start=1):
        try:
            if "measurer" in row:
                content.measurer = Measurer(**row["measurer"])
            else:
                content.found.update((key, Nll(total, n)) for key, total, n in row["parts"])
                content.seconds = row["elapsed_seconds"]
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(
                f"A line of measured parts is damaged: {error!r}.",
                where=f"{path}:{number}",
                mend="remove the line; what stood there is measured again",
            ) from error
    return content
