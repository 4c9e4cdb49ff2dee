"""Prompts and choices beside those that lm-evaluation-harness itself makes of the same rows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml

from tuneval.evaluation.answering.forms import Form
from tuneval.evaluation.tasks import task_from
from tuneval.evaluation.tasks.exam.subjects import subjects_of

lm_eval = pytest.importorskip("lm_eval", reason="lm-eval is not installed")
TASKS = Path(lm_eval.__file__).parent / "tasks"


def yaml_of(file: str) -> dict:
    return yaml.safe_load((TASKS / file).read_text(encoding="utf-8"))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_chat", [False, True])
def test_cmmlu_is_what_lm_eval_asks(real_data, is_chat):
    """lm-eval's own task builds the context from its yaml files and the same rows."""
    from datasets import Dataset, DatasetDict
    from lm_eval.api.task import ConfigurableTask

    folder = real_data / "cmmlu"
    rows = {
        split: list(csv.DictReader((folder / split / "arts.csv").read_text("utf-8").splitlines()))
        for split in ("dev", "test")
    }
    config = yaml_of("cmmlu/_default_template_yaml") | yaml_of("cmmlu/cmmlu_arts.yaml")
    config.pop("include")
    config["custom_dataset"] = lambda **_: DatasetDict(
        {split: Dataset.from_list(some) for split, some in rows.items()}
    )
    theirs = ConfigurableTask(config=config)
    options = {"kind": "cmmlu", "path": str(folder), "subjects": "arts", "protocol": "lm-eval"}
    ours = task_from({**options, "chat": is_chat}).load().questions
    assert len(ours) == len(rows["test"]) == 160
    for question, row in list(zip(ours, rows["test"], strict=True))[:40]:
        form = Form.whole(question, None)
        context = theirs.fewshot_context(
            row,
            5,
            apply_chat_template=is_chat,
            fewshot_as_multiturn=is_chat,
            chat_template=(lambda turns, **_: str(turns)) if is_chat else None,
        )
        if is_chat:
            said = [{"role": turn.role, "content": turn.content} for turn in form.messages]
            assert context == str(said)
        else:
            assert context == form.text
        requests = theirs.construct_requests(
            row, context, apply_chat_template=is_chat, metadata=("", 0, 1)
        )
        assert tuple(request.args[1] for request in requests) == question.choices
        assert question.gold == (theirs.doc_to_target(row),)


@pytest.mark.parametrize(
    ("kind", "prefix"), [("ceval", "ceval/ceval-valid"), ("cmmlu", "cmmlu/cmmlu")]
)
def test_headers_and_items_of_every_subject_follow_lm_evals_yaml(kind, prefix):
    from tuneval.evaluation.tasks import TASKS as OURS

    wording = OURS.load(kind)(path=".", protocol="lm-eval").wording()
    for name, subject in subjects_of(kind).items():
        theirs = yaml_of(f"{prefix}_{name}.yaml")
        assert wording.head.format(title=subject.title) == theirs["description"]
    default = {"ceval": "ceval/_default_ceval_yaml", "cmmlu": "cmmlu/_default_template_yaml"}
    text = yaml_of(default[kind])["doc_to_text"]
    assert text.endswith(wording.tail)
    assert text.startswith(("{{question.strip()}}\nA. ", "{{Question.strip()}}\nA. "))


def test_mmlu_headers_follow_lm_evals_yaml():
    from tuneval.evaluation.tasks.mmlu import Mmlu

    wording = Mmlu(path=".", protocol="lm-eval").wording()
    for name, subject in subjects_of("mmlu").items():
        theirs = yaml_of(f"mmlu/default/mmlu_{name}.yaml")
        assert wording.head.format(title=subject.title) == theirs["description"]
