"""What comes with tuneval besides its code."""

from __future__ import annotations

from pathlib import Path

import tuneval
from tuneval.errors import StorageError


def shipped(relative: str) -> Path:
    """A file or folder that comes with tuneval, such as `recipes/quickstart.yaml`.

    In a wheel these lie in `tuneval/_shipped`, in a checkout at the top of the repository.
    """
    package = Path(tuneval.__file__).resolve().parent
    for root in (package / "_shipped", package.parents[1]):
        if (root / relative).exists():
            return root / relative
    raise StorageError(
        f"tuneval should come with {relative}, and it is not there.",
        where=str(package),
        mend="install tuneval again",
    )
