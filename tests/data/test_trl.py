"""The profile trl-chat against TRL itself: what passes is taken, what is taken wrongly is named."""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuneval import files
from tuneval.data.validate import check

Rows = list[dict[str, Any]]
Prepare = Callable[[Path], list[str]]

USER = {"role": "user", "content": "What is two and two?"}
ANSWER = {"role": "assistant", "content": "Four."}
CALL = {"type": "function", "function": {"name": "add", "arguments": {"a": 2, "b": 2}}}
ASKS_TOOL = {"role": "assistant", "content": "", "tool_calls": [CALL]}
GOOD = {"messages": [USER, ANSWER]}
GOOD_LINE = json.dumps(GOOD).encode()


@pytest.fixture(scope="module")
def trl_prepares(tmp_path_factory: pytest.TempPathFactory, smollm: Any) -> Prepare:
    """The texts that SFTTrainer has made of a file, once its data preparation is through."""
    from datasets import disable_progress_bars, load_dataset
    from transformers import LlamaConfig, LlamaForCausalLM
    from trl import SFTConfig, SFTTrainer

    disable_progress_bars()
    folder = tmp_path_factory.mktemp("trl")
    tokenizer = smollm.tokenizer
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **shape, **heads))

    def prepare(path: Path) -> list[str]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TRL and datasets warn about their own future
            data = load_dataset(
                "json", data_files=str(path), split="train", cache_dir=str(folder / "cache")
            )
            config = SFTConfig(
                output_dir=str(folder), report_to=[], use_cpu=True, bf16=False, max_length=None
            )
            trainer = SFTTrainer(
                model=model, args=config, train_dataset=data, processing_class=tokenizer
            )
        return [tokenizer.decode(row["input_ids"]) for row in trainer.train_dataset]

    return prepare


def write(path: Path, rows: Rows) -> Path:
    files.write_jsonl(path, rows)
    return path


PIECES = [
    "What is the capital of France?",
    "巴黎是法国的首都。",
    "line one\nline two\r\n\tand a tab",
    "a\u2028b\u2029c\u0085d",
    'quotes " and \\ backslashes \\n',
    "emoji 👩‍👩‍👧 and é ñ ü",
    '{"json": [1, 2, {"deep": null}]}',
    "<b>not a template token</b>",
    "0",
    "…",
]


def random_set(seed: int) -> Rows:
    """A few conversations of odd but sound content, with our own optional keys here and there."""
    rng = random.Random(seed)
    rows = []
    for _ in range(rng.randint(1, 6)):
        turns = [
            {"role": role, "content": " ".join(rng.choices(PIECES, k=rng.randint(1, 3)))}
            for _ in range(rng.randint(1, 3))
            for role in ("user", "assistant")
        ]
        if rng.random() < 0.4:
            turns.insert(0, {"role": "system", "content": rng.choice(PIECES)})
        row: dict[str, Any] = {"messages": turns}
        if rng.random() < 0.5:
            row["group"] = rng.choice(["a", "b", 3])
        if rng.random() < 0.5:
            row["tags"] = rng.choice([{"source": "x"}, {"n": 1}, {"n": "one", "deep": {"a": [1]}}])
        rows.append(row)
    return rows


@pytest.mark.parametrize("seed", range(12))
def test_what_passes_the_profile_is_prepared_by_trl_whole(
    tmp_path: Path, trl_prepares: Prepare, seed: int
) -> None:
    rows = random_set(seed)
    file = write(tmp_path / "set.jsonl", rows)
    report = check(file, profile="trl-chat")
    assert [f for f in report.findings if f.severity == "error"] == []
    texts = trl_prepares(file)
    assert len(texts) == len(rows) == report.n_usable
    for row, text in zip(rows, texts, strict=True):
        for turn in row["messages"]:
            assert f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>" in text


def test_the_shipped_set_passes_and_is_prepared_by_trl(trl_prepares: Prepare) -> None:
    file = files.shipped("examples/support-tickets/tickets.jsonl")
    assert check(file, profile="trl-chat").exit_status == 0
    assert len(trl_prepares(file)) == 484


def chat(*roles_and_texts: str, **more: Any) -> bytes:
    """A record with turns given as `role:content`."""
    turns = [dict(zip(("role", "content"), t.split(":", 1), strict=True)) for t in roles_and_texts]
    return json.dumps({"messages": turns, **more}).encode()


def record(**keys: Any) -> bytes:
    return json.dumps(keys).encode()


BROKEN = {
    "json.syntax": b"{'messages': []}",
    "json.multiple_values": GOOD_LINE + GOOD_LINE,
    "json.trailing_comma": GOOD_LINE + b",",
    "json.not_object": b"42",
    "json.nan": GOOD_LINE[:-1] + b', "score": NaN}',
    "json.duplicate_key": GOOD_LINE[:-1] + b"," + GOOD_LINE[1:],
    "json.too_deep": GOOD_LINE[:-1] + b', "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "encoding.lone_surrogate": GOOD_LINE.replace(b"Four.", b"Four \\ud83d."),
    "encoding.not_utf8": GOOD_LINE.replace(b"Four.", b"caf\xe9"),
    "shape.no_messages": record(conversation=[]),
    "shape.no_turns": record(messages=[]),
    "shape.not_list": record(messages=json.dumps([USER, ANSWER])),
    "shape.not_object": record(messages=[USER, "Four."]),
    "shape.no_role": record(messages=[USER, {"content": "Four."}]),
    "shape.no_content": record(messages=[USER, {"role": "assistant"}]),
    "shape.not_text": record(messages=[USER, {"role": "assistant", "content": 4}]),
    "roles.unknown": chat("user:hi", "assisiant:hello"),
    "tool_roles.present": record(
        messages=[USER, ASKS_TOOL, {"role": "tool", "content": "4"}, ANSWER]
    ),
    "order.system_not_first": chat("user:hi", "system:be brief", "assistant:hello"),
    "order.first_not_user": chat("assistant:hello", "user:hi", "assistant:hello"),
    "order.not_alternating": chat("user:hi", "user:there", "assistant:hello"),
    "order.no_answer": chat("user:hi", "assistant:hello", "user:and now?"),
    "empty.turn": chat("user:hi", "assistant:"),
    "empty.only_spaces": chat("user:hi", "assistant: \t\u3000"),
    "trl_keys.reserved": chat("user:hi", "assistant:hello", prompt="hi"),
    "trl_keys.template_arguments": chat("user:hi", "assistant:hello", chat_template_kwargs="x"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_set_that_breaks_one_rule_is_named_by_that_rule(tmp_path: Path, rule: str) -> None:
    file = tmp_path / "set.jsonl"
    file.write_bytes(b"\n".join([GOOD_LINE, GOOD_LINE, BROKEN[rule], GOOD_LINE]) + b"\n")
    report = check(file, profile="trl-chat")
    errors = [finding for finding in report.findings if finding.severity == "error"]
    assert [(f.rule, f.where) for f in errors] == [(rule, f"{file}:3")]
    assert (report.n_records, report.n_usable, report.exit_status) == (4, 3, 1)


WHOLE_FILES = {
    "file.array_not_jsonl": json.dumps([GOOD, GOOD]).encode(),
    "file.pretty_printed": json.dumps(GOOD, indent=2).encode(),
    "encoding.utf16": (GOOD_LINE + b"\n").decode().encode("utf-16"),
    "file.empty": b"",
    "format.not_of_profile": record(instruction="Say four.", output="Four."),
}


@pytest.mark.parametrize("rule", WHOLE_FILES)
def test_a_file_that_is_no_list_of_conversations_is_named(tmp_path: Path, rule: str) -> None:
    file = tmp_path / "set.jsonl"
    file.write_bytes(WHOLE_FILES[rule])
    report = check(file, profile="trl-chat")
    assert [f.rule for f in report.findings if f.severity == "error"] == [rule]
    assert report.exit_status == 1


@pytest.mark.parametrize(
    "keys",
    # `completion` stops it too, but only in three of four processes: TRL looks at any key of a set.
    [{"prompt": "hi"}, {"images": "x.png"}, {"chat_template_kwargs": "x"}],
)
def test_trl_does_stop_at_the_keys_that_are_reserved(
    tmp_path: Path, trl_prepares: Prepare, keys: dict[str, str]
) -> None:
    file = write(tmp_path / "set.jsonl", [GOOD | keys])
    with pytest.raises((KeyError, ValueError, TypeError)):
        trl_prepares(file)
