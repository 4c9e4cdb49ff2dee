"""Every task of free or own content, asked of a real (tiny) model from its files to its figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneval.evaluation.answering.local import LocalRespondent
from tuneval.evaluation.asking.evaluate_task import evaluate_task
from tuneval.evaluation.asking.prepare_task import prepare_task
from tuneval.evaluation.config import EvaluateConfig
from tuneval.evaluation.items import read_items
from tuneval.evaluation.tasks import task_from

CHAT = [{"role": "user", "content": "It is?"}, {"role": "assistant", "content": "yes"}]
FILES: dict[str, list[dict[str, Any]]] = {
    "generation": [{"messages": CHAT}],
    "classification": [{"text": "yes", "label": "a"}, {"text": "no", "label": "b"}],
    "regression": [{"text": "two", "number": 2}, {"text": "ten", "number": 10}],
    "multi_label": [{"text": "x", "labels": ["a", "b"]}, {"text": "y", "labels": []}],
    "multiple_choice": [{"question": "1+1?", "choices": ["1", "2"], "answer": "B"}],
    "ranking": [{"query": "q", "documents": ["a", "b"], "relevance": ["2"]}],
    "text": [{"text": "Where is my order?"}, {"text": "I want my money back, please."}],
    "pandalm": [
        {
            "idx": 0, "instruction": "Say hi.", "input": "", "response1": "hi",
            "response2": "no", "annotator1": 1, "annotator2": 1, "annotator3": 1,
        }
    ],
    "mt_bench": [{"question_id": 81, "category": "writing", "turns": ["Say yes.", "And no."]}],
    "gsm8k": [{"question": "1 + 1?", "answer": "1 + 1 = 2\n#### 2"}],
}  # fmt: skip
OPTIONS: dict[str, dict[str, Any]] = {"gsm8k": {"shots": 0}}


@pytest.mark.parametrize("kind", FILES)
def test_a_task_is_asked_and_graded_by_its_own_metrics(kind, tiny_llama, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in FILES[kind]))
    task = task_from({"kind": kind, "path": str(path), **OPTIONS.get(kind, {})})
    prepared = prepare_task(task, EvaluateConfig(max_new_tokens=4))
    folder = tmp_path / "out"

    result = evaluate_task(
        prepared, LocalRespondent(tiny_llama), folder=folder, name=f"tiny/{kind}"
    )

    assert result.skipped == {}
    assert tuple(result.metrics) == task.load().metrics
    for item in read_items(folder):
        assert item.predict is not None or item.chosen is not None or item.read is not None
    for name, found in result.metrics.items():
        counted = 0 if found.estimate is None else found.estimate.n
        assert counted or found.unscored or found.detail, name


def test_a_second_turn_is_asked_with_the_models_own_first_answer(tiny_llama, tmp_path) -> None:
    path = tmp_path / "question.jsonl"
    path.write_text(json.dumps(FILES["mt_bench"][0]))
    task = task_from({"kind": "mt_bench", "path": str(path), "protocol": "greedy"})

    evaluate_task(
        prepare_task(task, EvaluateConfig(max_new_tokens=6)),
        LocalRespondent(tiny_llama),
        folder=tmp_path / "out",
        name="tiny/mt_bench",
    )

    rows = [json.loads(line) for line in (tmp_path / "out/answers.jsonl").read_text().splitlines()]
    said = {row["id"]: row for row in rows}
    assert said["81/1"]["predict"].strip() in said["81/2"]["prompt"]
    assert said["81/2"]["prompt"].index("Say yes.") < said["81/2"]["prompt"].index("And no.")
    (left,) = (tmp_path / "out" / "model_answer").iterdir()
    assert json.loads(left.read_text())["choices"][0]["turns"] == [
        said["81/1"]["predict"],
        said["81/2"]["predict"],
    ]


def test_the_capability_suite_is_asked_by_capability(tiny_llama, tmp_path) -> None:
    some = ["ethics", "knowledge", "reasoning"]
    task = task_from({"kind": "capability", "capabilities": some, "limit": 1, "per": "stratum"})

    result = evaluate_task(
        prepare_task(task, EvaluateConfig(max_new_tokens=2)),
        LocalRespondent(tiny_llama),
        folder=tmp_path / "out",
        name="tiny/capability",
    )

    assert result.task is not None
    assert len(result.task.by_stratum["rule_passed"]) == 3
    estimate = result.metrics["rule_passed"].estimate
    assert estimate is not None
    assert estimate.n == 3
