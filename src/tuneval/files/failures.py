"""What went wrong with a file or an address, in words, and how to mend it."""

from __future__ import annotations

import errno
import os

from tuneval.errors import StorageError
from tuneval.files.location import Location

MENDS = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some of your quota, or write to another disk",
    errno.EACCES: "check who may read and write there",
    errno.EPERM: "check who may read and write there",
    errno.EROFS: "this disk is read-only; choose another folder",
    errno.ENOENT: "check the name and the folder",
    errno.EISDIR: "this is a folder; name a file in it",
    errno.ENOTDIR: "a part of this path is a file; name a folder there",
    errno.ENOTEMPTY: "something of that name is in the way; move it or choose another name",
    errno.EEXIST: "something of that name is in the way; move it or choose another name",
}
_TRY_AGAIN = "check that the place can be reached, then try again"


def storage_error(action: str, path: Location, error: OSError) -> StorageError:
    """The StorageError for an OSError met while trying to `action` (read, write…) `path`."""
    reason = error.strerror or str(error) or type(error).__name__
    mend = MENDS.get(error.errno or 0, _TRY_AGAIN)
    return StorageError(f"Cannot {action} {path}: {reason}.", where=os.fspath(path), mend=mend)


def remote_error(action: str, path: Location, error: Exception) -> StorageError:
    """The same for whatever a storage's own package raises; the packages are not imported."""
    kind = type(error).__name__
    said = " ".join(str(getattr(error, "strerror", None) or error).split()).rstrip(".") or kind
    if "Credential" in kind or "Credential" in said:
        reason, mend = (
            "no credentials were found, or not all of them",
            "for S3 set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        )
    elif isinstance(error, FileNotFoundError):
        reason = said if " " in said else "there is nothing of that name"
        mend = "check the bucket and the name"
    elif isinstance(error, PermissionError):
        reason = f"the storage refuses it ({said})"
        mend = "check the credentials, and who may read and write there"
    elif isinstance(error, OSError) and error.errno in MENDS:
        reason, mend = said, MENDS[error.errno]
    elif "Connect" in kind or "Timeout" in kind or "connect" in said.lower():
        reason = f"the server cannot be reached ({said})"
        mend = "check the network and the server's address (for S3 that is AWS_ENDPOINT_URL)"
    else:
        reason, mend = said, _TRY_AGAIN
    return StorageError(f"Cannot {action} {path}: {reason}.", where=os.fspath(path), mend=mend)


def not_json(where: str, reason: str) -> StorageError:
    """The StorageError for a file of tuneval's own that is no JSON."""
    return StorageError(
        f"This is not valid JSON: {reason}.", where=where, mend="restore the file or remove it"
    )
