"""The known sets: the table is whole and true to the registry, and every mapping reads a record."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.draft import Draft
from tuneval.data.example import Preference, Text, UnpairedPreference
from tuneval.data.read import drafts, read_items
from tuneval.data.registry.entry import Entry, entry_of
from tuneval.data.sets.known import KnownSet, known_set, known_sets
from tuneval.data.sets.shapes import SHAPES

TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")
needs_test_data = pytest.mark.skipif(
    not TEST_DATA, reason="TUNEVAL_TEST_DATA does not name a folder of real data files"
)
ASKED_AND_SAID = [("user", "Q"), ("assistant", "A")]
ROLES = {"user": "Q", "assistant": "A"}
CHAT = [{"role": role, "content": text} for role, text in ROLES.items()]
SHAREGPT = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]
CALLS = [
    {"from": "human", "value": "Q"},
    {"from": "function_call", "value": '{"name": "f", "arguments": {}}'},
    {"from": "observation", "value": "{}"},
    {"from": "gpt", "value": "A"},
]

# A record in the raw shape of each set, by hand, and what is read of it: turns, or the answers.
SAMPLES: dict[str, tuple[dict[str, Any], Any]] = {
    "belle_1m": (
        {"instruction": "Q\n", "input": "", "output": "A"},
        [("user", "Q\n"), ("assistant", "A")],
    ),
    "guanaco": (
        {"instruction": "Q", "input": "more", "output": "A", "id": "1"},
        [("user", "Q\nmore"), ("assistant", "A")],
    ),
    "alpaca_gpt4_zh_silk_road": (
        {"instruction_zh": "Q", "input_zh": "", "output_zh": "A", "instruction": "English"},
        ASKED_AND_SAID,
    ),
    "belle_3.5m": (
        {
            "id": "1",
            "conversations": [
                {"from": "human", "value": "Q"},
                {"from": "assistant", "value": "A"},
            ],
        },
        ASKED_AND_SAID,
    ),
    "belle_multiturn": (
        {
            "instruction": "Human:你好\nAssistant:您好。\nHuman: 1+1？\n说明: 简短\nAssistant:\n",
            "input": "",
            "output": "2",
        },
        [
            ("user", "你好"),
            ("assistant", "您好。"),
            ("user", "1+1？\n说明: 简短"),
            ("assistant", "2"),
        ],
    ),
    "coig_translated": (
        {
            "instruction": "in English",
            "trans_instruction": "Q",
            "trans_input": "",
            "trans_output": "A",
        },
        ASKED_AND_SAID,
    ),
    "coig_exam": (
        {
            "subject": "历史",
            "textbox_q_instruction": "请回答",
            "textbox_q_context": "材料",
            "textbox_question": "Q",
            "textbox_answer": "B",
            "textbox_answer_analysis": "A",
        },
        [("user", "请回答\n材料\nQ"), ("assistant", "A")],
    ),
    "coig_human_value": (
        {"instruction": "Q", "input": "", "output": "A"},
        ASKED_AND_SAID,
    ),
    "coig_human_value_2": (
        {"textbox_q_instruction": "", "textbox_question": "Q", "textbox_answer": "A"},
        ASKED_AND_SAID,
    ),
    "coig_counterfactual": (
        {
            "round_0": {"response": '{"Q": "Q", "A": "A"}'},
            "round_10": {"response": '{"Q": "Q10", "A": "A10"}'},
            "round_2": {"response": '{"Q": "Q2", "A": "A2"}'},
        },
        [
            *ASKED_AND_SAID,
            ("user", "Q2"),
            ("assistant", "A2"),
            ("user", "Q10"),
            ("assistant", "A10"),
        ],
    ),
    "webqa": ({"id": "1", "input": "Q", "output": "A"}, ASKED_AND_SAID),
    "pclue": (
        {"input": "Q", "target": "A", "type": "nli", "answer_choices": ["A", "B"]},
        ASKED_AND_SAID,
    ),
    "firefly": ({"kind": "poem", "input": "Q", "target": "A"}, ASKED_AND_SAID),
    "adgen_train": ({"content": "Q", "summary": "A"}, ASKED_AND_SAID),
    "openorca": (
        {"id": "1", "system_prompt": "S", "question": "Q", "response": "A"},
        [("system", "S"), *ASKED_AND_SAID],
    ),
    "mathinstruct": (
        {"source": "x", "instruction": "Q", "input": "unread", "output": "A"},
        ASKED_AND_SAID,
    ),
    "wikiqa": (
        {"question_id": "1", "question": "Q", "answer": "A", "label": 1},
        ASKED_AND_SAID,
    ),
    "cosmopedia": ({"prompt": "Q", "text": "A", "audience": "x"}, ASKED_AND_SAID),
    "magpie_ultra": ({"instruction": "Q", "response": "A", "score": 5}, ASKED_AND_SAID),
    "web_instruct": ({"question": "Q", "answer": "A", "orig_answer": "B"}, ASKED_AND_SAID),
    "openo1_sft": ({"prompt": "Q", "response": "A"}, ASKED_AND_SAID),
    "dlr_web": ({"question": "Q", "response": "A"}, ASKED_AND_SAID),
    "slimorca": (
        {"conversations": [{"from": "system", "value": "S"}, *SHAREGPT]},
        [("system", "S"), *ASKED_AND_SAID],
    ),
    "glaive_toolcall_en": (
        {"conversations": CALLS, "tools": '[{"name": "f"}]'},
        [("user", "Q"), ("assistant", ""), ("tool", "{}"), ("assistant", "A")],
    ),
    "sgsc_b2b_entities": ({"messages": SHAREGPT}, ASKED_AND_SAID),
    "ultrachat_200k": ({"prompt": "Q", "messages": CHAT, "prompt_id": "1"}, ASKED_AND_SAID),
    "lmsys_chat": ({"conversation": CHAT, "model": "x", "language": "en"}, ASKED_AND_SAID),
    "open_thoughts": (
        {"messages": [{"role": "system", "content": "S"}, *CHAT]},
        [("system", "S"), *ASKED_AND_SAID],
    ),
    "dpo_mix_zh": (
        {
            "conversations": SHAREGPT[:1],
            "chosen": SHAREGPT[1],
            "rejected": {"from": "gpt", "value": "B"},
        },
        ("A", "B"),
    ),
    "ultrafeedback": ({"instruction": "Q", "chosen": "A", "rejected": "B"}, ("A", "B")),
    "orca_pairs": ({"system": "", "question": "Q", "chosen": "A", "rejected": "B"}, ("A", "B")),
    "nectar_rm": ({"instruction": "Q", "input": "", "output": ["A", "B"]}, ("A", "B")),
    "kto_mix_en": ({"completion": CHAT, "label": True}, ("A", True)),
    "kto_en_demo": ({"messages": CHAT, "label": False}, ("A", False)),
    "ultrafeedback_kto": ({"prompt": "Q", "completion": "A", "label": False}, ("A", False)),
    "refinedweb": ({"content": "T", "url": "x"}, "T"),
    "redpajama_v2": ({"raw_content": "T", "doc_id": "x"}, "T"),
    "wikipedia_zh": ({"completion": "T", "source": "x"}, "T"),
    "fineweb": ({"text": "T", "url": "x"}, "T"),
}


def mapping(row: KnownSet) -> Any:
    """What decides how a set is read."""
    entry = row.entry
    return entry.formatting, entry.ranking, entry.columns, entry.tags, row.shape


def read_copy(tmp_path: Path, name: str, record: dict[str, Any]) -> Any:
    """The item of a copy of the set with that one record."""
    file = tmp_path / "copy.jsonl"
    file.write_text(json.dumps(record, ensure_ascii=False) + "\n")
    (item,) = read_items(f"hub:{name}={file}")
    return item


@pytest.mark.parametrize("name", SAMPLES)
def test_a_record_in_the_raw_shape_is_read(tmp_path: Path, name: str) -> None:
    record, expected = SAMPLES[name]
    item = read_copy(tmp_path, name, record)
    match item:
        case Text():
            assert item.text == expected
        case Preference():
            assert [m.content for m in item.prompt] == ["Q"]
            assert (item.chosen[0].content, item.rejected[0].content) == expected
        case UnpairedPreference():
            assert [m.content for m in item.prompt] == ["Q"]
            assert (item.completion[0].content, item.label) == expected
        case _:
            assert [(m.role, m.content) for m in item.messages] == expected


def test_every_mapping_of_a_text_set_has_a_sample() -> None:
    tested = [mapping(known_set(name)) for name in SAMPLES]
    untested = [
        row.name for row in known_sets().values() if row.is_text and mapping(row) not in tested
    ]
    assert untested == []


def test_the_sets_that_people_ask_for_are_there() -> None:
    wanted = ["alpaca_zh", "belle_0.5m", "belle_1m", "belle_2m", "belle_dialog", "belle_math"]
    wanted += ["guanaco", "webqa", "pclue", "firefly", "coig_translated", "coig_exam"]
    wanted += ["coig_human_value", "coig_counterfactual", "coig_leetcode"]
    for name in wanted:
        row = known_set(name)
        assert row.language == ("zh en ja de" if name == "guanaco" else "zh")
        assert row.licence == "unknown" or row.licence[0].islower()


@pytest.mark.parametrize("row", known_sets().values(), ids=lambda row: row.name)
def test_every_row_is_an_entry_that_can_be_read(row: KnownSet) -> None:
    content = row.entry.model_dump(exclude_unset=True)
    if row.files and row.entry.hf_hub_url is None:
        content["file_name"] = row.files[0]
    assert isinstance(entry_of(row.name, content, where="here"), Entry)
    assert row.shape is None or row.shape in SHAPES
    assert row.format.kind == row.entry.kind
    assert row.source
    json.dumps(row.as_dict())


@needs_test_data
def test_every_entry_of_the_real_registry_is_a_row_with_its_mapping() -> None:
    registry = Path(TEST_DATA or "", "instruct", "dataset_info.json")
    content = json.loads(registry.read_bytes())
    assert len(content) > 100
    for name, entry in content.items():
        row = known_set(name)
        assert row.entry == entry_of(name, entry, where=name)
        assert row.is_text is not any(
            key in entry.get("columns", {}) for key in ("images", "videos", "audios")
        )


def test_findings_of_an_unusual_shape_name_its_own_keys(tmp_path: Path) -> None:
    file = tmp_path / "copy.jsonl"
    exam = {"textbox_q_instruction": "请回答", "textbox_question": 5, "textbox_answer": ""}
    chat = {"round_0": {"response": "no json"}, "round_1": {"response": '{"Q": "q", "A": 7}'}}
    file.write_text(json.dumps(exam) + "\n")
    (draft,) = drafts(f"hub:coig_exam={file}").items
    assert isinstance(draft, Draft)
    assert [f.what for f in draft.findings] == ["textbox_question is a number, not a text."]
    file.write_text(json.dumps(chat) + "\n")
    (draft,) = drafts(f"hub:coig_counterfactual={file}").items
    assert isinstance(draft, Draft)
    assert [(f.rule, f.path) for f in draft.findings] == [
        ("shape.not_text", "round_1.response"),
        ("shape.no_round", "round_0.response"),
    ]
