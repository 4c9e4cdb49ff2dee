"""The table of commands, and the way in.

Asking for help or the version is answered from the table alone: nothing is imported for it, not
even click. Everything else goes to `group`, which imports the one command that was named.
"""

from __future__ import annotations

import sys

COMMANDS: dict[str, tuple[str, str]] = {
    "quickstart": (
        "tuneval.cli.quickstart:quickstart",
        "Fine-tune a small model on shipped data and show what changed",
    ),
    "run": ("tuneval.cli.recipe:run", "Run a recipe: an experiment in one YAML file"),
    "plan": ("tuneval.cli.recipe:plan", "Show what a recipe would do, and what is done already"),
    "data": ("tuneval.cli.data:data", "Check, convert, split, mix and describe data"),
    "score": ("tuneval.cli.score:score", "Measure how good each example is for training"),
    "select": ("tuneval.cli.select:select", "Choose examples by their scores"),
    "report": ("tuneval.cli.report:report", "Show what the scores of a set say, as a page"),
    "train": ("tuneval.cli.train:train", "Fine-tune a model on a file of examples"),
    "evaluate": ("tuneval.cli.evaluate:evaluate", "Measure a model on held-out examples"),
    "compare": ("tuneval.cli.compare:compare", "Compare evaluations item by item"),
    "stability": ("tuneval.cli.stability:stability", "Show how far repeated evaluations move"),
    "metrics": ("tuneval.cli.metrics:metrics", "List the metrics, and when to believe each"),
    "tasks": ("tuneval.cli.tasks:tasks", "List the tasks, and the ways of asking each"),
    "export": (
        "tuneval.cli.export:export",
        "Write a tuned model as a folder that stands by itself",
    ),
    "import": (
        "tuneval.cli.import_:import_",
        "Turn LLaMA-Factory's settings into a recipe, or run them",
    ),
    "runs": ("tuneval.cli.runs:runs", "List and show what has been run"),
    "env": ("tuneval.cli.env:env", "Show what tuneval runs on, for a bug report"),
}


def overview() -> str:
    """What `tuneval --help` prints."""
    width = max(map(len, COMMANDS))
    rows = [f"  {name:<{width}}  {line}" for name, (_, line) in COMMANDS.items()]
    return "\n".join(
        [
            "Usage: tuneval COMMAND [OPTIONS] …",
            "",
            "Fine-tune open language models on your own data, and know whether it worked.",
            "",
            "Commands:",
            *rows,
            "",
            "Options:",
            "  --help     this page; after a command, that command's page",
            "  --version  the version",
            "",
            "New here? Run `tuneval quickstart`. Commands that answer something take --json.",
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments in ([], ["--help"], ["-h"], ["help"]):
        return _say(overview())
    if arguments in (["--version"], ["-V"]):
        from tuneval import __version__

        return _say(f"tuneval {__version__}")
    try:
        from tuneval.cli.group import run
    except KeyboardInterrupt:
        return 130
    return run(arguments)


def _say(text: str) -> int:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone; Python would complain once more at exit
        return 1
    return 0
