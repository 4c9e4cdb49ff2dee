"""Optional packages: imported when asked for, with a friendly word when missing."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from tuneval.errors import MissingPackageError


def require(module: str, *, extra: str, why: str) -> ModuleType:
    """Import `module`; when it is missing, say which extra brings it and why it is wanted."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise MissingPackageError(
            f"The package '{module.split('.')[0]}' is needed {why}, and is not installed.",
            mend=f"pip install 'tuneval[{extra}]'",
        ) from None
