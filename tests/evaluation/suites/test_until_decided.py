"""A suite's later models are asked only until they are told apart from the first."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from tuneval.evaluation.answering.respondent import Ready, RespondentFacts
from tuneval.evaluation.comparing.compare import compare
from tuneval.evaluation.comparing.comparison import Evaluation
from tuneval.evaluation.comparing.follow import Weighed, follow_items
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.items import read_items
from tuneval.evaluation.suites.run_suite import run_suite
from tuneval.evaluation.suites.suite import suite_of
from tuneval.evaluation.suites.until_decided import AT_ONCE, UntilDecided

N = 300


class Scripted:
    """Answers all questions right, wrong, or the even ones right; remembers what it was asked."""

    refuses: Collection[int] = ()

    def __init__(self, model: str) -> None:
        self.model = model
        self.asked: list[str] = []

    @property
    def facts(self):
        return RespondentFacts(
            model=self.model, model_hash=self.model, adapter=None, template="none",
            template_hash="t", tokenizer_hash="t", precision="float32",
            ways=frozenset({"generate"}),
        )  # fmt: skip

    def prepare(self, questions, config):
        asked = {question.id: question for question in questions}
        return Ready(
            asked=asked,
            prompts={q: asked[q].asked for q in asked},
            skipped={},
            prompt_hash="p",
            config=config,
        )

    def answer(self, ready, *, kept, stage, report):
        for name, question in ready.asked.items():
            if name in kept:
                continue
            self.asked.append(name)
            number = int(question.reference)
            is_right = {"right": True, "wrong": False, "even": number % 2 == 0}[self.model]
            said = str(number) if is_right else "no"
            if number in self.refuses:
                kept.append({"id": name, "way": "generate", "prompt": "", "refused": "too long"})
                continue
            kept.append(
                {"id": name, "way": "generate", "prompt": "", "predict": said,
                 "finish_reason": "stop", "n_tokens": 1}
            )  # fmt: skip

    def check_invariance(self, ready, rows, *, n_items=16):
        return None

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


@pytest.fixture
def carried_out(tmp_path, monkeypatch):
    """Runs a suite of scripted models; gives its folder and the models."""
    monkeypatch.setattr(
        "tuneval.evaluation.suites.planned.model_hash", lambda text, **_: f"hash of {text}"
    )
    path = tmp_path / "sums.jsonl"
    rows = [{"instruction": f"Say {n}.", "input": "", "output": str(n)} for n in range(N)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def run(*models, until_decided=True):
        opened = {}
        suite = suite_of(
            {
                "name": "early",
                "models": {name: f"scripted/{name}" for name in models},
                "tasks": [{"kind": "generation", "name": "sums", "path": str(path)}],
                "settings": {"metrics": ["exact_match"]},
                "until_decided": until_decided,
            }
        )

        def open_model(model, config, **_):
            return opened.setdefault(model, Scripted(model.rpartition("/")[2]))

        outcome = run_suite(suite, root=tmp_path / "runs", open_model=open_model)
        return outcome, {name.rpartition("/")[2]: each for name, each in opened.items()}

    return run


def test_a_clear_difference_ends_the_questions_and_an_unclear_one_does_not(
    carried_out, monkeypatch
):
    outcome, models = carried_out("right", "wrong", "even")
    main = outcome.results["right"]["sums"].task.main
    assert len(models["right"].asked) == N
    assert len(models["wrong"].asked) < 100
    assert len(models["even"].asked) < 200
    items = read_items(outcome.folder / "evaluation" / "wrong" / "sums")
    assert len(items) == N, "what was not asked stands there without an answer"
    assert sum(item.predict is not None for item in items) == len(models["wrong"].asked)
    assert main


def test_models_that_answer_alike_are_asked_everything(carried_out):
    _, models = carried_out("right", "wrong", until_decided=False)
    assert len(models["wrong"].asked) == N


def test_a_reader_of_the_comparison_is_told(carried_out):
    outcome, _ = carried_out("right", "wrong")
    folders = [outcome.folder / "evaluation" / name / "sums" for name in ("right", "wrong")]
    found = compare(*map(Evaluation.load, folders))
    assert any("asked only until decided" in warning for warning in found.warnings)
    assert found.row("exact_match").difference.n < 100


def test_the_same_suite_again_asks_nothing_more(carried_out):
    carried_out("right", "wrong")
    _, models = carried_out("right", "wrong")
    assert models == {}


def test_chance_and_not_the_file_decides_who_is_asked_first(carried_out):
    _, models = carried_out("right", "wrong")
    order = [models["right"].asked.index(name) for name in models["wrong"].asked]
    assert order != sorted(order)
    assert max(order) > 200


def test_a_question_that_is_refused_does_not_end_it(carried_out, monkeypatch):
    monkeypatch.setattr(Scripted, "refuses", range(0, N, 5))
    outcome, _ = carried_out("right", "even")
    assert outcome.results["even"]["sums"].skipped["generated"]["too long"] > 1


def test_it_ends_where_following_what_was_asked_says_so(carried_out):
    outcome, models = carried_out("right", "wrong")
    asked = models["wrong"].asked
    folders = [outcome.folder / "evaluation" / name / "sums" for name in ("right", "wrong")]
    by_id = [{item.id: item for item in read_items(folder)} for folder in folders]
    sides = [[items[name] for name in asked] for items in by_id]
    every = Weighed.of(list(by_id[0].values()), None)
    found = follow_items(*sides, "exact_match", every)
    assert found.verdict == "lower"
    assert len(asked) - AT_ONCE < found.decided_after <= len(asked)


def test_first_stages_are_asked_of_all_that_the_other_model_has() -> None:
    inner = Mock()
    against = SimpleNamespace(items=[SimpleNamespace(id="a"), SimpleNamespace(id="b")])
    asked = {name: object() for name in ("a#1", "b#1", "c#1")}
    ready = Ready(asked=asked, prompts={}, skipped={}, prompt_hash="p", config=EvaluateConfig())
    UntilDecided(inner, against, "exact_match").answer(ready, kept={}, stage="s", report=print)
    (part,), _ = inner.answer.call_args
    assert list(part.asked) == ["a#1", "b#1"]


def test_the_stakes_are_set_before_the_first_question(make_item):
    """By the heaviest group of all that may be asked, not of those that were so far."""
    groups = [f"small {n // 3}" if n < 12 else "large" for n in range(24)]
    items = [make_item(n, label="", predict="", group=group) for n, group in enumerate(groups)]
    first = [replace(item, grades={"exact_match": 1.0}) for item in items[:12]]
    whole, part = Weighed.of(items, None), Weighed.of(first, None)
    assert (whole.largest, part.largest) == (12.0, 3.0)
    sides = first, [replace(item, grades={"exact_match": 0.0}) for item in first]
    late, early = (follow_items(*sides, "exact_match", each) for each in (whole, part))
    assert late.p_value > early.p_value
