"""A task is spelt in one word: its kind, its path, and options as the task declares them."""

from __future__ import annotations

from typing import ClassVar

import pytest

from tuneval.errors import UsageError
from tuneval.evaluation.task import Questions, Task, TaskAbout
from tuneval.evaluation.tasks import TASKS
from tuneval.evaluation.tasks.spelling import task_from_text, task_options


class Quiz(Task):
    about: ClassVar[TaskAbout]

    kind: str = "quiz"
    path: str | None = None
    subjects: tuple[str, ...] | None = None
    chat: bool = False

    def load(self) -> Questions:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _quiz_is_known(monkeypatch):
    load = TASKS.load
    monkeypatch.setattr(type(TASKS), "load", lambda self, n: Quiz if n == "quiz" else load(n))


def test_kind_path_and_options_are_read():
    task = task_from_text("quiz=data/a,b,subjects=law+art,chat=true,limit=20,per=stratum")
    assert task == Quiz(
        path="data/a,b", subjects=("law", "art"), chat=True, limit=20, per="stratum"
    )


def test_the_kind_alone_is_enough_and_one_of_several_is_a_list():
    assert task_options("quiz") == {"kind": "quiz"}
    assert task_options("quiz,subjects=law") == {"kind": "quiz", "subjects": ["law"]}


def test_what_looks_like_no_number_stays_text():
    assert task_options("quiz,name=2nd,path=~,chat=no") == {
        "kind": "quiz", "name": "2nd", "path": "~", "chat": "no",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "=data", "quiz=", "quiz,limit=1,limit=2"])
def test_what_is_no_task_is_refused(text):
    with pytest.raises(UsageError, match=r"KIND|twice|names no task"):
        task_from_text(text)


def test_a_wrong_option_is_named():
    with pytest.raises(UsageError, match="subjcts"):
        task_from_text("quiz,subjcts=law")


def test_the_home_folder_of_a_path_is_found(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert task_options("quiz=~/data,chat=true")["path"] == "/home/ada/data"
