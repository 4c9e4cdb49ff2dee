"""The SHA-1 that an entry promises, verified.

LLaMA-Factory has read `file_sha1` over since its version 0.8; its forerunner warned. A file that
is not the one which was meant is refused here, before anything of it is read.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter

from tuneval import files
from tuneval.errors import DataError


def verify(place: files.Location, promised: str | list[str], *, where: str) -> None:
    """Raise DataError, with both values, unless the file or folder is the one that was meant.

    The list is that of a folder's files, in any order; one value goes with one file.
    """
    wanted = Counter(map(str.lower, [promised] if isinstance(promised, str) else promised))
    found = {path: _sha1(path) for path in _files(place)}
    extra = Counter(found.values()) - wanted
    missing = sorted((wanted - Counter(found.values())).elements())
    if not extra and not missing:
        return
    others = [f"{path} has {sha1}" for path, sha1 in found.items() if sha1 in extra]
    raise DataError(
        f"file_sha1 does not match: the entry asks for {_listed(missing) or 'no other file'}; "
        f"{_listed(others) or 'no file is left that it could be'}.",
        where=where,
        mend="get the file that was meant, or correct file_sha1 if the new one is right",
    )


def _files(place: files.Location) -> list[str]:
    """The file itself, or the files right inside the folder, by name."""
    path = os.fspath(place)
    if files.is_url(path) or not os.path.isdir(path):
        return [path]
    try:
        inside = sorted(os.path.join(path, name) for name in os.listdir(path))
    except OSError as error:
        raise files.storage_error("read", path, error) from error
    return [name for name in inside if os.path.isfile(name)]


def _sha1(path: str) -> str:
    digest = hashlib.sha1(usedforsecurity=False)
    with files.open_bytes(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
