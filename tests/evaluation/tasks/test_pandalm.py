from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tuneval.errors import DataError
from tuneval.evaluation.extraction import extract
from tuneval.evaluation.items import Item
from tuneval.evaluation.metrics import load_metric
from tuneval.evaluation.question import Question
from tuneval.evaluation.tasks import task_from
from tuneval.evaluation.tasks.pandalm import majority

PAIR: dict[str, Any] = {
    "idx": 0,
    "motivation_app": "Mail",
    "cmp_key": "x_y",
    "instruction": "Say hello.",
    "input": "",
    "response1": " Hi</s> ",
    "response2": "Bye",
    "annotator1": 1,
    "annotator2": 1,
    "annotator3": 0,
}


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("TUNEVAL_TEST_DATA")
    if not folder:
        pytest.skip("TUNEVAL_TEST_DATA does not name a folder of real data files")
    return Path(folder) / "pandalm"


def load(tmp_path: Path, *rows: dict[str, Any], **options: object):
    (tmp_path / "testset-v1.json").write_text(json.dumps(rows))
    return task_from({"kind": "pandalm", "path": str(tmp_path), **options}).load()


def item(question: Question, predict: str) -> Item:
    return Item(
        question.id, question.source, question.group, question.tags, "", question.reference,
        predict, fields=question.fields,
        extracted=extract(question.extractor or "", predict, item_id=question.id),
    )  # fmt: skip


def test_the_prompt_is_pandalms_own(tmp_path) -> None:
    bare, full = load(tmp_path, PAIR, PAIR | {"idx": 1, "input": "To Ann."}).questions

    assert bare.prompt == (
        "Below are two responses for a given task. The task is defined by the Instruction. "
        "Evaluate the responses and generate a reference answer for the task.\n\n"
        "### Instruction:\nSay hello.\n\n### Response 1:\nHi\n\n### Response 2:\nBye\n\n"
        "### Evaluation:\n"
    )
    assert "defined by the Instruction with an Input that provides further context." in full.prompt
    assert "### Instruction:\nSay hello.\n\n### Input:\nTo Ann.\n\n### Response 1:" in full.prompt
    assert (bare.reference, bare.tags["pair"]) == ("1", "x_y")


def test_pairs_on_one_prompt_are_one_group(tmp_path) -> None:
    rows = [PAIR, PAIR | {"idx": 1, "response1": "Yo"}, PAIR | {"idx": 2, "input": "To Ann."}]
    groups = [q.group for q in load(tmp_path, *rows).questions]

    assert groups[0] == groups[1] != groups[2]


def test_an_exchanged_pair_exchanges_the_verdicts(tmp_path) -> None:
    given, exchanged = load(tmp_path, PAIR, orders="both").questions

    assert (given.id, exchanged.id) == ("0", "0/swapped")
    assert "### Response 1:\nBye\n\n### Response 2:\nHi" in exchanged.prompt
    assert (given.reference, exchanged.reference) == ("1", "2")
    assert exchanged.fields["annotators"] == ["2", "2", "0"]
    assert given.group == exchanged.group


def test_a_pair_without_a_majority_has_no_verdict_and_that_is_noted(tmp_path) -> None:
    asked = load(tmp_path, PAIR | {"annotator2": 2})

    assert asked.questions[0].reference is None
    assert asked.notes == ("1 questions have no verdict of a majority",)
    assert majority(["1", "1", "2"]) == "1"


def test_a_verdict_that_is_none_is_told(tmp_path) -> None:
    with pytest.raises(DataError, match="A verdict is '3'"):
        load(tmp_path, PAIR | {"annotator3": 3})


@pytest.mark.parametrize(
    ("said", "official", "strict", "lenient"),
    [
        ("1\n\n### Reason: it is polite", "1", "1", "1"),
        (" 2", "2", "2", "2"),
        ("Tie\n\n### Reason:", "0", "0", "0"),
        ("Response 2 is better", "0", None, "2"),
        ("2.", "0", None, "2"),
        ("Both have 12 words", "0", None, None),
        ("", "0", None, None),
        ("They are equal", "0", None, "0"),
    ],
)
def test_verdicts_are_read_officially_strictly_and_kindly(said, official, strict, lenient) -> None:
    found = extract("pandalm", said, item_id="1")

    assert found == {"official": official, "strict": strict, "lenient": lenient}
    assert extract("pandalm_strict", said, item_id="1")["official"] == strict


def test_what_is_no_verdict_is_wrong_in_the_strict_protocol_only(tmp_path) -> None:
    for protocol, accuracy in (("official", 1.0), ("strict", 0.0)):
        (question,) = load(tmp_path, PAIR | {"annotator1": 0}, protocol=protocol).questions
        found = load_metric("accuracy").estimate([item(question, "no idea")], clusters=None, seed=1)
        assert found is not None
        assert found.value == accuracy


@pytest.mark.parametrize(
    ("file", "key", "golden"),
    [
        ("gpt-3.5-turbo-testset-v1.json", "gpt_result", (0.7107, 0.5879, 0.5736, 0.5755)),
        ("pandalm-7b-testset-v1.json", "pandalm_result", (0.6677, 0.5738, 0.5750, 0.5743)),
    ],
)
def test_the_judges_of_the_paper_agree_as_it_says(real_data, file, key, golden) -> None:
    """Table of the paper and of compute_metrics.py: accuracy, macro precision, recall and F1."""
    questions = task_from({"kind": "pandalm", "path": str(real_data)}).load().questions
    verdicts = [str(row[key]) for row in json.loads((real_data / file).read_text())]
    items = [item(q, said) for q, said in zip(questions, verdicts, strict=True)]
    names = ("accuracy", "precision_macro", "recall_macro", "f1_macro")
    found = [load_metric(name).estimate(items, clusters=None, seed=1) for name in names]

    assert Counter(q.reference for q in questions) == {"0": 105, "1": 422, "2": 472}
    assert [round(estimate.value, 4) for estimate in found if estimate] == list(golden)
