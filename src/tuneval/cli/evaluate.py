"""`tuneval evaluate`: measure models on a file, on tasks, or grade predictions."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import click
from click.core import ParameterSource

from tuneval.cli.console import answer, json_option, progress
from tuneval.cli.evaluations import show_one, show_suite
from tuneval.errors import UsageError


class _WithCommands(click.Command):
    """A command whose first word may name another one."""

    commands_of: ClassVar[dict[str, str]] = {
        "lint": "tuneval.cli.lint:lint",
        "lm-eval": "tuneval.cli.lm_eval:lm_eval",
    }

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """The context of the command that the first word names, else of this one."""
        if args and args[0] in self.commands_of:
            name = f"{info_name} {args[0]}"
            return self.command(args[0]).make_context(name, args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def command(self, name: str) -> click.Command:
        """The command called `name`, imported."""
        module, _, attribute = self.commands_of[name].partition(":")
        found = getattr(import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found


@click.command(cls=_WithCommands)
@click.argument("file", required=False)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="[LABEL=]MODEL",
    help="bundled:…, a folder, a hub id, a GGUF file, run:ID; with --task it may stand often, "
    "and be endpoint:http://HOST/v1#NAME.",
)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar="KIND[=PATH][,option=value]…",
    help="Ask a task (`tuneval tasks` lists them); may stand often.",
)
@click.option("--suite", type=click.Path(dir_okay=False), help="Models, tasks, settings as YAML.")
@click.option("--predictions", type=click.Path(dir_okay=False), help="Grade this file's answers.")
@click.option("--adapter", help="A peft adapter's folder, put onto the model.")
@click.option("--name", default="evaluation", show_default=True, help="A name for the evaluation.")
@click.option("--to", type=click.Path(file_okay=False), help="The folder.  [default: a new run]")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Only so many examples of FILE, from the top; of a task, drawn from all its parts.",
)
@click.option("--metric", "metrics", multiple=True, help="A metric of answers; may stand often.")
@click.option("--metrics", "more_metrics", metavar="A,B,…", help="The same, several in a word.")
@click.option(
    "--json-field", "json_fields", multiple=True, help="Grade this field of JSON answers."
)
@click.option(
    "--generate/--no-generate",
    default=None,
    help="Let the model answer FILE, or only measure the likelihood of its true answers.",
)
@click.option("--max-new-tokens", type=click.IntRange(min=1), help="Of an answer.  [default: 64]")
@click.option("--max-length", type=int, help="Tokens of a prompt with its response at most.")
@click.option("--token-budget", type=click.IntRange(min=1), help="Tokens in a forward pass.")
@click.option("--batch-size", type=click.IntRange(min=1), help="Sequences in it at most.")
@click.option("--temperature", type=float, help="Draw the answers; 0 is greedy.  [default: 0]")
@click.option("--top-p", type=float, help="Draw from the likeliest tokens of this probability.")
@click.option("--seed", type=int, help="For draws and resampling.  [default: 17]")
@click.option("--shot-seed", type=int, help="Draw another order of a task's demonstrations.")
@click.option("--precision", help="float32, bfloat16, float16 or float64.  [default: float32]")
@click.option(
    "--perturb", "perturbations", multiple=True, help="Ask a task changed in this way too."
)
@click.option("--repeats", type=click.IntRange(min=2), help="Ask tasks so often; see stability.")
@click.option(
    "--vary",
    multiple=True,
    type=click.Choice(["seed", "batch", "precision", "shots"]),
    help="What differs between repeats; may stand often.  [default: seed]",
)
@click.option(
    "--until-decided",
    is_flag=True,
    help="Ask the second and later models of a task only until they are told apart from the first.",
)
@click.option(
    "--engine", type=click.Choice(["torch", "vllm"]), help="What a task's model works in."
)
@click.option("--workers", type=click.Choice(["none", "ray"]), help="Where a task's model works.")
@click.option(
    "--cache/--no-cache", default=True, help="Take over a same evaluation of another run."
)
@click.option("--template", default="auto", show_default=True, help="The chat template.")
@json_option
def evaluate(file: str | None, as_json: bool, **asked: Any) -> None:
    """Measure models; run again, it goes on where it stopped.

    \b
    tuneval evaluate FILE --model M                          one's own examples
    tuneval evaluate --model A --model B --task T --task U   models on tasks, one report
    tuneval evaluate --suite FILE.yaml                       the same, written down
    tuneval evaluate --predictions FILE --metrics A,B        answers that are there; no model
    tuneval evaluate lint T                                  what is wrong with a task
    tuneval evaluate lm-eval T --model M --to FOLDER         a task of lm-eval's own

    On FILE the true answers are scored token by token, then the model answers by itself and is
    graded.
    """
    asked["command"] = " ".join(["tuneval", *sys.argv[1:]])
    match _form(file, asked):
        case "predictions":
            _predictions(asked, as_json)
        case "suite":
            _suite(asked, as_json)
        case _:
            _file(str(file), asked, as_json)


def _form(file: str | None, asked: dict[str, Any]) -> str:
    """Which of the ways to call is meant. Raises UsageError when it is none, or two."""
    given = {
        "file": file is not None,
        "predictions": asked["predictions"] is not None,
        "suite": bool(asked["tasks"]) or asked["suite"] is not None,
    }
    meant = [form for form, is_given in given.items() if is_given]
    if len(meant) != 1:
        said = "It is not said what to evaluate" if not meant else "That is more than one thing"
        raise UsageError(f"{said}.", mend="give FILE, or --task, or --suite, or --predictions")
    if asked["suite"] is not None and (asked["tasks"] or asked["models"]):
        raise UsageError(
            "A suite names its models and tasks itself.", mend="leave out --model and --task"
        )
    if meant == ["file"] and len(asked["models"]) != 1:
        raise UsageError(
            f"FILE wants one model, and {len(asked['models'])} are given.",
            mend="give one --model; several answer a task: --task generation=FILE",
        )
    _refuse_what_would_do_nothing(meant[0], asked)
    return meant[0]


def _refuse_what_would_do_nothing(form: str, asked: dict[str, Any]) -> None:
    """Options that this way to call does not heed, and that would be thought to be heeded."""
    of_tasks = {"repeats", "vary", "until_decided"}
    of_models = {*_settings(asked), "limit", "adapter", "template", *of_tasks}
    match form:
        case "suite" if asked["suite"] is not None:
            idle, mend = {*of_models, "name", "more_metrics"}, "write it into the suite's file"
        case "predictions":
            idle, mend = of_models - {"metrics", "json_fields", "seed"}, "leave it out"
        case "file":
            idle, mend = of_tasks, "make a task of the file: --task generation=FILE"
        case _:
            return
    context = click.get_current_context()
    for name in asked:
        is_given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name in idle and is_given:
            option = next(each.opts[0] for each in context.command.params if each.name == name)
            raise UsageError(f"{option} does nothing here.", mend=mend)


def _file(file: str, asked: dict[str, Any], as_json: bool) -> None:
    from tuneval.evaluation.own_file import OwnFile, evaluate_file

    task = OwnFile(
        file=file, model=asked["models"][0], **_taken(asked, "adapter", "name", "template", "limit")
    )
    with progress() as report:
        done = evaluate_file(
            _config(asked), task, folder=_folder(asked), command=asked["command"], report=report
        )
    answer(as_json, {"folder": str(done.folder), **done.result.as_dict()}, show_one)


def _predictions(asked: dict[str, Any], as_json: bool) -> None:
    from tuneval.evaluation.predictions import Predictions, evaluate_predictions

    model = asked["models"][0] if asked["models"] else None
    given = Predictions(file=asked["predictions"], name=asked["name"], model=model)
    with progress() as report:
        done = evaluate_predictions(
            _config(asked), given, folder=_folder(asked), command=asked["command"], report=report
        )
    answer(as_json, {"folder": str(done.folder), **done.result.as_dict()}, show_one)


def _suite(asked: dict[str, Any], as_json: bool) -> None:
    from tuneval.evaluation.suites.run_suite import run_suite
    from tuneval.evaluation.suites.suite import load_suite, suite_of_words

    if asked["suite"] is not None:
        suite = load_suite(Path(asked["suite"]))
    else:
        words = ("models", "tasks", "name", "adapter", "template", "limit")
        more = ("repeats", "vary", "until_decided")
        suite = suite_of_words(**_taken(asked, *words, *more), settings=_settings(asked))
    with progress() as report:
        outcome = run_suite(
            suite,
            folder=_folder(asked),
            command=asked["command"],
            reuse=asked["cache"],
            report=report,
        )
    answer(as_json, outcome.as_dict(), lambda _: show_suite(outcome))


def _config(asked: dict[str, Any]) -> Any:
    from tuneval.evaluation.config import config_from

    return config_from(**_settings(asked))


def _settings(asked: dict[str, Any]) -> dict[str, Any]:
    """The fields of `EvaluateConfig` that were given."""
    from tuneval.evaluation.metrics import names_in

    names = (
        "generate", "max_new_tokens", "max_length", "token_budget", "batch_size", "temperature",
        "top_p", "seed", "shot_seed", "precision", "engine", "workers",
    )  # fmt: skip
    metrics = (*asked["metrics"], *names_in(asked["more_metrics"] or ""))
    lists = {
        "metrics": metrics,
        "json_fields": asked["json_fields"],
        "perturbations": asked["perturbations"],
    }
    given = _taken(asked, *names) | lists
    return {name: value for name, value in given.items() if value not in (None, ())}


def _taken(asked: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: asked[name] for name in names}


def _folder(asked: dict[str, Any]) -> Path | None:
    return Path(asked["to"]) if asked["to"] else None
