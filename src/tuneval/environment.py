"""What something ran on: packages, processor, GPUs, git state, seeds and determinism flags.

Never imports a heavy package for it: versions come from the installed metadata, GPUs from
`nvidia-smi`, torch's flags only where torch is already in use. Holds no user, host or secret.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from tuneval import __version__

PACKAGES = (
    "torch", "transformers", "peft", "accelerate", "tokenizers", "safetensors", "gguf",
    "datasets", "numpy", "scipy", "pydantic", "jieba", "nltk",
)  # fmt: skip
VARIABLES = (
    "CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "PYTORCH_CUDA_ALLOC_CONF",
    "OMP_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONHASHSEED", "TOKENIZERS_PARALLELISM",
    "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "WORLD_SIZE", "RANK", "LOCAL_RANK",
)  # fmt: skip


def describe_environment(seed: int | None = None) -> dict[str, Any]:
    """Everything that may change a result and is not in the recipe, ready for JSON."""
    return {
        "tuneval": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": {"name": _cpu_name(), "count": _usable_cpus()},
        "memory_bytes": _memory_bytes(),
        "gpus": _gpus(),
        "packages": {name: _version(name) for name in PACKAGES},
        "git": _git_state(Path.cwd()),
        "tuneval_git": _git_state(_checkout()),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "seed": seed,
        "determinism": _determinism(),
    }


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _gpus() -> list[dict[str, str]]:
    names = ("name", "memory.total", "driver_version")
    said = _output("nvidia-smi", f"--query-gpu={','.join(names)}", "--format=csv,noheader")
    rows = (said or b"").decode("utf-8", "replace").splitlines()
    return [
        dict(zip(names, (cell.strip() for cell in row.split(",")), strict=False)) for row in rows
    ]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _checkout() -> Path | None:
    """The repository that this code is used from; None when it was installed from a wheel."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else None


def _git_state(folder: Path | None) -> dict[str, Any] | None:
    """Commit, whether anything differs from it, and a hash of that difference."""
    if folder is None:
        return None
    status = _output("git", "-C", str(folder), "status", "--porcelain")
    if status is None:
        return None
    commit = _output("git", "-C", str(folder), "rev-parse", "--verify", "--quiet", "HEAD")
    diff = _output("git", "-C", str(folder), "diff", "--no-ext-diff", "HEAD") if commit else None
    return {
        "commit": commit.decode("ascii").strip() if commit else None,
        "dirty": bool(status.strip()),
        "diff_sha256": hashlib.sha256(diff).hexdigest() if diff else None,
    }


def _output(*command: str) -> bytes | None:
    """What a command prints; None when it is missing, fails or takes more than ten seconds."""
    try:
        return subprocess.run(
            command,
            check=True,
            capture_output=True,
            timeout=10,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def _determinism() -> dict[str, Any] | None:
    """Torch's flags as they stand; None where torch is not in use."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    return {
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_deterministic": torch.backends.cudnn.deterministic,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "threads": torch.get_num_threads(),
    }
