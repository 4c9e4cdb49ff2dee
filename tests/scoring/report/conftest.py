"""Score folders made by hand: a small set on the disk, and what scoring would have written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tuneval import files
from tuneval.data.read import read
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scorer import Reading
from tuneval.scoring.scores import Scores

READINGS = {
    "response_ppl": Reading(
        "Response perplexity",
        "回答困惑度",
        "perplexity",
        "How surprising.",
        "意外程度。",
        "PPL(y|x)",
    ),
    "ifd": Reading("IFD", "指令跟随难度", "ratio", "Near 1: hard.", "接近 1：难。", "ratio", 1.0),
    "one_shot": Reading("One-shot", "单样本", "score", "Above 0.", "大于 0。", "", 0.0),
    "prompt_tokens": Reading("Prompt tokens", "提问词元数", "tokens", "Length.", "长度。"),
    "repetition": Reading("Repetition", "重复度", "share", "Again.", "重复。"),
}
MakeScores = Callable[..., Scores]


def write_set(path: Path, questions: Sequence[str]) -> Path:
    """A data set of questions, each with an answer."""
    rows = [
        {
            "messages": [
                {"role": "user", "content": q},
                {"role": "assistant", "content": f"answer {n}"},
            ]
        }
        for n, q in enumerate(questions)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def make_scores(tmp_path: Path) -> MakeScores:
    """A function from columns of values, None or a reason's code to Scores on the disk."""

    def make(
        columns: Mapping[str, Sequence[float | str | None]],
        *,
        name: str = "scores",
        questions: Sequence[str] | None = None,
        tasks: Sequence[str | None] | None = None,
        **card: Any,
    ) -> Scores:
        n = len(next(iter(columns.values())))
        questions = questions or [f"question {at}" for at in range(n)]
        data = write_set(tmp_path / f"{card.pop('data', 'set')}.jsonl", questions)
        rows = []
        for at, example in enumerate(list(read(data))[:n]):
            values = {measure: column[at] for measure, column in columns.items()}
            rows.append(
                ScoreRow(
                    id=example.id,
                    where=str(example.source),
                    task=tasks[at] if tasks else None,
                    scores={m: None if isinstance(v, str) else v for m, v in values.items()},
                    reasons={m: v for m, v in values.items() if isinstance(v, str)},
                )
            )
        folder = tmp_path / name
        files.write_jsonl(folder / "scores.jsonl", (row.as_dict() for row in rows))
        measures = {m: {"reading": asdict(READINGS[m]), "own_reasons": {}} for m in columns}
        whole = {
            "version": 1,
            "data": str(data),
            "format": "auto",
            "data_hash": "d" * 16,
            "model": f"folder/{name}",
            "adapter": None,
            "model_hash": "abc",
            "prompts": "instruction",
            "prompts_hash": "p" * 16,
            "config": {"measures": list(columns), "shots": 3},
            "n_records": n + 2,
            "n_examples": n,
            "duplicates": 2,
            "measures": measures,
            "boundary_moved": 4,
            "work": {"requests": 9, "seconds": 75.0},
        }
        files.write_json(folder / "scoring.json", whole | card)
        return Scores.load(folder)

    return make
