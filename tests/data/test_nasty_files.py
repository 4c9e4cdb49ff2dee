"""`tuneval data check` on files as they come from the world, each with one fault: found, at its
line, without a traceback.

Every file holds sound records around its fault, so that what is found can be the fault alone.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tuneval.cli.group import run


@dataclass(frozen=True)
class Nasty:
    """A file, and the finding that must be among its findings: rule, severity and line."""

    name: str
    content: bytes
    rule: str
    line: int
    severity: str = "error"
    options: tuple[str, ...] = ()
    others: tuple[str, ...] = ()  # errors that are a consequence of the fault


def chat(question: str, answer: str, system: str | None = None, **more: Any) -> bytes:
    """One line of a chat file."""
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    if system is not None:
        turns.insert(0, {"role": "system", "content": system})
    return json.dumps({"messages": turns} | more, ensure_ascii=False).encode()


FIRST = chat("What is the capital of France?", "The capital of France is Paris.")
SECOND = chat("法国的首都是哪里？", "法国的首都是巴黎。")
LAST = chat("How many legs does a spider have?", "A spider has eight legs.")


def lines(*faulty: bytes) -> bytes:
    """Two sound lines, then these, then one more sound line."""
    return b"\n".join([FIRST, SECOND, *faulty, LAST]) + b"\n"


def turns(*pairs: tuple[str, Any]) -> bytes:
    """A line with turns of any role and content."""
    rows = [{"role": role, "content": content} for role, content in pairs]
    return json.dumps({"messages": rows}, ensure_ascii=False).encode()


def row(**keys: Any) -> bytes:
    return json.dumps(keys, ensure_ascii=False).encode()


ASK = ("user", "How tall is Mount Everest?")
ANSWER = ("assistant", "Mount Everest is 8,849 metres tall.")
ALPACA = {"instruction": "Name a colour.", "output": "Blue is a colour."}
WHOLE_GZIP = gzip.compress(b"\n".join([FIRST, SECOND, LAST] * 200), mtime=0)
CUT_GZIP = WHOLE_GZIP[: len(WHOLE_GZIP) // 2]
LINE_OF_THE_CUT = 1 + zlib.decompressobj(wbits=31).decompress(CUT_GZIP).count(b"\n")


def of_encoding() -> Iterator[Nasty]:
    """Bytes that are not what they seem."""
    yield Nasty("bom.jsonl", b"\xef\xbb\xbf" + lines(), "encoding.bom", 1, "warning")
    yield Nasty("utf16.jsonl", lines().decode().encode("utf-16"), "encoding.utf16", 1)
    yield Nasty("utf16_no_mark.jsonl", lines().decode().encode("utf-16-le"), "encoding.utf16", 1)
    yield Nasty("gbk.jsonl", lines(SECOND.decode().encode("gbk")), "encoding.not_utf8", 3)
    yield Nasty(
        "bad_byte.jsonl", lines(FIRST.replace(b"Paris", b"Par\xffs")), "encoding.not_utf8", 3
    )
    yield Nasty(
        "surrogate.jsonl",
        lines(FIRST.replace(b"Paris", b"Paris \\ud83d")),
        "encoding.lone_surrogate",
        3,
    )
    broken = "法国的首都是巴黎，人口超过两百万。".encode().decode("latin-1")
    yield Nasty(
        "mojibake.jsonl",
        lines(chat("法国的首都是哪里呢？", broken)),
        "encoding.mojibake",
        3,
        "warning",
    )
    yield Nasty(
        "replacement.jsonl",
        lines(chat("Où est Paris ?", "� Paris est en France.")),
        "encoding.replacement_character",
        3,
        "warning",
    )
    yield Nasty("crlf.jsonl", lines().replace(b"\n", b"\r\n"), "file.crlf", 1, "info")
    yield Nasty(
        "early_end.jsonl.gz",
        CUT_GZIP,
        "file.compressed_ends_early",
        LINE_OF_THE_CUT,
        others=("json.truncated",),
    )
    yield Nasty("zip.jsonl", b"PK\x03\x04" + bytes(60), "file.not_text", 1)


def of_json() -> Iterator[Nasty]:
    """What is not JSON, or is more than one reader's JSON."""
    yield Nasty("nan.jsonl", lines(FIRST[:-1] + b', "score": NaN}'), "json.nan", 3)
    yield Nasty("infinity.jsonl", lines(FIRST[:-1] + b', "score": -Infinity}'), "json.nan", 3)
    yield Nasty(
        "duplicate_key.jsonl", lines(FIRST[:-1] + b"," + FIRST[1:]), "json.duplicate_key", 3
    )
    yield Nasty("trailing_comma.jsonl", lines(FIRST + b","), "json.trailing_comma", 3)
    yield Nasty("comma_inside.jsonl", lines(FIRST.replace(b"}]", b"},]")), "json.syntax", 3)
    yield Nasty(
        "array.jsonl", b"[" + FIRST + b",\n" + SECOND + b"]", "file.array_not_jsonl", 1, "warning"
    )
    yield Nasty("concatenated.jsonl", lines(FIRST + SECOND), "json.multiple_values", 3)
    yield Nasty(
        "pretty.jsonl", json.dumps(json.loads(FIRST), indent=2).encode(), "file.pretty_printed", 1
    )
    yield Nasty("torn.jsonl", lines() + FIRST[:60], "json.truncated", 4)
    yield Nasty("scalar.jsonl", lines(b"42"), "json.not_object", 3)
    yield Nasty("deep.jsonl", lines(b"[" * 20_000 + b"]" * 20_000), "json.too_deep", 3)
    yield Nasty(
        "huge_line.jsonl",
        lines(chat("Repeat the word.", "word " * 2_200_000)),
        "file.line_too_long",
        3,
        "warning",
    )
    yield Nasty("blank_line.jsonl", lines(b""), "file.blank_line", 3, "warning")
    yield Nasty("empty.jsonl", b"", "file.empty", 1)


def of_shape() -> Iterator[Nasty]:
    """JSON, but no conversation."""
    yield Nasty("mixed_types.jsonl", lines(turns(ASK, ("assistant", 8849))), "shape.not_text", 3)
    yield Nasty("null_content.jsonl", lines(turns(ASK, ("assistant", None))), "shape.not_text", 3)
    yield Nasty("no_messages.jsonl", lines(row(conversation=[])), "shape.no_messages", 3)
    yield Nasty("empty_messages.jsonl", lines(row(messages=[])), "shape.no_turns", 3)
    yield Nasty(
        "text_in_text.jsonl", lines(row(messages='[{"role": "user"}]')), "shape.not_list", 3
    )
    yield Nasty("mixed_formats.jsonl", lines(row(**ALPACA)), "format.mixed", 3)
    yield Nasty(
        "two_formats.jsonl", json.dumps(json.loads(FIRST) | ALPACA).encode(), "format.unknown", 1
    )
    yield Nasty("typo.jsonl", lines(turns(ASK, ("assisiant", "8,849 metres."))), "roles.unknown", 3)
    yield Nasty(
        "late_system.jsonl",
        lines(turns(ASK, ("system", "Be brief."), ANSWER)),
        "order.system_not_first",
        3,
    )
    yield Nasty("answer_first.jsonl", lines(turns(ANSWER, ASK, ANSWER)), "order.first_not_user", 3)
    yield Nasty("twice_user.jsonl", lines(turns(ASK, ASK, ANSWER)), "order.not_alternating", 3)
    yield Nasty("no_answer.jsonl", lines(turns(ASK)), "order.no_answer", 3)
    yield Nasty(
        "ragged.csv",
        b"instruction,output\nName a colour.,Blue.\nName a fruit.\n",
        "csv.ragged_row",
        3,
    )


def of_content() -> Iterator[Nasty]:
    """Conversations that teach what nobody wants to be learnt."""
    yield Nasty("empty_answer.jsonl", lines(turns(ASK, ("assistant", ""))), "empty.turn", 3)
    yield Nasty(
        "white.jsonl", lines(turns(ASK, ("assistant", " \t\u3000"))), "empty.only_spaces", 3
    )
    yield Nasty(
        "control.jsonl",
        lines(turns(ASK, ("assistant", "Tall:\u0000 8,849\u0008 m."))),
        "control_characters.present",
        3,
        "warning",
    )
    yield Nasty(
        "tokens.jsonl",
        lines(chat("Say hello.<|im_end|>", "Hello there, my friend.")),
        "template_tokens.present",
        3,
        "warning",
    )
    yield Nasty(
        "inst.jsonl",
        lines(chat("[INST] Say hello. [/INST]", "Hello there, friend.")),
        "template_tokens.present",
        3,
        "warning",
    )
    yield Nasty(
        "echo.jsonl",
        lines(chat("Tell me about the sea.", "Tell me about the sea.")),
        "echo.prompt_is_response",
        3,
        "warning",
    )
    cut = "The causes of the war were many. First, the great powers had formed alliances which"
    yield Nasty(
        "cut.jsonl",
        lines(chat("Explain the causes of the war at length.", cut)),
        "truncated.response",
        3,
        "warning",
    )
    yield Nasty(
        "near_empty.jsonl",
        lines(chat("Explain how a plane can fly.", "...")),
        "near_empty.response",
        3,
        "warning",
    )
    personal = {
        "phone": "You can reach him at 13812345678 at any time.",
        "email": "Please write to li.wei.1987@gmail.com for more.",
        "id": "Her identity number is 11010519491231002X, she said.",
        "card": "Charge it to 4111 1111 1111 1111, please.",
    }
    for kind, text in personal.items():
        yield Nasty(
            f"personal_{kind}.jsonl",
            lines(chat("How do I get in touch with them?", text)),
            "personal_data.",
            3,
            "warning",
        )
    refusal = "I'm sorry, but as an AI language model I cannot write a poem about that."
    yield Nasty(
        "refusal.jsonl",
        lines(chat("Write a poem about the sea.", refusal)),
        "refusal.",
        3,
        "warning",
    )
    refusal = "很抱歉，作为一个人工智能语言模型，我无法回答这个问题。"
    yield Nasty(
        "refusal_zh.jsonl", lines(chat("写一首关于大海的诗。", refusal)), "refusal.", 3, "warning"
    )
    chinese = "北京是中华人民共和国的首都，位于华北平原的北部，人口超过两千万。"
    question = "Please tell me in a few words what you know about the city of Beijing."
    yield Nasty("language.jsonl", lines(chat(question, chinese)), "language.mismatch", 3, "warning")
    long = " ".join(["The quick brown fox jumps over the lazy dog."] * 40)
    yield Nasty(
        "over_long.jsonl",
        lines(chat("Tell me a very long story.", long)),
        "length.over_max",
        3,
        "warning",
        options=("--model", "bundled:smollm2-135m", "--max-length", "256"),
    )


def of_sets() -> Iterator[Nasty]:
    """What only several records together show."""
    yield Nasty("twice.jsonl", lines(FIRST), "duplicates.exact", 3, "warning")
    other = chat("What is the capital of France?", "It is Lyon, as everybody knows.")
    yield Nasty("conflict.jsonl", lines(other), "duplicates.conflicting_answers", 3, "warning")
    near = FIRST.replace(b"What is", b"what is").replace(b"Paris.", b"Paris")
    yield Nasty("nearly.jsonl", lines(near), "near_duplicates.pair", 3, "warning")
    yield Nasty(
        "leak.jsonl",
        lines(
            chat(
                "Where do the penguins live, in the north or the south?",
                "Penguins live in the south of our planet.",
            )
        ),
        "contamination.exact",
        3,
        "error",
        options=("--against", "{held_out}"),
    )


HELD_OUT = (
    chat(
        "Where do the penguins live, in the north or the south?",
        "Penguins live in the south of our planet.",
    )
    + b"\n"
)
NASTY = [
    *of_encoding(),
    *of_json(),
    *of_shape(),
    *of_content(),
    *of_sets(),
]


def test_there_are_at_least_forty_and_none_twice() -> None:
    assert len(NASTY) >= 40
    assert len({nasty.name for nasty in NASTY}) == len(NASTY)


@pytest.mark.parametrize("nasty", NASTY, ids=lambda nasty: nasty.name)
def test_the_fault_is_found_at_its_line(
    nasty: Nasty, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / nasty.name
    file.write_bytes(nasty.content)
    held_out = tmp_path / "held_out.jsonl"
    held_out.write_bytes(HELD_OUT)
    options = [option.format(held_out=held_out) for option in nasty.options]
    status = run(["data", "check", str(file), *options, "--json"])
    report = json.loads(capfd.readouterr().out)
    found = [f for f in report["findings"] if f["rule"].startswith(nasty.rule)]
    assert found, [f["rule"] for f in report["findings"]]
    assert {f["severity"] for f in found} == {nasty.severity}
    assert found[0]["where"] == f"{file}:{nasty.line}"
    assert all(f["what"] and f["mend"] for f in report["findings"])
    errors = {f["rule"] for f in report["findings"] if f["severity"] == "error"}
    assert {e for e in errors if not e.startswith(nasty.rule)} <= set(nasty.others)
    assert status == (1 if errors else 0)


@pytest.mark.slow
def test_a_person_sees_no_traceback(tmp_path: Path) -> None:
    held_out = tmp_path / "held_out.jsonl"
    held_out.write_bytes(HELD_OUT)
    for nasty in NASTY:
        file = tmp_path / nasty.name
        file.write_bytes(nasty.content)
        options = [option.format(held_out=held_out) for option in nasty.options]
        command = [sys.executable, "-m", "tuneval", "data", "check", str(file), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stdout + done.stderr, nasty.name
        assert done.returncode in (0, 1), nasty.name
        if nasty.severity == "error":
            assert nasty.rule in done.stdout, nasty.name
