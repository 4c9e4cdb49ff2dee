"""Commands imported on demand, and every error turned into one clear message."""

from __future__ import annotations

import errno
import json
import os
import sys

import click

from tuneval import files
from tuneval.cli.main import COMMANDS, overview
from tuneval.cli.table_group import TableGroup
from tuneval.errors import StorageError, TunevalError, UsageError

_INTERRUPTED = (
    "Interrupted. What was finished is kept; run the same command again to continue.",
    130,
)
_STORAGE_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)


class LazyGroup(TableGroup):
    """The group of `main.COMMANDS`."""

    commands_of = COMMANDS

    def get_help(self, ctx: click.Context) -> str:
        """The same page as without click."""
        return overview()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def tuneval() -> None:
    """Fine-tune open language models on your own data, and know whether it worked."""


def run(arguments: list[str]) -> int:
    """Run a command line; the exit status. A TunevalError becomes its message on stderr.

    With `--json` the error also goes to stdout as `{"error": …}`. TUNEVAL_DEBUG=1 shows the
    traceback. What is not a user's mistake is a fault of ours and keeps its traceback.
    """
    try:
        status = tuneval.main(args=arguments, prog_name="tuneval", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _interrupted()
    except click.Abort as error:
        return _interrupted() if isinstance(error.__cause__, KeyboardInterrupt) else 1
    except BrokenPipeError:
        return _reader_gone()
    except click.ClickException as error:
        return _refused(error, arguments)
    except Exception as error:
        known = as_known_error(error)
        if known is None or os.environ.get("TUNEVAL_DEBUG"):
            raise
        return _failed(known, arguments)
    return status if type(status) is int else 0


def as_known_error(error: Exception) -> TunevalError | None:
    """The error as a person's matter: a TunevalError itself, or a full or forbidden disk.

    Libraries in other languages report a full disk in words only (safetensors, torch).
    """
    if isinstance(error, TunevalError):
        return error
    if isinstance(error, OSError) and error.errno in _STORAGE_FAULTS:
        return files.storage_error("use", error.filename or "the disk", error)
    if "No space left on device" in str(error) or "os error 28" in str(error):
        return StorageError(
            "The disk is full.", mend="free some space, then run the same command again"
        )
    return None


def _failed(error: TunevalError, arguments: list[str]) -> int:
    if "--json" in arguments:
        print(json.dumps({"error": error.as_dict()}, ensure_ascii=False), flush=True)
    print(str(error), file=sys.stderr, flush=True)
    return error.exit_status


def _refused(error: click.ClickException, arguments: list[str]) -> int:
    """A wrong option or argument, in our own form."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "tuneval"
    said = error.format_message()
    failure = UsageError(
        said if said.endswith((".", "?", ")")) else f"{said}.",
        where=path,
        mend=f"`{path} --help` shows how it is used",
    )
    return _failed(failure, arguments)


def _interrupted() -> int:
    text, status = _INTERRUPTED
    print(f"\n{text}", file=sys.stderr, flush=True)
    return status


def _reader_gone() -> int:
    """End quietly when `tuneval … | head` has read enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
