"""Options that several commands share."""

from __future__ import annotations

import click

format_option = click.option(
    "--format", default="auto", show_default=True, help="Insist on a format, such as alpaca."
)
