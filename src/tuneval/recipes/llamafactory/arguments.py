"""What a person brings: a YAML file, or a whole command line in one string."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tuneval import files
from tuneval.catalog import did_you_mean
from tuneval.errors import UsageError

Verb = Literal["train", "export"]

CONFIG_ENDINGS = (".yaml", ".yml", ".json")
_SHELL = (">", ">>", "<", "2>&1", "|", "&", "&&", ";", "||")
COMMANDS = ("llamafactory-cli", "lmf")
PROGRAMS = (*COMMANDS, "llamafactory")
VERBS = {"train": "train", "export": "export"}
SCRIPTS = {"export_model.py": "export", "export_lora_model.py": "export", "merge.py": "export"}
TRAIN_SCRIPTS = ("train_bash.py", "train.py", "finetune.py", "train_sft.py", "finetune_chatglm.py")
_VARIABLE = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_COMMENT = re.compile(r"^[ \t]*#.*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Arguments:
    """The flags as they were written, by name.

    `form`: a YAML file, the flags of `llamafactory-cli`, or those of a script or of nothing, which
    older versions understood too. `launcher` are the words before the program.
    """

    values: dict[str, Any]
    verb: Verb
    form: Literal["file", "cli", "command"]
    where: str
    launcher: tuple[str, ...] = ()


def read_arguments(source: str, overrides: Sequence[str] = ()) -> Arguments:
    """A YAML or JSON file, or a command: `--stage sft …`, `python src/train_bash.py --stage …`,
    `llamafactory-cli train FILE.yaml`. `overrides` are `key=value`, as LLaMA-Factory takes them.

    Raises UsageError where it is none of these.
    """
    is_file = _is_file(source)
    if source.endswith(CONFIG_ENDINGS) and (is_file or len(source.split()) == 1):
        return _from_file(source, overrides, verb="train")
    if is_file:
        raise UsageError(
            "This file is neither YAML nor JSON.",
            where=source,
            mend="give a .yaml file, or the command itself in quotes",
        )
    return _from_command(source, overrides)


def _is_file(source: str) -> bool:
    try:
        return Path(source).is_file()
    except OSError:  # a long command can be no name of a file
        return False


def _from_file(path: str, overrides: Sequence[str], verb: Verb) -> Arguments:
    if not Path(path).is_file():
        folder = Path(path).parent
        beside = [p.name for p in folder.iterdir()] if folder.is_dir() else []
        near = [name for name in beside if name.endswith(CONFIG_ENDINGS)]
        raise UsageError(
            "There is no such file.",
            where=path,
            mend=did_you_mean(Path(path).name, near) if near else "check the path",
        )
    with files.open_text(path) as file:
        values = _yaml(file.read(), path)
    if not isinstance(values, dict):
        raise UsageError(
            "This file holds no flags.", where=path, mend="write one `name: value` a line"
        )
    named = {str(name): value for name, value in values.items()}
    return Arguments(named | _overrides(overrides), verb, "file", path)


def _yaml(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{where}:{mark.line + 1}" if mark else where
        what = getattr(error, "problem", None) or str(error)
        raise UsageError(
            f"This is not YAML: {what}.", where=place, mend="check the indentation and quotes there"
        ) from error


def _overrides(words: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or word.startswith("-"):
            raise UsageError(
                f"'{word}' is neither an option of this command nor an override.",
                mend="write name=value after the file, or put the whole command in quotes",
            )
        found[name] = _yaml(value, f"'{word}'")
    return found


def _from_command(text: str, overrides: Sequence[str]) -> Arguments:
    try:
        words = shlex.split(_COMMENT.sub("", text).replace("\\\n", " "))
    except ValueError as error:
        raise UsageError(
            f"The command cannot be read: {error}.", mend="close its quotes"
        ) from error
    form, verb, words, launcher = _program(words)
    _refuse_more_commands(words)
    if words and words[0].endswith(CONFIG_ENDINGS):
        found = _from_file(words[0], [*words[1:], *overrides], verb)
        return Arguments(found.values, verb, "file", found.where, launcher)
    values = _flags(words) | _overrides(overrides)
    return Arguments(values, verb, form, "the command", launcher)


def _program(
    words: list[str],
) -> tuple[Literal["cli", "command"], Verb, list[str], tuple[str, ...]]:
    """Whether it is LLaMA-Factory's program, what it is to do, the words after and before it."""
    place = next((i for i in range(len(words)) if _is_program(words, i)), None)
    if place is None:
        start = next((i for i, word in enumerate(words) if not _VARIABLE.fullmatch(word)), 0)
        return "command", "train", words[start:], tuple(words[:start])
    before, program, after = words[:place], Path(words[place]).name, words[place + 1 :]
    launcher = tuple(word for word in before if word not in ("python", "python3"))
    if program in PROGRAMS:
        asked = after[0] if after else ""
        known: dict[str, str] = VERBS
        after = after[1:]
    else:
        asked, known = program, SCRIPTS | dict.fromkeys(TRAIN_SCRIPTS, "train")
    if asked not in known:
        raise UsageError(
            f"'{asked or program}' has no counterpart to import.",
            mend=f"training, evaluation and export can be imported: {', '.join(known)}",
        )
    form: Literal["cli", "command"] = "cli" if program in PROGRAMS else "command"
    return form, ("export" if known[asked] == "export" else "train"), after, launcher


def _is_program(words: Sequence[str], place: int) -> bool:
    """A script or a program's name; --output_dir saves/llamafactory has it in a value."""
    word = words[place]
    if word.endswith(".py") or word in COMMANDS:
        return True
    follows_flag = place > 0 and words[place - 1].startswith("--")
    return Path(word).name in PROGRAMS and not follows_flag


def _refuse_more_commands(words: Sequence[str]) -> None:
    """What follows a command in a script would be read as the values of its last flag."""
    for place, word in enumerate(words):
        if Path(word).name in (*SCRIPTS, *TRAIN_SCRIPTS, *PROGRAMS) and _is_program(words, place):
            raise UsageError(
                f"There are several commands: '{word}' begins another.",
                mend="import one at a time, each in quotes of its own",
            )
        if word in _SHELL:
            raise UsageError(
                f"'{word}' is the shell's and no flag.", mend="leave it out, and what follows it"
            )


def _flags(words: Sequence[str]) -> dict[str, Any]:
    """`--name value`, `--name=value`, `--name` for true, `--name a b` for a list."""
    found: dict[str, Any] = {}
    name = ""
    for word in words:
        if re.match(r"--[A-Za-z]", word):
            name, mark, value = word[2:].partition("=")
            name = name.replace("-", "_")
            found[name] = value if mark else True
        elif not name:
            raise UsageError(
                f"'{word}' is neither a file nor a flag.",
                mend="give the path of a YAML file, or flags: '--stage sft --do_train …'",
            )
        elif found[name] is True:
            found[name] = word
        else:
            earlier = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = [*earlier, word]
    return found
