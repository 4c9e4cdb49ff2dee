"""`tuneval env`: what this machine and this installation are."""

from __future__ import annotations

from typing import Any

import click

from tuneval.cli.console import answer, fields, json_option


@click.command()
@json_option
def env(as_json: bool) -> None:
    """Show what tuneval runs on: versions, processor, memory, GPUs, git state.

    Put it into a bug report. It names no user, no host and no secret.
    """
    from tuneval.environment import describe_environment

    answer(as_json, describe_environment(), _show)


def _show(environment: dict[str, Any]) -> None:
    for topic, content in environment.items():
        if isinstance(content, dict) and content:
            click.echo(f"{topic}")
            fields({str(key): value for key, value in content.items()}, indent=2)
        else:
            fields({topic: content or None})
