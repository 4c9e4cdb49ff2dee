"""`fix`: which records stay, in which form, and what the rejects file says of the others."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tuneval.data.example import Example, Message, Source
from tuneval.data.fix import FixReport, fix
from tuneval.data.profiles import PROFILES
from tuneval.data.read import read
from tuneval.data.repairs import REPAIRS
from tuneval.data.taken_out import original_of, rejects_file
from tuneval.data.validate import check
from tuneval.errors import DataError, UsageError

TEST_DATA = os.environ.get("TUNEVAL_TEST_DATA")
PAGE = Path(__file__).parents[2] / "docs" / "guide" / "check-data.md"


def chat(*turns: tuple[str, str], **more: Any) -> str:
    rows = [{"role": role, "content": content} for role, content in turns]
    return json.dumps({"messages": rows} | more, ensure_ascii=False)


ASK, ANSWER = ("user", "How tall is it?"), ("assistant", "It is 8,849 metres tall.")
GOOD = chat(ASK, ANSWER)
OTHER = chat(("user", "法国的首都是哪里？"), ("assistant", "法国的首都是巴黎。"))
CHINESE = [
    chat(
        ("user", f"请问第{n}个问题：中国的首都在哪里？"),
        ("assistant", "中国的首都是北京，在华北。"),
    )
    for n in range(5)
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "in.jsonl"


def fixed(source: Path, content: str | bytes, how: Any = "repair", **more: Any) -> FixReport:
    source.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return fix(source, source.with_name("out.jsonl"), how=how, **more)


def out_of(source: Path) -> bytes:
    return source.with_name("out.jsonl").read_bytes()


def rejects_of(source: Path) -> list[dict[str, Any]]:
    lines = source.with_name("out.rejects.jsonl").read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


# A line of a file, the repair it needs, and what it becomes; GOOD stands before and after it.
REPAIRED = {
    "comma after": (f"{GOOD},", "comma_removed", GOOD),
    "comma inside": (GOOD.replace("}]", "},]"), "comma_removed", GOOD),
    "tab in a text": (GOOD.replace("tall is", "tall\tis"), "control_escaped",
                      GOOD.replace("tall is", "tall\\tis")),
    "same key": (GOOD.replace('"role"', '"role": "user", "role"', 1), "key_merged", GOOD),
    "nan": (GOOD[:-1] + ', "score": NaN}', "nan_to_null", GOOD[:-1] + ', "score": null}'),
    "nan in a turn": (GOOD.replace('{"role"', '{"logprob": -Infinity, "role"', 1), "nan_to_null",
                      GOOD.replace('{"role"', '{"logprob": null, "role"', 1)),
    "alias": (GOOD.replace('"user"', '"human"'), "role_named", GOOD),
    "case": (GOOD.replace('"assistant"', '" ASSISTANT"'), "role_named", GOOD),
    "typo": (GOOD.replace('"assistant"', '"assisiant"'), "role_named", GOOD),
    "empty system": (chat(("system", ""), ASK, ANSWER), "system_removed", GOOD),
    "white system": (chat(("system", " \n"), ASK, ANSWER), "system_removed", GOOD),
    "mojibake": (chat(ASK, ("assistant", "The cafÃ© at 8,849 mâ€™s.")), "decoded_again",
                 chat(ASK, ("assistant", "The café at 8,849 m’s."))),
    "mojibake zh": (OTHER.replace("法国的首都是巴黎。", "æ³•å›½çš„é¦–éƒ½æ˜¯å·´é»Žã€‚"),
                    "decoded_again", OTHER),
    "bell": (GOOD.replace("It is", "It\\u0007 is"), "control_removed", GOOD),
    "no width": (GOOD.replace("It is", "It\u200b is"), "no_width_removed", GOOD),
}  # fmt: skip
DROPPED = {
    "two values of a key": GOOD.replace('"role"', '"role": "system", "role"', 1),
    "nan that is read": GOOD[:-1] + ', "group": NaN}',
    "nan in the tags": GOOD[:-1] + ', "tags": {"a": NaN}}',
    "a role of its own": GOOD.replace('"user"', '"narrator"'),
    "late system": chat(ASK, ("system", "Be brief."), ANSWER),
    "same role twice": chat(ASK, ASK, ANSWER),
    "empty answer": chat(ASK, ("assistant", "")),
    "white answer": chat(ASK, ("assistant", " \t")),
    "only an empty system": chat(("system", "")),
    "half a character": GOOD.replace("tall", "\\ud83d"),
    "junk after": f"{GOOD} and so on",
    "a list after": f"{GOOD} [1, 2]",
    "two commas": GOOD.replace("}]", "},,]"),
    "broken and two on a line": f'{GOOD}{{"messages": [',
    "no object": "[1, 2]",
    "single quotes": GOOD.replace('"', "'"),
    "another format": '{"instruction": "Name a colour.", "output": "Blue."}',
}


@pytest.mark.parametrize("name", REPAIRED)
def test_one_fault_is_repaired_and_nothing_else_is_touched(source: Path, name: str) -> None:
    line, repair, becomes = REPAIRED[name]
    report = fixed(source, f"{OTHER}\n{line}\n{GOOD}\n")
    assert out_of(source).decode() == f"{OTHER}\n{becomes}\n{GOOD}\n"
    assert (report.n_read, report.n_unchanged, report.n_repaired) == (3, 2, 1)
    (row,) = rejects_of(source)
    assert row["action"] == "repaired"
    assert row["repairs"] == [repair]
    assert (row["original"], row["repaired"]) == (f"{line}\n", becomes)
    assert (row["where"], row["line"], row["out_line"]) == (f"{source}:2", 2, 2)
    assert row["offset"] == len(f"{OTHER}\n".encode())
    assert row["rules"]
    assert row["reasons"]
    assert all(repair in {each.name for each in REPAIRS[rule]} for rule in row["rules"])


@pytest.mark.parametrize("name", REPAIRED)
def test_drop_repairs_nothing(source: Path, name: str) -> None:
    line = REPAIRED[name][0]
    fixed(source, f"{OTHER}\n{line}\n{GOOD}\n", "drop")
    kept = {f"{OTHER}\n{GOOD}\n", f"{OTHER}\n{line}\n{GOOD}\n"}  # the latter: only a warning
    assert out_of(source).decode() in kept


@pytest.mark.parametrize("how", ["drop", "repair"])
@pytest.mark.parametrize("name", DROPPED)
def test_what_can_be_meant_in_two_ways_is_dropped(source: Path, name: str, how: str) -> None:
    report = fixed(source, f"{OTHER}\n{DROPPED[name]}\n{GOOD}\n", how)
    assert out_of(source).decode() == f"{OTHER}\n{GOOD}\n"
    (row,) = rejects_of(source)
    assert row["action"] == "dropped"
    assert original_of(row).decode() == f"{DROPPED[name]}\n"
    assert set(row["rules"]) == set(report.dropped_by)
    assert all(reason for reason in row["reasons"])
    assert (report.n_read, report.n_dropped) == (3, 1)


def test_several_records_on_a_line_get_a_line_each(source: Path) -> None:
    bad = chat(ASK, ASK)
    report = fixed(source, f"{OTHER}\n{GOOD} {OTHER},{bad}{GOOD}\n")
    assert out_of(source).decode() == "\n".join([OTHER, GOOD, OTHER, GOOD, ""])
    assert (report.n_read, report.n_repaired, report.n_dropped) == (5, 3, 1)
    originals = [original_of(row).decode() for row in rejects_of(source)]
    assert "".join(originals) == f"{GOOD} {OTHER},{bad}{GOOD}\n"


@pytest.mark.parametrize("indent", [0, 2, "\t"])
def test_objects_over_several_lines_become_lines(source: Path, indent: Any) -> None:
    pretty = [json.dumps(json.loads(line), indent=indent) for line in (GOOD, OTHER)]
    report = fixed(source, "\n".join([*pretty, GOOD, ""]))
    rows = [json.loads(line) for line in out_of(source).splitlines()]
    assert rows == [json.loads(line) for line in (GOOD, OTHER, GOOD)]
    assert (report.n_read, report.n_repaired) == (3, 2)
    assert [row["line"] for row in rejects_of(source)] == [1, 2 + pretty[0].count("\n")]


def test_a_record_that_breaks_off_does_not_swallow_the_next(source: Path) -> None:
    torn = '{"messages": ['
    report = fixed(source, f"{GOOD}\n{torn}\n{OTHER}\n]}}\n{GOOD}\n")
    assert out_of(source).decode() == f"{GOOD}\n{OTHER}\n{GOOD}\n"
    assert report.n_dropped == 2


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("how", ["drop", "repair"])
def test_an_array_is_written_as_lines(source: Path, indent: Any, how: str) -> None:
    array = [json.loads(line) for line in (GOOD, chat(ASK), OTHER)]
    content = json.dumps(array, indent=indent, ensure_ascii=False)
    report = fixed(source, content, how)
    assert [json.loads(line) for line in out_of(source).splitlines()] == [array[0], array[2]]
    assert (report.n_unchanged, report.n_dropped, report.n_between) == (2, 1, 1)
    bracket, row = rejects_of(source)
    assert (bracket["original"], bracket["rules"]) == ("[", ["file.array_not_jsonl"])
    assert json.loads(row["original"].strip(", \n")) == array[1]


@pytest.mark.parametrize("name", ["out.jsonl.gz", "out.json", "out.json.xz", "out.parquet"])
@pytest.mark.parametrize("how", ["drop", "repair"])
def test_the_new_file_is_of_the_kind_that_its_name_says(source: Path, name: str, how: Any) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    source.write_text(f"{GOOD}\n{chat(ASK)}\n{OTHER}\n", encoding="utf-8")
    out = source.with_name(name)
    report = fix(source, out, how=how)
    assert report.rejects == str(source.with_name("out.rejects.jsonl"))
    assert [item.answer for item in read(out)] == [item.answer for item in _read(GOOD, OTHER)]
    if name == "out.jsonl.gz":
        assert gzip.decompress(out.read_bytes()).decode() == f"{GOOD}\n{OTHER}\n"
    with pytest.raises(UsageError, match="does not say"):
        fix(source, source.with_name("out.doc"), how=how)


def _read(*lines: str) -> list[Example]:
    rows = [json.loads(line)["messages"] for line in lines]
    return [
        Example(tuple(Message(m["role"], m["content"]) for m in row), Source("", 1)) for row in rows
    ]


def test_a_packed_source_is_fixed_like_its_text(source: Path) -> None:
    packed = source.with_name("in.jsonl.gz")
    content = f"{GOOD}\r\n{GOOD},\n{OTHER}\n".encode()
    packed.write_bytes(gzip.compress(content * 50))
    out = source.with_name("out.jsonl")
    report = fix(packed, out, how="repair")
    assert report.repaired_by == {"line_end": 50, "comma_removed": 50}
    assert out_of(source).decode() == f"{GOOD}\n{GOOD}\n{OTHER}\n" * 50
    packed.write_bytes(gzip.compress(content * 50)[:-30])
    cut = fix(packed, out, how="repair")
    assert [fault.rule for fault in cut.faults] == ["file.compressed_ends_early"]
    assert 100 < cut.n_kept < 150


def test_every_file_of_a_folder_is_fixed_into_one(source: Path) -> None:
    folder = source.with_name("sets")
    folder.mkdir()
    (folder / "a.jsonl").write_text(f"{GOOD},\n\n{OTHER}", encoding="utf-8")
    (folder / "b.json").write_text(f"[{GOOD}]", encoding="utf-8")
    (folder / "c.jsonl").write_bytes(f"{GOOD}\n".encode("utf-16"))
    report = fix(folder, source.with_name("out.jsonl"), how="repair")
    assert out_of(source).decode() == f"{GOOD}\n{OTHER}\n{GOOD}\n{GOOD}\n"
    assert (report.n_read, report.n_unchanged, report.n_repaired, report.n_between) == (4, 2, 2, 2)


def test_rows_of_a_table_are_kept_as_equal_values(source: Path) -> None:
    table = source.with_name("in.csv")
    table.write_text('instruction,output\n"Name a\ncolour.",Blue.\nName a fruit.,\n', "utf-8")
    report = fix(table, source.with_name("out.csv"), how="repair")
    assert source.with_name("out.csv").read_text("utf-8").splitlines()[1:] == [
        '"Name a',
        'colour.",Blue.',
    ]
    assert report.dropped_by == {"empty.turn": 1}
    (row,) = rejects_of(source)
    assert row["original"].strip() == "Name a fruit.,"


def test_a_pipe_is_refused(source: Path) -> None:
    os.mkfifo(source)
    with pytest.raises(UsageError, match="pipe"):
        fix(source, source.with_name("out.jsonl"), how="drop")


def test_a_broken_element_of_an_array_is_repaired(source: Path) -> None:
    broken = GOOD.replace("}]", "},]")
    report = fixed(source, f"[\n  {OTHER},\n  {broken},\n  {GOOD}\n]\n")
    assert out_of(source).decode() == f"{OTHER}\n{GOOD}\n{GOOD}\n"
    assert report.repaired_by == {"comma_removed": 1}


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"])
@pytest.mark.parametrize("shape", ["lines", "array"])
def test_other_encodings_become_utf8(source: Path, codec: str, shape: str) -> None:
    lines = [*CHINESE, GOOD]
    text = "\n".join(lines) + "\n" if shape == "lines" else f"[{', '.join(lines)}]"
    report = fixed(source, text.encode(codec))
    assert out_of(source).decode("utf-8") == "\n".join(lines) + "\n"
    assert report.n_repaired == (5 if codec == "gb18030" else 6)  # ASCII is the same in GB18030
    assert report.repaired_by == {"to_utf8": report.n_repaired}
    if shape == "lines":
        with_rows = b"".join(original_of(row) for row in rejects_of(source))
        unchanged = f"{GOOD}\n".encode() if codec == "gb18030" else b""
        assert with_rows + unchanged == text.encode(codec)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("대한민국의 수도는 어디입니까? 서울입니다. 인구는 약 천만 명이다.", "euc-kr"),
        ("日本の首都は東京です。人口は千四百万人で、学校と病院が多い。", "euc-jp"),
        ("法國的首都是哪裡？是巴黎。我們在這個國家的中心，人口有兩百萬。", "big5"),
        ("él está aquí, señor; Übermäßig schöne Grüße", "latin-1"),
    ],
)
def test_what_may_be_another_encoding_is_not_guessed(source: Path, text: str, codec: str) -> None:
    line = chat(("user", text), ("assistant", text)).encode(codec)
    report = fixed(source, GOOD.encode() + b"\n" + line + b"\n")
    assert report.dropped_by == {"encoding.not_utf8": 1}
    (row,) = rejects_of(source)
    assert original_of(row) == line + b"\n"
    assert "original" not in row


def test_one_line_of_gbk_among_utf8_is_dropped_and_the_others_stay(source: Path) -> None:
    content = b"\n".join([*(line.encode() for line in CHINESE), CHINESE[0].encode("gbk"), b""])
    report = fixed(source, content)
    assert (report.n_unchanged, report.n_dropped) == (5, 1)


def test_line_ends_are_changed_by_repair_alone(source: Path) -> None:
    content = f"{GOOD}\r\n{OTHER}\r\n"
    fixed(source, content, "drop")
    assert out_of(source).decode() == content
    report = fixed(source, content)
    assert out_of(source).decode() == f"{GOOD}\n{OTHER}\n"
    assert report.repaired_by == {"line_end": 2}


@pytest.mark.parametrize("how", ["drop", "repair"])
def test_marks_and_blank_lines_are_left_out_and_told(source: Path, how: str) -> None:
    report = fixed(source, f"\ufeff{GOOD}\n \n\ufeff{OTHER}\n\n", how)
    assert out_of(source).decode() == f"{GOOD}\n{OTHER}\n"
    assert (report.n_read, report.n_between) == (2, 4)
    originals = [original_of(row).decode() for row in rejects_of(source)]
    assert originals == ["\ufeff", " \n", "\ufeff", "\n"]


def test_a_last_line_without_an_end_keeps_its_bytes(source: Path) -> None:
    fixed(source, f"{GOOD}\n{OTHER}")
    assert out_of(source).decode() == f"{GOOD}\n{OTHER}"


def test_numbers_and_order_of_a_record_that_is_not_touched_stay(source: Path) -> None:
    odd = GOOD[:-1].replace(", ", "  ,  ") + ', "z": 1.50, "a": 12345678901234567890123 }'
    fixed(source, f"{GOOD}\n{odd}\n")
    assert out_of(source).decode() == f"{GOOD}\n{odd}\n"


def test_a_repair_that_is_not_needed_never_costs_the_record(source: Path) -> None:
    # Without its control characters the answer would be empty; with them it is only doubtful.
    line = GOOD.replace("It is 8,849 metres tall.", "\\u0007")
    before = check_errors(source, f"{line}\n")
    report = fixed(source, f"{OTHER}\n{line}\n")
    assert before == []
    assert report.n_unchanged == 2


def check_errors(source: Path, content: str) -> list[str]:
    source.write_text(content, encoding="utf-8")
    return [f.rule for f in check(source).findings if f.severity == "error"]


def test_two_faults_of_a_record_are_both_repaired(source: Path) -> None:
    line = chat(("system", ""), ("human", "Hi\u0007"), ("assisiant", "cafÃ©"))[:-1] + ",}"
    report = fixed(source, f"{GOOD}\n{line}\n")
    assert out_of(source).decode().split("\n")[1] == chat(("user", "Hi"), ("assistant", "café"))
    assert len(report.repaired_by) == 5


def test_the_first_of_equal_records_stays(source: Path) -> None:
    content = f'{GOOD}\n{OTHER}\n{GOOD[:-1]}, "tags": {{}}}}\n{GOOD}\n'
    report = fixed(source, content, "drop", duplicates="drop")
    assert out_of(source).decode() == f"{GOOD}\n{OTHER}\n"
    assert report.dropped_by == {"duplicates.exact": 2}
    assert ["line 1" in row["reasons"][0] for row in rejects_of(source)] == [True, True]
    assert fixed(source, content, "drop").n_dropped == 0


def test_roles_of_sharegpt_keep_its_names(source: Path) -> None:
    turns = [{"from": "user", "value": "Hi"}, {"from": "Assistant", "value": "Hello"}]
    good = {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
    report = fixed(source, f"{json.dumps(good)}\n{json.dumps({'conversations': turns})}\n")
    row = json.loads(out_of(source).splitlines()[1])
    if report.n_repaired:  # `user` may be read as it is
        assert row["conversations"][1]["from"] == "gpt"
    assert check(source.with_name("out.jsonl"), "sharegpt").n_usable == 2


def test_a_profile_decides_what_is_an_error(source: Path) -> None:
    line = GOOD[:-1] + ', "chosen": 1}'
    assert fixed(source, f"{GOOD}\n{line}\n", "drop").n_dropped == 0
    report = fixed(source, f"{GOOD}\n{line}\n", "drop", profile="trl-chat")
    assert report.dropped_by == {"trl_keys.reserved": 1}


def test_no_record_left_is_an_error_and_nothing_is_written(source: Path) -> None:
    with pytest.raises(DataError) as caught:
        fixed(source, f"{chat(ASK)}\n{chat(ASK, ASK)}\n")
    assert "No record is left" in caught.value.what
    assert caught.value.where == f"{source}:1"
    assert [path.name for path in source.parent.iterdir()] == ["in.jsonl"]


@pytest.mark.parametrize(
    "content", [b"", b"\x1f\x8b\x08\x00junk", b"PK\x03\x04zip", b"junk\n", b"[]"]
)
def test_what_is_no_set_is_refused(source: Path, content: bytes) -> None:
    with pytest.raises(DataError):
        fixed(source, content)
    assert [path.name for path in source.parent.iterdir()] == ["in.jsonl"]


def test_an_older_file_stays_when_fixing_fails(source: Path) -> None:
    source.with_name("out.jsonl").write_text("older")
    with pytest.raises(DataError):
        fixed(source, "junk\n")
    assert out_of(source) == b"older"


def test_a_format_that_the_profile_does_not_take_is_refused(source: Path) -> None:
    with pytest.raises(DataError, match="alpaca"):
        fixed(source, '{"instruction": "a", "output": "b"}\n', profile="trl-chat")


def test_the_source_is_never_written_over(source: Path) -> None:
    source.write_text(f"{GOOD}\n")
    link = source.with_name("link.jsonl")
    link.symlink_to(source)
    hard = source.with_name("hard.jsonl")
    hard.hardlink_to(source)
    new = source.with_name("new.jsonl")
    for out, rejects in ((source, None), (link, None), (hard, None), (new, source), (new, new)):
        with pytest.raises(UsageError):
            fix(source, out, how="drop", rejects=rejects)
    with pytest.raises(UsageError, match="would lie in"):
        fix(source.parent, new, how="drop")
    assert source.read_text() == f"{GOOD}\n"
    assert not new.exists()


@pytest.mark.skipif(not TEST_DATA, reason="TUNEVAL_TEST_DATA names no folder of real data files")
@pytest.mark.parametrize("name", ["alpaca_zh_demo", "glaive_toolcall_zh_demo", "kto_en_demo"])
@pytest.mark.parametrize("how", ["drop", "repair"])
def test_every_record_of_a_real_set_is_kept_or_rejected(source: Path, name: str, how: Any) -> None:
    real = Path(TEST_DATA or "", "instruct", f"{name}.json")
    report = fix(real, source.with_name("out.jsonl"), how=how)
    rows = rejects_of(source)
    kept = [json.loads(line) for line in out_of(source).splitlines()]
    repaired = [row["out_line"] - 1 for row in rows if row["action"] == "repaired"]
    originals = [json.loads(original_of(row)) for row in rows]
    unchanged = [row for number, row in enumerate(kept) if number not in repaired]
    assert sorted(map(str, unchanged + originals)) == sorted(
        map(str, json.loads(real.read_bytes()))
    )
    assert report.n_read == report.n_unchanged + report.n_repaired + report.n_dropped
    assert check(report.out, report.format).exit_status == 0


def test_rejects_lie_beside_the_new_file_by_default() -> None:
    assert rejects_file("a/clean.en.jsonl.gz") == "a/clean.en.rejects.jsonl"
    assert rejects_file(Path("b.c/clean.json")) == "b.c/clean.rejects.jsonl"
    assert rejects_file("s3://bucket/clean.parquet") == "s3://bucket/clean.rejects.jsonl"


def test_progress_reaches_the_size_of_the_file(source: Path) -> None:
    told: list[tuple[int, int]] = []
    fixed(source, f"{GOOD}\n" * 2500, progress=lambda done, total: told.append((done, total)))
    assert [total for _, total in told] == [source.stat().st_size] * 3
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_every_repair_and_every_profile_is_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in PROFILES if f"| `{name}` |" not in page] == []
    names = {repair.name for repairs in REPAIRS.values() for repair in repairs}
    assert [name for name in sorted(names) if f"| `{name}` |" not in page] == []
