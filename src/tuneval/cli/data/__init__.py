"""`tuneval data`: make instruction data of any origin trustworthy.

One file a command; `COMMANDS` says where each is, and the one that is named is imported.
"""

from __future__ import annotations

import click

from tuneval.cli.table_group import TableGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "check": (
        "tuneval.cli.data.check:check",
        "Find what is wrong with a set, line by line, and how to mend it",
    ),
    "convert": (
        "tuneval.cli.data.convert:convert",
        "Write a set in another format or kind of file",
    ),
    "show": (
        "tuneval.cli.data.show:show",
        "Show the first examples as tokens, the trained ones in colour",
    ),
    "describe": (
        "tuneval.cli.data.describe:describe",
        "Say what is in a set: lengths, languages, labels",
    ),
    "split": (
        "tuneval.cli.data.split:split",
        "Part a set in a training and a held-out side, or more",
    ),
    "mix": ("tuneval.cli.data.mix:mix", "Join sets, each with its weight"),
    "sample": ("tuneval.cli.data.sample:sample", "Draw some records of a set"),
    "diff": ("tuneval.cli.data.diff:diff", "Compare two versions of a set, record by record"),
    "sets": ("tuneval.cli.data.sets:sets", "List the known sets, or the entries of a registry"),
}


class DataGroup(TableGroup):
    """The group of `COMMANDS`."""

    commands_of = COMMANDS
    path = "data "


@click.group(cls=DataGroup)
def data() -> None:
    """Check, convert, split, mix and describe sets of conversations, texts and preferences.

    A set is a file, a folder of files, an address (s3://…), an entry of a registry
    (data/dataset_info.json#name) or a set of the hub (hub:name).
    """
