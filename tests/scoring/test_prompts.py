from __future__ import annotations

from pathlib import Path

import pytest

from tuneval.errors import UsageError
from tuneval.scoring.prompts import BUILT_IN, cut, load_prompts


def write(folder: Path, text: str, name: str = "own.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(UsageError) as caught:
        load_prompts(write(folder, text))
    assert caught.value.where.endswith("own.yaml") or not caught.value.where
    return str(caught.value)


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_prompts_end_where_what_is_measured_begins(name):
    prompts = load_prompts(name)
    assert prompts.name == name
    assert prompts.header("response") == "### Response:\n"
    for text in (prompts.zero_shot, prompts.zero_shot_no_input):
        assert text.endswith("\n\n### Response:\n")
    for text in (prompts.reversed, prompts.reversed_no_input):
        assert text.endswith("\n\n### Instruction:\n")
    assert prompts.turn_end == "\n\n"


def test_a_demonstration_shows_its_instruction_and_is_else_the_same():
    plain, shown = load_prompts("instruction"), load_prompts("demonstration")
    assert "{example_instruction}" in shown.shot
    assert "{example_instruction}" in shown.shot_no_input
    assert "{example_instruction}" not in plain.shot
    assert shown.zero_shot == plain.zero_shot
    assert shown.hash != plain.hash


def test_a_file_changes_what_it_names_of_what_it_extends(tmp_path):
    prompts = load_prompts(write(tmp_path, "extends: instruction\nturn_end: '\\n---\\n'\n"))
    plain = load_prompts("instruction")
    assert prompts.name == "own"
    assert prompts.turn_end == "\\n---\\n"
    assert prompts.model_copy(update={"name": plain.name, "turn_end": plain.turn_end}) == plain


def test_the_hash_is_over_the_texts_and_not_the_name(tmp_path):
    one = load_prompts(write(tmp_path, "extends: instruction\nname: a\n", "one.yaml"))
    other = load_prompts(write(tmp_path, "extends: instruction\n", "other.yaml"))
    assert (one.name, other.name) == ("a", "other")
    assert one.hash == other.hash == load_prompts("instruction").hash


def test_all_faults_are_told_at_once_with_near_names(tmp_path):
    told = refused(
        tmp_path,
        "extends: instruction\n"
        "zero_shot: '{instruction} {inptu}'\n"
        "zero_shot_no_input: '{instruction} {input}'\n"
        "shot: '{example_input}'\n"
        "turn: 'no place'\n"
        "turn_end: '{instruction}'\n"
        "reversed: 'open {response'\n"
        "revresed: 'x'\n",
    )
    assert "zero_shot: {inptu} has no place here; did you mean 'input'" in told
    assert "zero_shot_no_input: {input} has no place here" in told
    assert "shot: lacks {example_response}" in told
    assert "turn: lacks {instruction}" in told
    assert "turn_end: {instruction} has no place here" in told
    assert "reversed: expected '}' before end of string; write a brace of its own twice" in told
    assert "revresed: " in told
    assert "extends: instruction" in told


def test_a_file_without_a_base_needs_every_text(tmp_path):
    told = refused(tmp_path, "zero_shot: '{instruction} {input}'\n")
    for name in ("zero_shot_no_input", "shot", "shot_no_input", "reversed", "turn", "turn_end"):
        assert f"{name}: Field required" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("extends: instuction\n", "did you mean 'instruction'"),
        ("- a\n- b\n", "no mapping of texts"),
        ("a: [\n", "not YAML"),
        ("zero_shot: '{history}{instruction}{history}{input}'\nextends: instruction\n", "twice"),
        ("turn: '{instruction!r}'\nextends: instruction\n", "as it is"),
        ("turn: '{instruction:>9}'\nextends: instruction\n", "as it is"),
        ("turn: '{instruction.name}'\nextends: instruction\n", "{instruction.name} has no place"),
        ("turn: '{}{instruction}'\nextends: instruction\n", "has no place here"),
    ],
    ids=["base", "list", "yaml", "history", "conversion", "width", "attribute", "unnamed"],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path, text, said):
    assert said in refused(tmp_path, text)


def test_an_unknown_name_gives_the_near_one():
    with pytest.raises(UsageError, match=r"'instructions'") as caught:
        load_prompts("instructions")
    assert caught.value.mend.startswith("did you mean 'instruction'")
    with pytest.raises(UsageError) as caught:
        load_prompts("caht")
    assert "'chat'" in caught.value.mend


def test_a_brace_of_its_own_is_written_twice(tmp_path):
    text = "extends: instruction\nzero_shot_no_input: '{{json}} {instruction}\n\n\n  ### {{a}}:'\n"
    prompts = load_prompts(write(tmp_path, text))
    assert prompts.header("response") == "### {a}:"
    assert "".join(literal for literal, _ in cut(prompts.zero_shot_no_input)).startswith("{json} ")


def test_a_header_is_what_stands_after_the_last_place(tmp_path):
    text = 'extends: instruction\nzero_shot_no_input: "{instruction}\\n{history}\\nAnswer:\\n"\n'
    assert load_prompts(write(tmp_path, text)).header("response") == "Answer:\n"
    text = "extends: instruction\nzero_shot_no_input: '{instruction}'\n"
    assert load_prompts(write(tmp_path, text)).header("response") == ""


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", [("", None)]),
        ("a", [("a", None)]),
        ("a{b}", [("a", "b"), ("", None)]),
        ("{a}{b}c", [("", "a"), ("", "b"), ("c", None)]),
    ],
)
def test_a_text_is_cut_at_its_places(text, pieces):
    assert cut(text) == pieces
