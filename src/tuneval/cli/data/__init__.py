"""`tuneval data`: make instruction data of any origin trustworthy.

One file a command; `COMMANDS` says where each is, and the one that is named is imported.
"""

from __future__ import annotations

from importlib import import_module

import click

from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("check:check", "Find what is wrong with a set, line by line, and how to mend it"),
    "convert": ("convert:convert", "Write a set in another format or kind of file"),
    "show": ("show:show", "Show the first examples as tokens, the trained ones in colour"),
    "describe": ("describe:describe", "Say what is in a set: lengths, languages, labels"),
    "split": ("split:split", "Part a set in a training and a held-out side, or more"),
    "mix": ("mix:mix", "Join sets, each with its weight"),
    "sample": ("sample:sample", "Draw some records of a set"),
    "diff": ("diff:diff", "Compare two versions of a set, record by record"),
    "sets": ("sets:sets", "List the known sets, or the entries of a registry"),
}


class DataGroup(click.Group):
    """The group of `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The table's names, in its order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported; UsageError with the near names when there is none."""
        if cmd_name not in COMMANDS:
            raise UsageError(
                f"There is no command 'data {cmd_name}'.",
                mend=f"{did_you_mean(cmd_name, COMMANDS)} `tuneval data --help` shows them all",
            )
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(f"{__name__}.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table's lines; no command is imported for them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=DataGroup)
def data() -> None:
    """Check, convert, split, mix and describe sets of conversations, texts and preferences.

    A set is a file, a folder of files, an address (s3://…), an entry of a registry
    (data/dataset_info.json#name) or a set of the hub (hub:name).
    """
