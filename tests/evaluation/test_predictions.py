"""Files of predictions: read as they are, graded, kept so that they can be compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tuneval.errors import DataError
from tuneval.evaluation.comparing.compare import compare_folders
from tuneval.evaluation.config import config_from
from tuneval.evaluation.items import read_items
from tuneval.evaluation.prediction_rows import read_predictions
from tuneval.evaluation.predictions import Predictions, evaluate_predictions
from tuneval.evaluation.record import EvaluationResult
from tuneval.runs.find import find_run

ROWS: list[dict[str, Any]] = [
    {"id": "q1", "prediction": "yes", "reference": "yes", "group": 7, "level": 3},
    {"id": "q2", "predict": "no", "label": "yes", "group": 7},
    {"id": "q3", "prediction": None, "reference": "no", "probability": 0.3},
    {"id": "q4", "prediction": {"a": 1}, "reference": {"a": 1}, "prompt": "asked"},
]


def written(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> str:
    return written(tmp_path / "answers.jsonl", ROWS)


def test_rows_become_items_with_both_spellings_of_the_keys(file: str) -> None:
    first, second, third, fourth = read_predictions(file)
    assert (first.id, first.predict, first.label, first.group) == ("q1", "yes", "yes", "7")
    assert (first.tags, first.source) == ({"level": 3}, f"{file}:1")
    assert (second.predict, second.label) == ("no", "yes")
    assert (third.predict, third.fields) == (None, {"probability": 0.3})
    assert (fourth.predict, fourth.label, fourth.prompt) == ('{"a": 1}', '{"a": 1}', "asked")


def test_rows_without_an_id_have_their_number(tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", [{"prediction": "x"}, {"prediction": "x"}])
    assert [item.id for item in read_predictions(file)] == ["1", "2"]


def test_a_csv_holds_numbers_and_lists_as_text(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(
        'prediction,reference,probability,labels,reference_labels\n12,12,0.25,"[""a""]",a\n',
        encoding="utf-8",
    )
    (item,) = read_predictions(str(path))
    assert (item.predict, item.label) == ("12", "12")
    assert item.fields == {"probability": 0.25, "labels": ["a"], "reference_labels": "a"}


@pytest.mark.parametrize(
    ("rows", "match", "mend"),
    [
        ([{"id": 1, "prediction": "a"}, {"id": "1", "prediction": "b"}], "the id '1'", "own id"),
        ([{"prediction": "a"}, {"answer": "a"}], "no prediction", "'prediction'"),
    ],
)
def test_what_cannot_be_graded_is_refused_with_its_place(
    tmp_path: Path, rows: list[dict[str, Any]], match: str, mend: str
) -> None:
    file = written(tmp_path / "a.jsonl", rows)
    with pytest.raises(DataError, match=match) as caught:
        read_predictions(file)
    assert f"{file}:2" in caught.value.where
    assert mend in caught.value.mend


def test_a_broken_line_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"prediction": "a"}\n{"prediction": \n', encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_predictions(str(broken))
    assert "broken.jsonl:2" in caught.value.where
    empty = tmp_path / "empty.jsonl"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(DataError):
        read_predictions(str(empty))


def test_figures_are_those_of_the_items_and_what_is_missing_is_counted(
    file: str, tmp_path: Path
) -> None:
    config = config_from(metrics=("exact_match", "token_f1"), json_fields=("a",))
    done = evaluate_predictions(
        config, Predictions(file=file, name="mine", model="m-1"), folder=tmp_path / "out"
    )
    metrics = done.result.metrics
    exact = metrics["exact_match"]
    assert exact.estimate is not None
    assert (exact.estimate.value, exact.estimate.n) == (pytest.approx(2 / 3), 3)
    assert exact.estimate.n_clusters == 2
    assert exact.unscored == {"not answered": 1}
    field = metrics["json_field:a"]
    assert field.estimate is not None
    assert field.estimate.value == 1.0
    assert (done.result.model, done.result.n_items) == ("m-1", 4)
    assert done.result.counts == {"items": 4, "independent_groups": 3, "generated": 3}
    assert EvaluationResult.load(done.folder) == done.result
    assert [item.grades.get("exact_match") for item in read_items(done.folder)] == [1, 0, None, 1]


def test_two_files_are_compared_item_by_item(tmp_path: Path) -> None:
    config = config_from(metrics=("exact_match",))
    folders = []
    for name, said in {"a": ["no"] * 8, "b": ["yes"] * 8}.items():
        rows = [{"prediction": text, "reference": "yes"} for text in said]
        file = written(tmp_path / f"{name}.jsonl", rows)
        done = evaluate_predictions(
            config, Predictions(file=file, name=name), folder=tmp_path / name
        )
        folders.append(done.folder)
    comparison = compare_folders(*folders)
    row = comparison.row("exact_match")
    assert row is not None
    assert (row.difference.value, row.verdict, row.n_improved) == (1.0, "better", 8)
    assert (comparison.a_model, comparison.warnings) == ("a", ())


def test_the_same_work_is_done_once_and_another_file_makes_another_run(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, asked = config_from(metrics=("exact_match",)), Predictions(file=file, name="mine")
    root = tmp_path / "runs"
    first = evaluate_predictions(config, asked, root=root, command="tuneval evaluate …")
    written_at = (first.folder / "result.json").stat().st_mtime_ns
    again = evaluate_predictions(config, asked, root=root)
    assert again == first
    assert (again.folder / "result.json").stat().st_mtime_ns == written_at
    monkeypatch.setenv("TUNEVAL_RUNS", str(root))
    run = find_run(first.folder.parents[1].name, root)
    assert run.manifest.command == "tuneval evaluate …"
    written(Path(file), ROWS[:2])
    other = evaluate_predictions(config, asked, root=root)
    assert other.folder != first.folder
    more = config_from(metrics=("exact_match", "token_f1"))
    assert evaluate_predictions(more, asked, root=root).folder != other.folder


def test_empty_cells_are_no_id_and_no_group(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("id,group,prediction,reference\n,,a,a\n,,b,b\nq,g,c,c\n", encoding="utf-8")
    items = read_predictions(str(path))
    assert [(item.id, item.group) for item in items] == [("1", None), ("2", None), ("q", "g")]


def test_a_null_of_a_table_is_an_answer_that_was_not_given(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "answers.parquet"
    table = {"id": [1, 2], "prediction": ["a", None], "reference": ["a", "b"], "group": [1.0, None]}
    parquet.write_table(pyarrow.table(table), path)
    items = read_predictions(str(path))
    assert [(item.id, item.predict, item.group) for item in items] == [
        ("1", "a", "1"),
        ("2", None, None),
    ]
    parquet.write_table(pyarrow.table({"id": [1, 2], "reference": ["a", "b"]}), path)
    with pytest.raises(DataError, match="No row has a prediction"):
        read_predictions(str(path))


def test_a_whole_number_is_one_text_however_it_is_stored(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"prediction": 3, "reference": 3.0}, {"prediction": 0.5}]
    first, second = read_predictions(written(tmp_path / "a.jsonl", rows))
    assert (first.predict, first.label, second.predict) == ("3", "3", "0.5")


def test_what_is_no_object_is_told_what_one_looks_like(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("[1, 2]\n3\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_predictions(str(path))
    assert '"prediction"' in caught.value.mend


def test_what_is_nan_or_an_empty_cell_is_missing_and_no_error(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pyarrow = pytest.importorskip("pyarrow")
    nan = float("nan")
    table = {"prediction": ["a", "", None], "reference": ["a", "", "b"], "number": [1.0, nan, nan],
             "level": [nan, 2.0, nan]}  # fmt: skip
    parquet.write_table(pyarrow.table(table), tmp_path / "a.parquet")
    first, second, third = read_predictions(str(tmp_path / "a.parquet"))
    assert (first.fields, second.fields) == ({"number": 1.0}, {})
    assert (first.tags, second.tags) == ({}, {"level": 2.0})
    assert (second.predict, second.label, third.predict) == ("", "", None)
    text = "prediction,reference,number,confidence,level\n,x,,nan,\na,,0.5,0.25,7\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    first, second = read_predictions(str(tmp_path / "a.csv"))
    assert (first.predict, first.label, first.fields, first.tags) == ("", "x", {}, {})
    assert (second.predict, second.label, second.tags) == ("a", None, {"level": "7"})
    assert second.fields == {"number": 0.5, "confidence": 0.25}
    (tmp_path / "a.jsonl").write_text('{"prediction": "a", "number": NaN}\n', encoding="utf-8")
    (only,) = read_predictions(str(tmp_path / "a.jsonl"))
    assert (only.predict, only.fields) == ("a", {})
    config = config_from(metrics=("exact_match", "mae"))
    done = evaluate_predictions(
        config, Predictions(file=str(tmp_path / "a.csv"), name="cells"), folder=tmp_path / "out"
    )
    said_nothing = done.result.metrics["exact_match"]
    assert said_nothing.estimate is not None
    assert said_nothing.estimate.value == 0
    assert sum(said_nothing.unscored.values()) == 1, "the row without a reference"


@pytest.mark.parametrize(
    ("row", "label", "references"),
    [
        ({"reference": ["Paris", "paris, France"]}, "Paris", ["Paris", "paris, France"]),
        ({"references": ["a", 2.0]}, "a", ["a", "2"]),
        ({"reference": "main", "references": ["a", "b"]}, "main", ["a", "b"]),
        ({"reference": [1, 2]}, "[1, 2]", None),
        ({"reference": []}, "[]", None),
    ],
)
def test_a_list_of_texts_is_several_true_answers(
    tmp_path: Path, row: dict[str, Any], label: str, references: list[str] | None
) -> None:
    (item,) = read_predictions(written(tmp_path / "a.jsonl", [{"prediction": "x", **row}]))
    assert (item.label, item.fields.get("references")) == (label, references)


def test_lists_on_both_sides_are_answers_of_their_own(tmp_path: Path) -> None:
    rows = [{"prediction": ["a", "b"], "reference": ["b", "a"]},
            {"prediction": "a, b", "reference": ["b", "a"]}]  # fmt: skip
    file = written(tmp_path / "a.jsonl", rows)
    both, text = read_predictions(file)
    assert (both.label, both.fields) == ('["b", "a"]', {})
    assert text.fields["references"] == ["b", "a"]
    done = evaluate_predictions(
        config_from(metrics=("jaccard",)), Predictions(file=file, name="sets"),
        folder=tmp_path / "out",
    )  # fmt: skip
    jaccard = done.result.metrics["jaccard"].estimate
    assert jaccard is not None
    assert jaccard.value == 1.0
