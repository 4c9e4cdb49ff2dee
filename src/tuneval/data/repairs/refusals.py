"""What cannot be fixed, said before anything is written."""

from __future__ import annotations

import os
from pathlib import Path

from tuneval import files
from tuneval.data.cutting.kept import refuse_inside
from tuneval.data.detection import Beginning
from tuneval.data.finding import Finding
from tuneval.data.format import Format
from tuneval.data.origin import is_plain_path
from tuneval.data.profile import Profile
from tuneval.errors import DataError, UsageError


def local_targets(source: files.Location, *targets: str) -> list[Path]:
    """The local files that are to be written.

    UsageError when one of them is another one or the source, or would be a part of it.
    """
    if len({*targets, str(source)}) <= len(targets):
        raise UsageError(
            "The source, the new file and the rejects are three different files.",
            where=str(source),
            mend="name another file with --out or --rejects",
        )
    local = [Path(target) for target in targets if is_plain_path(target)]
    refuse_inside(source, local)
    return local


def refuse_pipes(source: files.Location) -> None:
    """Raise UsageError for what can be read only once: repairs look ahead."""
    if not is_plain_path(source) or not os.path.exists(source):
        return
    if not os.path.isfile(source) and not os.path.isdir(source):
        raise UsageError(
            f"{source} is a pipe or a device, and a set is read more than once to be fixed.",
            where=str(source),
            mend="write it to a file first",
        )


def known_format(beginning: Beginning, source: str, profile: Profile) -> Format:
    """The set's format. DataError when it cannot be told, or is none that the profile accepts."""
    format = beginning.detection.format
    if format is None:
        raise _why_unknown(beginning, source)
    if profile.formats and format.name not in profile.formats:
        raise DataError(
            f"The set is in the format {format.name}; the profile {profile.name} is for "
            f"{' or '.join(profile.formats)}.",
            where=source,
            mend="convert it first: tuneval data convert; or fix by another profile",
        )
    return format


def nothing_left(source: str, n_dropped: int, first: Finding | None) -> DataError:
    """The error for a set without a record that can stay."""
    return DataError(
        f"No record is left: each of the {n_dropped} has an error"
        + (f". The first: {first.what}" if first else "."),
        where=first.where if first else source,
        mend="`tuneval data check` names them all; --fix repair may save some",
    )


def _why_unknown(beginning: Beginning, source: str) -> DataError:
    if beginning.unknown is not None:
        return beginning.unknown.finding.as_error()
    for item in beginning.records:  # not one of them could be read
        for finding in [item] if isinstance(item, Finding) else item.findings:
            if finding.severity == "error":
                return finding.as_error()
    return DataError("There is no record.", where=source, mend="give it records")
