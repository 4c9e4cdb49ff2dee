"""Scores made by hand, as a scoring would have left them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuneval import files
from tuneval.data.example import Example
from tuneval.data.fingerprint import data_hash
from tuneval.data.read import read
from tuneval.scoring.row import ScoreRow
from tuneval.scoring.scores import Scores

READING = {
    "title": "Instruction-following difficulty",
    "title_zh": "指令跟随难度",
    "unit": "ratio",
    "text": "PPL(y|x) / PPL(y).",
    "text_zh": "PPL(y|x) / PPL(y)。",
    "source": "",
    "neutral": 1.0,
}


def score_row(id: str, *, task: str | None = None, **scores: float | str | None) -> ScoreRow:
    """A row; a text in the place of a score is the reason why there is none."""
    values = {name: None if isinstance(v, str) else v for name, v in scores.items()}
    reasons = {name: v for name, v in scores.items() if isinstance(v, str)}
    return ScoreRow(id, "set.jsonl:1", task, values, reasons)


def conversation(question: str, answer: str = "An answer.", **tags: Any) -> dict[str, Any]:
    """A record in the format messages."""
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"messages": turns} | ({"tags": tags} if tags else {})


def write_set(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    """A JSON-lines file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    path.write_text("".join(lines), encoding="utf-8")
    return path


def write_scores(
    folder: Path, data: Path, score: Callable[[int, Example], ScoreRow], format: str = "auto"
) -> Scores:
    """Score each distinct example of a set by hand; the finished scores in their folder."""
    examples = list(read(data, format))
    distinct = {example.id: example for example in reversed(examples)}
    ordered = [distinct.pop(each.id) for each in examples if each.id in distinct]
    rows = [score(number, example) for number, example in enumerate(ordered)]
    measures = list(rows[0].scores) if rows else []
    card = {
        "version": 1,
        "data": str(data),
        "format": format,
        "data_hash": data_hash(examples),
        "model": "bundled:smollm2-135m",
        "adapter": None,
        "model_hash": "0123456789abcdef",
        "prompts": "instruction",
        "prompts_hash": "fedcba9876543210",
        "config": {"ratio": "perplexity", "unconditional": "auto"},
        "n_records": len(examples),
        "n_examples": len(rows),
        "duplicates": len(examples) - len(rows),
        "measures": {
            name: {"reading": READING, "scored": 0, "unscored": {}, "truncated": 0}
            for name in measures
        },
    }
    files.write_jsonl(folder / "scores.jsonl", (row.as_dict() for row in rows))
    files.write_json(folder / "scoring.json", card)
    return Scores.load(folder)
