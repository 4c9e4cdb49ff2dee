"""A group of commands that is a table: a command's module is imported when it is named."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar

import click

from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError

Commands = Mapping[str, tuple[str, str]]


class TableGroup(click.Group):
    """The group of `commands_of`: name -> ("package.module:attribute", what it does in a line).

    `path` is what stands before the names on the command line, `data ` say.
    """

    commands_of: ClassVar[Commands]
    path: ClassVar[str] = ""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The table's names, in its order."""
        return list(self.commands_of)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported; UsageError with the near names when there is none."""
        if cmd_name not in self.commands_of:
            near = did_you_mean(cmd_name, self.commands_of)
            raise UsageError(
                f"There is no command '{self.path}{cmd_name}'.",
                mend=f"{near} (`tuneval {self.path}--help` shows them all)",
            )
        module, _, attribute = self.commands_of[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table's lines; no command is imported for them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.commands_of.items()])
