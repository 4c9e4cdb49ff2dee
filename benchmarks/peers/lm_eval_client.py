"""lm-evaluation-harness in an environment of its own, asked through a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from peers.measuring import Took

from tuneval.models.checksums import cache_root

VERSION = "0.4.13"


def lm_eval_python(given: str | None) -> str:
    """The Python of an environment with lm-eval: the one that is given, or one made for it."""
    if given:
        return given
    folder = cache_root() / "benchmarks" / f"lm-eval-{VERSION}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"making an environment for lm-eval {VERSION} in {folder}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        wanted = [
            f"lm_eval[hf]=={VERSION}",
            f"torch=={torch.__version__.partition('+')[0]}",
            f"transformers=={transformers.__version__}",
        ]
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
        (folder / "complete").touch()
    return str(python)


class LmEval:
    """lm-eval's `HFLM` with a model open, in a process of its own."""

    def __init__(self, python: str, model: Path, *, batch_size: int) -> None:
        script = Path(__file__).with_name("lm_eval_server.py")
        # Without PYTHONPATH: its packages are its own.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        environment |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(torch.get_num_threads())}
        self._told = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, script, model, "--batch-size", str(batch_size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
            text=True,
            env=environment,
        )
        self.about: dict[str, Any] = self._hear()

    def loglikelihood(self, pairs: Sequence[tuple[str, str]]) -> tuple[list[float], Took]:
        """How likely each continuation is after its context, and what that took."""
        assert self._process.stdin is not None
        print(json.dumps({"pairs": pairs}), file=self._process.stdin, flush=True)
        answer = self._hear()
        return answer.pop("logprobs"), Took(**answer)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            status = self._process.wait()
            self._told.seek(0)
            sys.exit(f"lm-eval ended with status {status}:\n{self._told.read()[-2000:]}")
        return dict(json.loads(line))
