"""C-Eval's submission file."""

from __future__ import annotations

import json

from tuneval.evaluation.items import Chosen, Item
from tuneval.evaluation.tasks.ceval import CEval, submission


def item(subject, number, **answer):
    return Item(
        id=f"{subject}/{number}",
        source="",
        group=None,
        tags={"subject": subject, "number": number},
        prompt="",
        label=None,
        **answer,
    )


def chosen(*logprobs, choices=("A", "B", "C", "D")):
    return Chosen(choices=choices, logprobs=logprobs, n_tokens=(1,) * 4, gold=())


ITEMS = [
    item("law", "0", chosen=chosen(-3, -1, -2, -4)),
    item("law", "1", chosen=chosen(-3, -2, -2, -1, choices=("\nA", "\nB", "\nC", "\nD"))),
    item("logic", "12", predict="答案是C", extracted={"strict": "C", "lenient": "C"}),
    item("logic", "13", predict="不知道", extracted={"lenient": "A", "official": None}),
    item("logic", "14", predict="1. 没有", extracted={"lenient": None, "official": "没有D"}),
]


def test_every_subject_stands_in_the_submission_with_the_letters_answered():
    letters = submission(ITEMS)
    assert len(letters) == 52
    assert letters["law"] == {"0": "B", "1": "D"}
    assert letters["logic"] == {"12": "C", "13": "", "14": ""}
    assert letters["accountant"] == {}


def test_only_the_test_split_leaves_a_submission(tmp_path):
    for split in ("val", "test"):
        folder = tmp_path / split
        folder.mkdir()
        CEval(path="unread", split=split).leave(folder, ITEMS, model="m")
    assert not (tmp_path / "val" / "submission.json").exists()
    written = json.loads((tmp_path / "test" / "submission.json").read_text(encoding="utf-8"))
    assert written == submission(ITEMS)
