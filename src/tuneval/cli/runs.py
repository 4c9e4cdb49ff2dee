"""`tuneval runs`: list the runs, show one, or print where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tuneval.cli.console import answer, fields, json_option, table, warn

if TYPE_CHECKING:
    from tuneval.runs.events import Event
    from tuneval.runs.run import Run

root_option = click.option(
    "--root",
    type=click.Path(file_okay=False),
    help="The folder of runs.  [default: $TUNEVAL_RUNS, else ./runs]",
)


@click.group()
def runs() -> None:
    """List and show what has been run.

    RUN is "latest", an id, a unique start or end of an id, or a run's folder.
    """


@runs.command("list")
@root_option
@json_option
def list_command(root: str | None, as_json: bool) -> None:
    """List all runs, newest first."""
    from tuneval.runs.find import list_runs

    answer(as_json, [_row(run) for run in list_runs(root, report=_on_event)], _show_list)


@runs.command()
@click.argument("run")
@root_option
@json_option
def show(run: str, root: str | None, as_json: bool) -> None:
    """Show a run's manifest and the results of its finished steps."""
    from tuneval.runs.find import find_run

    answer(as_json, _whole(find_run(run, root)), _show_run)


@runs.command()
@click.argument("run")
@root_option
@json_option
def path(run: str, root: str | None, as_json: bool) -> None:
    """Print a run's folder."""
    from tuneval.runs.find import find_run

    found = find_run(run, root)
    answer(
        as_json,
        {"id": found.id, "folder": str(found.folder.absolute())},
        lambda row: click.echo(row["folder"]),
    )


def _on_event(event: Event) -> None:
    warn(getattr(event, "message", ""))


def _row(run: Run) -> dict[str, Any]:
    manifest = run.manifest.model_dump(mode="json", include={"id", "name", "created", "model"})
    return manifest | {"status": run.status, "folder": str(run.folder.absolute())}


def _whole(run: Run) -> dict[str, Any]:
    return {
        "folder": str(run.folder.absolute()),
        "status": run.status,
        "manifest": run.manifest.model_dump(mode="json"),
        "results": {step: run.step_result(step) for step in run.finished_steps()},
        "files": sorted(
            entry.name + ("/" if entry.is_dir() else "")
            for entry in run.folder.iterdir()
            if not entry.name.startswith(".")
        ),
    }


def _show_list(rows: list[dict[str, Any]]) -> None:
    if not rows:
        click.echo("There are no runs yet. `tuneval quickstart` makes one.")
        return
    table(
        ["id", "status", "created (UTC)", "model"],
        [
            [row["id"], row["status"], row["created"][:16].replace("T", " "), row["model"] or ""]
            for row in rows
        ],
    )


def _show_run(run: dict[str, Any]) -> None:
    manifest = {name: value for name, value in run["manifest"].items() if value not in (None, [])}
    fields(manifest | {"status": run["status"], "folder": run["folder"]})
    for step, result in run["results"].items():
        click.echo(f"\n{step}")
        fields(_flat(result), indent=2)
    click.echo("\nfiles: " + "  ".join(run["files"]))


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested results as one list of dotted names; an estimate as it reads, long lists as counts."""
    from tuneval.statistics.estimate import Estimate

    estimate_keys = Estimate.__dataclass_fields__.keys()
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, dict) and value.keys() == estimate_keys:
            flat[prefix + name] = Estimate(**value)
        elif isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list) and len(value) > 6:
            flat[prefix + name] = f"{len(value)} entries (--json shows them)"
        else:
            flat[prefix + name] = value
    return flat
