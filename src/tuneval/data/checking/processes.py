"""Parts of a job done by several processes, answers in the order of the parts.

The processes are fresh interpreters that run this module. A fork would start quicker, but may
inherit locks that threads of the caller (torch's, a web server's) hold for ever; multiprocessing's
`spawn` would run the caller's script again. A start costs about a tenth of a second. A process
ends when its input does, so none outlives the caller, and Ctrl-C reaches only the caller.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, BinaryIO, Generic, Protocol, TypeVar, cast

from tuneval.errors import TunevalError

_THIS = "tuneval.data.checking.processes"

Part_contra = TypeVar("Part_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)
Part = TypeVar("Part")
Answer = TypeVar("Answer")


class Job(Protocol[Part_contra, Answer_co]):
    """What to do with each part; it travels to every process once, pickled."""

    def do(self, part: Part_contra, /) -> Answer_co:
        """The answer for one part."""
        ...


def n_cpus() -> int:
    """How many CPUs this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def travels(job: object) -> bool:
    """Whether another process can get the job: it is made of modules' objects, not a script's."""
    if not sys.executable:
        return False
    try:
        pickled = pickle.dumps(job)
    except (pickle.PicklingError, AttributeError, TypeError):
        return False
    return b"__main__" not in pickled


def in_processes(
    job: Job[Part, Answer], parts: Iterable[Part], *, n_workers: int, where: str
) -> Generator[Answer, None, None]:
    """The answers, in order. Parts are taken as they are needed, a few ahead.

    What a part raises is raised here. TunevalError when a process dies. However this ends, the
    processes are gone.
    """
    idle: SimpleQueue[_Worker[Part, Answer]] = SimpleQueue()

    def do(part: Part) -> Answer:
        worker = idle.get()
        try:
            return worker.do(part)
        finally:
            idle.put(worker)

    workers: list[_Worker[Part, Answer]] = []
    threads = ThreadPoolExecutor(n_workers)
    waiting: deque[Future[Answer]] = deque()
    try:
        for _ in range(n_workers):
            workers.append(_Worker(job, where))
            idle.put(workers[-1])
        for part in parts:
            waiting.append(threads.submit(do, part))
            if len(waiting) > 2 * n_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        for worker in workers:
            worker.kill()
        threads.shutdown()
        for worker in workers:
            worker.close()


class _Worker(Generic[Part, Answer]):
    """One process and the pipes to it."""

    def __init__(self, job: Job[Part, Answer], where: str) -> None:
        search_path = os.pathsep.join(folder for folder in sys.path if folder)
        self._where = where
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the pipes)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _THIS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                env={**os.environ, "PYTHONPATH": search_path},
                process_group=0 if os.name == "posix" else None,  # Ctrl-C is for the caller
            )
        except OSError as error:
            self._complaints.close()
            raise TunevalError(
                f"A further process cannot be started: {error.strerror}.",
                where=where,
                mend="workers=1 needs none",
            ) from error
        self._input = cast(BinaryIO, self._process.stdin)
        self._output = cast(BinaryIO, self._process.stdout)
        self._job: Job[Part, Answer] | None = job

    def do(self, part: Part) -> Answer:
        """The answer of the process for this part."""
        try:
            if self._job is not None:
                self._send(self._job)
                self._job = None
            self._send(part)
            is_well, answer = pickle.load(self._output)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise self._died() from None
        if not is_well:
            raise answer
        return cast(Answer, answer)

    def kill(self) -> None:
        """End the process now; it has nothing to tidy up."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close the pipes, when nobody reads from them any more."""
        self._output.close()
        self._complaints.close()
        with suppress(OSError):  # what was not sent is of no use any more
            self._input.close()

    def _send(self, content: object) -> None:
        pickle.dump(content, self._input)
        self._input.flush()

    def _died(self) -> TunevalError:
        status = self._process.wait()
        self._complaints.seek(0)
        said = self._complaints.read().decode("utf-8", "replace").strip()
        how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        mend = "the memory may have been short; workers=1 needs no further processes"
        return TunevalError(
            f"A process that worked on a part {how}."
            + (f" It said: {said[-500:]}" if said else ""),
            where=self._where,
            mend=mend,
        )


def _serve() -> None:
    """Do the parts that come in, until no more come."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed must not get among the answers
    parts = sys.stdin.buffer
    job: Job[Any, Any] = pickle.load(parts)
    while True:
        try:
            part = pickle.load(parts)
        except EOFError:
            return
        pickle.dump(_answer(job, part), answers)
        answers.flush()


def _answer(job: Job[Any, Any], part: Any) -> tuple[bool, Any]:
    try:
        return True, job.do(part)
    except Exception as error:
        told = traceback.format_exc()
        try:
            error = pickle.loads(pickle.dumps(error))
        except Exception:  # a plugin's error may not travel: its type, words and traceback do
            error = RuntimeError(f"{type(error).__name__}: {error}")
        if not isinstance(error, TunevalError):
            error.add_note(f"In a process that worked on a part:\n{told}")
        return False, error


if __name__ == "__main__":
    _serve()
