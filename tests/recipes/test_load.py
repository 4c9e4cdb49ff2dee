from __future__ import annotations

from pathlib import Path

import pytest

from tuneval.errors import RecipeError, UsageError
from tuneval.files import shipped
from tuneval.recipes.load import load_recipe
from tuneval.recipes.recipe import TrainStep

QUICKSTART = shipped("recipes/quickstart.yaml")


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path: Path, *overrides: str) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as caught:
        load_recipe(path, overrides=overrides)
    return caught.value.faults


@pytest.mark.parametrize("path", sorted(QUICKSTART.parent.glob("*.yaml")), ids=lambda p: p.name)
def test_every_shipped_recipe_loads(path):
    assert load_recipe(path).steps


def test_every_fault_is_told_at_once_with_path_line_and_near_name(tmp_path):
    path = write(
        tmp_path,
        """\
name: mine
modle: bundled:smollm2-135m
data:
  file: x.jsonl
  held_out: 1.5
steps:
  - kind: train
    optimzer: 1
    method: {kind: lora, rnak: 8}
    duration: {epochs: -1}
  - kind: evalute
    name: after
""",
    )
    text = "\n".join(faults_of(path))
    assert "modle (line 2): no such field; did you mean 'model'?" in text
    assert "model" in text
    assert "data.held_out (line 5)" in text
    assert "steps.0.optimzer (line 8): no such field; did you mean 'optimizer'" in text
    assert "steps.0.method.rnak (line 9): no such field; did you mean 'rank'" in text
    assert "steps.0.duration.epochs (line 10)" in text
    assert "steps.1 (line 11): no such kind; did you mean 'evaluate'?" in text


def test_a_method_of_another_kind_does_not_take_its_fields(tmp_path):
    text = QUICKSTART.read_text(encoding="utf-8").replace("kind: lora,", "kind: full,")
    assert any(
        "rank" in fault and "no such field" in fault for fault in faults_of(write(tmp_path, text))
    )


def test_steps_must_name_earlier_steps(tmp_path):
    text = QUICKSTART.read_text(encoding="utf-8").replace("b: tuned", "b: tunde")
    (fault,) = faults_of(write(tmp_path, text))
    assert "'tunde' is no earlier evaluate step; there are: base, tuned" in fault


def test_a_key_that_stands_twice_is_a_fault_with_its_line(tmp_path):
    text = QUICKSTART.read_text(encoding="utf-8") + "seed: 3\n"
    line = text.count("\n")
    assert f"seed (line {line}): stands twice" in faults_of(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("- a\n- b\n", "no mapping"),
        ("name: [1\nmodel: x\n", "not YAML"),
        ("name: a\n\tmodel: x\n", "not YAML"),
    ],
)
def test_what_is_no_recipe_is_said_in_one_message(tmp_path, text, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe(write(tmp_path, text))


def test_a_recipe_that_is_not_utf8_is_told_with_its_byte(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_bytes("name: größe\n".encode("latin-1"))
    with pytest.raises(RecipeError, match="not UTF-8"):
        load_recipe(path)


def test_a_missing_recipe_names_the_near_one(tmp_path):
    write(tmp_path, "name: a\n")
    with pytest.raises(UsageError) as caught:
        load_recipe(tmp_path / "recipes.yaml")
    assert "recipe.yaml" in caught.value.mend


def test_overrides_reach_fields_steps_by_name_and_steps_by_kind():
    recipe = load_recipe(
        QUICKSTART,
        overrides=[
            "seed=3",
            "data.held_out=0.5",
            "steps.train.optimizer.learning_rate=1e-4",
            "steps.3.method.rank=4",
            "steps.train.duration={steps: 7}",
        ],
    )
    (train,) = [step for step in recipe.steps if isinstance(step, TrainStep)]
    assert recipe.seed == 3
    assert recipe.data.held_out == 0.5
    assert train.optimizer.learning_rate == 1e-4
    assert train.method.rank == 4
    assert train.duration.model_dump() == {"steps": 7}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("seed", "is no override"),
        ("steps.trian.seed=1", "did you mean 'train'"),
        ("seed.x=1", "plain value"),
    ],
)
def test_a_wrong_override_is_a_clear_error(override, words):
    with pytest.raises(UsageError, match=words):
        load_recipe(QUICKSTART, overrides=[override])


def test_a_field_that_belongs_one_section_deeper_is_shown_the_way():
    (fault,) = faults_of(QUICKSTART, "steps.train.learning_rate=1e-4")
    assert fault == (
        "steps.3.learning_rate (line 23): no such field; did you mean 'optimizer.learning_rate'?"
    )


def test_an_override_of_an_unknown_field_is_a_fault_with_the_near_name():
    (fault,) = faults_of(QUICKSTART, "steps.train.optimizer.lerning_rate=1")
    assert "lerning_rate" in fault
    assert "did you mean 'learning_rate'" in fault
