"""A GGUF file as a folder that transformers loads in a second: converted once, kept, verified.

The folder appears whole or not at all. `checksums.json` in it names every file's SHA-256; each
load compares them (large files by their stamp, see checksums.py) and builds a damaged folder anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.errors import ModelError, StorageError
from tuneval.models.checksums import cache_root, file_hash, file_hashes
from tuneval.models.quiet import quiet_libraries
from tuneval.runs.events import Finished, Report, Started, Step, Warned, ignore

STAGE = "convert model"
CHECKSUMS = "checksums.json"
# Another process may be converting the same model: half a minute for a small one.
LOCK_TIMEOUT_SECONDS = 1800.0
# transformers writes 1e30 for "unknown"; no model reads so many tokens.
LONGEST_BELIEVABLE = 10**9


def converted_folder(
    find_gguf: Callable[[], Path], name: str, *, sha256: str, report: Report = ignore
) -> Path:
    """The float32 folder made from the GGUF file with this `sha256`; made now when not yet there.

    `find_gguf` is asked for the file only then. Raises ModelError when the file is not that one
    or cannot be converted.
    """
    slug = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "model"
    folder = cache_root() / "models" / f"{slug}-{sha256[:12]}"
    if folder.is_dir() and damage(folder) is None:
        return folder
    with files.lock(folder.with_name(f"{folder.name}.lock"), timeout_seconds=LOCK_TIMEOUT_SECONDS):
        if folder.is_dir():
            broken = damage(folder)  # another process may have made it while we waited
            if broken is None:
                return folder
            report(Warned(STAGE, f"the cached model is damaged ({broken}); it is made anew"))
        gguf = find_gguf()
        if file_hash(gguf) != sha256:
            raise ModelError(
                "The model file is damaged: its checksum is not the one it should have.",
                where=str(gguf),
                mend="install its package again, or get the file again",
            )
        _convert(gguf, folder, report)
    return folder


def damage(folder: Path) -> str | None:
    """What is wrong with a converted folder; None when every file is as it was written."""
    listing = folder / CHECKSUMS
    if not listing.is_file():
        return f"{CHECKSUMS} is missing"
    try:
        expected = files.read_json(listing)
        found = file_hashes(path for path in folder.iterdir() if path.name in expected)
    except StorageError as error:
        return error.what
    wrong = sorted(name for name, sha in expected.items() if found.get(name) != sha)
    return f"{wrong[0]} is missing or has changed" if wrong else None


def _convert(gguf: Path, folder: Path, report: Report) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    report(Started(STAGE, 3, "parts"))
    with quiet_libraries(), _quiet_gguf_bar(), files.atomic_folder(folder) as target:
        source = {
            "pretrained_model_name_or_path": str(gguf.parent),
            "gguf_file": gguf.name,
            "trust_remote_code": False,
        }
        try:
            tokenizer = AutoTokenizer.from_pretrained(**source, local_files_only=True)
            report(Step(STAGE, 1, 3))
            model = AutoModelForCausalLM.from_pretrained(
                **source, local_files_only=True, dtype=torch.float32
            )
        except (ValueError, KeyError, NotImplementedError, ImportError) as error:
            raise ModelError(
                f"This GGUF file cannot be converted: {' '.join(str(error).split())[:300]}",
                where=str(gguf),
                mend="name the model's own folder or hub id instead of its GGUF file",
            ) from error
        report(Step(STAGE, 2, 3))
        _unmark_quantized(model)
        if tokenizer.model_max_length > LONGEST_BELIEVABLE:
            tokenizer.model_max_length = model.config.max_position_embeddings
        for leftover in ("is_local", "local_files_only"):
            tokenizer.init_kwargs.pop(leftover, None)
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)
        written = {path.name: files.sha256_file(path) for path in sorted(target.iterdir())}
        files.write_json(target / CHECKSUMS, written)
        report(Step(STAGE, 3, 3))
    report(Finished(STAGE))


def _unmark_quantized(model: Any) -> None:
    """Its weights are plain float32 by now; the marks would forbid saving it."""
    model.hf_quantizer = None
    for mark in ("is_quantized", "quantization_method"):
        vars(model).pop(mark, None)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


@contextmanager
def _quiet_gguf_bar() -> Iterator[None]:
    """The GGUF reader draws a bar of its own that no setting turns off."""
    from transformers import modeling_gguf_pytorch_utils as reader

    bar = getattr(reader, "tqdm", None)
    if bar is None:
        yield
        return
    reader.tqdm = lambda items, **_: items
    try:
        yield
    finally:
        reader.tqdm = bar
