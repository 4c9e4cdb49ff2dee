"""describe, split, mix, sample and diff as a person types them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tuneval.cli.main import main

TICKETS = Path(__file__).parents[2] / "examples" / "support-tickets" / "tickets.jsonl"


def row(number: int, **more: Any) -> dict[str, Any]:
    """A conversation."""
    turns = [{"role": "user", "content": f"{number}?"}, {"role": "assistant", "content": "!"}]
    return {"messages": turns} | more


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Forty conversations, a quarter of them of one kind."""
    rows = [row(i, tags={"kind": "rare" if i % 4 == 0 else "common"}) for i in range(40)]
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    """What the command prints, when it ends as it should."""
    assert main(["data", *map(str, arguments)]) == status, capsys.readouterr().err
    return capsys.readouterr().out


def squeezed(text: str) -> str:
    """The text with runs of blanks made one."""
    return re.sub(" +", " ", text)


def test_describe_says_what_is_in_a_set(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "describe", TICKETS, "--by", "language")
    for text in (
        "484 conversations",
        "162, the largest of 4",
        "Chinese 160 (33.1%)",
        "technical 76 (15.7%)",
        "tag language, n=484",
        "zh 160 33.1%",
        "shortest",
        "退订会员，谢谢",
    ):
        assert text in squeezed(out)
    assert max(map(len, out.splitlines())) < 500


def test_describe_answers_in_json_and_writes_a_page(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    html = file.parent / "page.html"
    content = json.loads(said(capsys, "describe", file, "--html", html, "--json"))
    assert content["n_records"] == 40
    assert html.read_text("utf-8").startswith("<!doctype html>")


def test_describe_never_writes_its_page_over_the_set(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_bytes()
    assert main(["data", "describe", str(file), "--html", str(file)]) == 2
    assert "overwrite" in capsys.readouterr().err
    assert file.read_bytes() == before


def test_describe_warns_of_records_that_it_leaves_out(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(file.read_text() + "{\n")
    assert main(["data", "describe", str(file)]) == 0
    out, err = capsys.readouterr()
    assert "40 conversations" in out
    assert f"1 record cannot be read and is left out: {file}:41" in err


def test_describe_counts_tokens_as_training_does(capsys: pytest.CaptureFixture[str]) -> None:
    from tuneval.data.read import read
    from tuneval.models.load import load_tokenizer
    from tuneval.tokenization import encode_all, load_template

    model = "bundled:smollm2-135m"
    tokens = json.loads(said(capsys, "describe", TICKETS, "--model", model, "--json"))["tokens"]
    encoded = encode_all(read(TICKETS), load_template(load_tokenizer(model)))
    assert (tokens["total"], tokens["trained"]) == (encoded.n_tokens, encoded.n_trained)
    assert tokens["longer_than"] == dict.fromkeys(["512", "1024", "2048", "4096", "8192"], 0)


def test_split_writes_parts_and_shows_their_strata(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = file.parent / "sides"
    parts = ["--parts", "train=0.8,test=0.2", "--stratify", "kind", "--exact"]
    shown = said(capsys, "split", file, "--out", out, *parts)
    assert "test.jsonl  8 examples, 8 groups: 20.0% of the examples (asked: 20.0%)" in shown
    assert "rare 8 (80%) 2 (20%)" in squeezed(shown)
    assert len((out / "train.jsonl").read_text().splitlines()) == 32
    content = json.loads(said(capsys, "split", file, "--out", out, *parts, "--json"))
    assert content["strata"]["rare"] == {"train": 8, "test": 2}


def test_split_warns_of_a_part_without_a_stratum(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = ["--parts", "train=0.9,test=0.1", "--stratify", "kind", "--seed", "1"]
    status = main(["data", "split", str(file), "--out", str(file.parent / "s"), *parts])
    err = capsys.readouterr().err
    assert status == 0
    assert "test has no 'rare'; --exact shares each value out" in err


def test_mix_takes_by_weight_and_says_so(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = file.parent / "mixed.jsonl"
    more = file.parent / "more.jsonl"
    more.write_text(file.read_text())
    shown = said(capsys, "mix", f"{file}=0.5", f"{more}=2", "--out", out)
    assert "data 0.5 40 20 20.0%" in squeezed(shown)
    assert "100 records as messages" in shown
    assert "60 records repeat an earlier one" in shown
    assert "40 conversations in more than one of the sets" in shown
    content = json.loads(said(capsys, "mix", file, more, "--out", out, "--total", 10, "--json"))
    assert (content["n_records"], len(out.read_text().splitlines())) == (10, 10)


def test_mix_warns_of_a_set_that_gave_nothing(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = file.parent / "mixed.jsonl"
    more = file.parent / "more.jsonl"
    more.write_text(file.read_text())
    assert main(["data", "mix", str(file), f"{more}=0.01", "--out", str(out)]) == 0
    assert f"{more} gave no record: it has 40 records" in capsys.readouterr().err


def test_sample_prints_lines_or_writes_them(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = said(capsys, "sample", file, "--n", 4).splitlines()
    assert len(printed) == 4
    assert set(printed) < set(file.read_text().splitlines())
    out = file.parent / "some.jsonl"
    shown = said(capsys, "sample", file, "--n", 8, "--stratify", "kind", "--out", out)
    assert "8 of 40 records" in shown
    assert "rare 2 25.0% 10 25.0%" in squeezed(shown)
    content = json.loads(said(capsys, "sample", file, "--share", 0.1, "--out", out, "--json"))
    assert (content["n_drawn"], len(out.read_text().splitlines())) == (4, 4)


def test_sample_says_when_there_are_too_few(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "sample", str(file), "--n", "50"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 40
    assert "there are only 40 records; all are drawn" in err


def test_diff_tells_what_became_of_a_set(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[3]["messages"][1]["content"] = "yes!"
    rows.append(row(99))
    rows.append(rows.pop(10))
    del rows[20]
    new = file.parent / "new.jsonl"
    new.write_text("".join(json.dumps(each) + "\n" for each in rows))
    shown = said(capsys, "diff", file, new, status=1)
    assert f"changed  {file}:4 → {new}:4  (the same prompt)" in shown
    assert "messages[1].content: {+yes+}!" in shown
    assert f"added  {new}:39\n  + user: 99? | assistant: !" in shown
    assert f"removed  {file}:22" in shown
    assert f"moved  {file}:11 → {new}:40" in shown
    assert "37 unchanged, 1 changed, 1 added, 1 removed, 1 moved" in shown
    content = json.loads(said(capsys, "diff", file, new, "--json", status=1))
    assert content["added"][0]["record"] == row(99)
    assert said(capsys, "diff", file, file).count("\n") == 2


def test_diff_shows_no_more_than_asked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = file.parent / "new.jsonl"
    new.write_text("".join(json.dumps(row(100 + i)) + "\n" for i in range(40)))
    shown = said(capsys, "diff", file, new, "--limit", 2, status=1)
    assert shown.count("\nadded  ") == 2
    assert "… and 38 more removed" in shown


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["describe", "no.jsonl"], "There is no file"),
        (["describe", "data.jsonl", "--by", "kin"], "did you mean 'kind'"),
        (["split", "data.jsonl", "--out", "s", "--parts", "a=0.9,b=0.9"], "sum to 1.8"),
        (
            ["split", "data.jsonl", "--out", "s", "--parts", "a=rest,b=0.1", "--held-out", "0.1"],
            "ex",
        ),
        (["split", "data.jsonl", "--out", "s", "--to", "alpacca"], "did you mean 'alpaca'"),
        (["mix", "--out", "m.jsonl"], "Missing argument"),
        (["mix", "data.jsonl", "--out", "data.jsonl"], "overwrite"),
        (["mix", "data.jsonl", "--out", "m.jsonl", "--strategy", "shuffle"], "no strategy"),
        (["mix", "data.jsonl", "--out", "m.jsonl", "--tag", ""], "needs a name"),
        (["sample", "data.jsonl"], "number or a share"),
        (["sample", "data.jsonl", "--n", "1", "--json"], "give --out FILE"),
        (["sample", "data.jsonl", "--n", "1", "--out", "some"], "does not say what to write"),
        (["diff", "data.jsonl", "no.jsonl"], "There is no file"),
    ],
)
def test_wrong_use_ends_with_2_and_one_message(
    file: Path,
    arguments: list[str],
    reason: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(file.parent)
    assert main(["data", *arguments]) == 2
    out, err = capsys.readouterr()
    assert reason in err
    assert "mend:" in err
    if "--json" not in arguments:
        assert out == ""
    assert [path.name for path in file.parent.iterdir()] == ["data.jsonl"]
