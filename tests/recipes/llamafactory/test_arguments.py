"""Flags are read from YAML files and from whole commands, as they are pasted."""

from __future__ import annotations

import pytest

from tuneval.errors import UsageError
from tuneval.recipes.llamafactory.arguments import read_arguments
from tuneval.recipes.llamafactory.dialect import CLASSIC, LLAMA_FACTORY, dialect_of


def test_a_pasted_command_is_read_with_its_line_breaks_variables_and_launcher():
    found = read_arguments(
        "CUDA_VISIBLE_DEVICES=0 accelerate launch --num_processes 2 src/train_bash.py \\\n"
        "    --stage sft --do_train \\\n"
        "    --learning_rate=5e-5 --num_layer_trainable -3 --report-to tensorboard wandb"
    )
    assert found.values == {
        "stage": "sft",
        "do_train": True,
        "learning_rate": "5e-5",
        "num_layer_trainable": "-3",
        "report_to": ["tensorboard", "wandb"],
    }
    assert found.launcher == (
        *("CUDA_VISIBLE_DEVICES=0", "accelerate", "launch", "--num_processes", "2"),
    )
    assert found.verb == "train"


def test_the_comments_of_a_script_are_no_part_of_its_command():
    found = read_arguments(
        "#!/bin/bash\n  # it's small\npython src/train_bash.py --stage sft \\\n"
        "  --dataset a#b\n# end"
    )
    assert (found.values, found.launcher) == ({"stage": "sft", "dataset": "a#b"}, ())


def test_a_folder_may_have_the_program_s_name():
    found = read_arguments("--stage sft --output_dir saves/llamafactory --do_train")
    assert found.values == {"stage": "sft", "output_dir": "saves/llamafactory", "do_train": True}


def test_flags_alone_are_a_command():
    assert read_arguments("--stage sft --do_train").values == {"stage": "sft", "do_train": True}


def test_a_command_may_be_longer_than_a_file_s_name():
    found = read_arguments("--stage sft --do_train " + "--run_name " + "x" * 300)
    assert found.values["run_name"] == "x" * 300


def test_a_path_may_have_blanks(tmp_path):
    path = tmp_path / "my flags.yaml"
    path.write_text("stage: sft\n", encoding="utf-8")
    assert read_arguments(str(path)).values == {"stage": "sft"}


def test_a_script_is_not_taken_for_a_command(tmp_path):
    path = tmp_path / "train.sh"
    path.write_text("llamafactory-cli train x.yaml\n", encoding="utf-8")
    with pytest.raises(UsageError, match="neither YAML nor JSON"):
        read_arguments(str(path))


def test_a_yaml_file_is_read_with_overrides(tmp_path):
    path = tmp_path / "lora.yaml"
    path.write_text("lora_rank: 8\nlearning_rate: 1e-4\n", encoding="utf-8")
    direct = read_arguments(str(path), ["lora_rank=16"])
    assert direct.values == {"lora_rank": 16, "learning_rate": "1e-4"}
    whole = read_arguments(f"llamafactory-cli train {path} lora_rank=16")
    assert (whole.values, whole.verb) == (direct.values, "train")


@pytest.mark.parametrize(
    "command", ["python src/export_model.py --output_dir x", "lmf export --export_dir x"]
)
def test_exports_are_told_from_trainings(command):
    assert read_arguments(command).verb == "export"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("llamafactory-cli chat llama.yaml", "'chat' has no counterpart"),
        ("python src/web_demo.py --model_name_or_path x", "'web_demo.py' has no counterpart"),
        ("sft --do_train", "'sft' is neither a file nor a flag"),
        ("--stage 'sft", "cannot be read: No closing quotation"),
        ("nowhere.yaml", "no such file"),
        ("lmf train --do_train --plot_loss\nlmf export --export_dir x", "several commands"),
        ("python src/train.py --do_train\npython src/export_model.py", "several commands"),
        ("python src/train_bash.py --do_train --plot_loss > log.txt", "'>' is the shell's"),
    ],
)
def test_what_cannot_be_read_is_said(source, said):
    with pytest.raises(UsageError, match=said):
        read_arguments(source)


def test_a_missing_file_names_the_near_one(tmp_path):
    (tmp_path / "lora_sft.yaml").write_text("stage: sft\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read_arguments(str(tmp_path / "lora-sft.yaml"))
    assert "lora_sft.yaml" in caught.value.mend


def test_broken_yaml_is_named_with_its_line(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("stage: sft\nlora_rank: [8\ndo_train: true\n", encoding="utf-8")
    with pytest.raises(UsageError, match="not YAML") as caught:
        read_arguments(str(path))
    assert caught.value.where == f"{path}:3"


def test_an_unknown_option_after_the_file_is_no_override(tmp_path):
    path = tmp_path / "lora.yaml"
    path.write_text("stage: sft\n", encoding="utf-8")
    with pytest.raises(UsageError, match="'--rum' is neither"):
        read_arguments(str(path), ["--rum"])


@pytest.mark.parametrize(
    ("source", "dialect"),
    [
        ("--stage sft --do_train", CLASSIC),
        ("--stage sft --do_train --template default --checkpoint_dir x", CLASSIC),
        ("--stage sft --do_train --template llama3", LLAMA_FACTORY),
        ("llamafactory-cli train --stage sft --do_train", LLAMA_FACTORY),
        ("python src/train_bash.py --stage sft --do_train", CLASSIC),
    ],
)
def test_the_tool_is_told_by_the_flags(source, dialect):
    assert dialect_of(read_arguments(source)) is dialect
