from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuneval.data.read import read_items
from tuneval.data.sample import Draw, drawn_records, sample, sample_file
from tuneval.errors import DataError, UsageError


def write(path: Path, texts: list[str], **more: list[Any]) -> Path:
    """Texts as records; `more` are lists of values of further keys."""
    rows = [
        {"text": text} | {key: values[i] for key, values in more.items()}
        for i, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand records in groups of four, of which a tenth is rare."""
    return write(
        tmp_path_factory.mktemp("sample") / "many.jsonl",
        [f"text {i}" for i in range(1000)],
        group=[f"g{i // 4}" for i in range(1000)],
        tags=[{"kind": "rare" if i % 10 == 0 else "common"} for i in range(1000)],
    )


def drawn(path: Path, **how: Any) -> list[str]:
    """The texts drawn."""
    draw = Draw(**how)
    found = [record.item for record in drawn_records(path, sample(path, draw))]
    return [item.text for item in found if hasattr(item, "text")]


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    sizes=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    seed=st.integers(0, 3),
    stratify=st.sampled_from([None, "kind"]),
    by=st.sampled_from(["record", "group"]),
)
def test_a_larger_sample_holds_every_smaller_one(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: tuple[int, int],
    seed: int,
    stratify: str | None,
    by: str,
) -> None:
    folder = tmp_path_factory.mktemp("superset")
    source = write(
        folder / "a.jsonl",
        [f"text {i // 2}" for i in range(60)],
        group=[f"g{i // 3}" for i in range(60)],
        tags=[{"kind": str(i % 7 % 3)} for i in range(60)],
    )
    small, large = (drawn(source, n=n, seed=seed, stratify=stratify, by=by) for n in sorted(sizes))
    assert not Counter(small) - Counter(large)


def test_so_many_are_drawn_in_the_order_of_the_set(many: Path) -> None:
    found = drawn(many, n=50)
    assert len(found) == 50
    assert found == sorted(found, key=lambda text: int(text.split()[1]))


def test_every_record_has_the_same_chance(many: Path) -> None:
    # 2,000 draws: the standard error of a half's share is at most sqrt(.25 / 2000) = 1.1 %.
    firsts = sum(int(t.split()[1]) < 500 for s in range(20) for t in drawn(many, n=100, seed=s))
    assert firsts / 2000 == pytest.approx(0.5, abs=0.04)


def test_copies_are_drawn_one_by_one(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", ["same"] * 100)
    assert drawn(source, n=30) == ["same"] * 30


def test_the_same_seed_draws_the_same_and_another_does_not(many: Path) -> None:
    assert drawn(many, n=50, seed=1) == drawn(many, n=50, seed=1) != drawn(many, n=50, seed=2)


def test_a_share_of_the_records_is_drawn(many: Path) -> None:
    assert len(drawn(many, share=0.123)) == 123
    assert len(drawn(many, share=1e-9)) == 1


def test_strata_keep_their_shares(many: Path) -> None:
    done = sample(many, Draw(n=50, stratify="kind"))
    assert done.strata == {"rare": (5, 100), "common": (45, 900)}


def test_whole_groups_are_drawn(many: Path) -> None:
    draw = Draw(n=20, by="group")
    found = [r.item.group for r in drawn_records(many, sample(many, draw))]
    assert set(Counter(found).values()) == {4}
    assert len(set(found)) == 20


def test_of_too_few_all_are_drawn(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", ["a", "b"])
    done = sample(source, Draw(n=5))
    assert (done.n_drawn, done.n_units) == (2, 2)


def test_the_file_holds_the_lines_as_they_are(many: Path, tmp_path: Path) -> None:
    done = sample_file(many, tmp_path / "out.jsonl", Draw(n=10))
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines(True)
    assert len(lines) == done.n_drawn == 10
    assert set(lines) <= set(many.read_bytes().splitlines(True))


def test_a_set_is_never_overwritten_by_its_sample(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", ["a", "b"])
    (tmp_path / "link.jsonl").symlink_to(source)
    with pytest.raises(UsageError, match="overwrite"):
        sample_file(source, tmp_path / "link.jsonl", Draw(n=1))
    assert len(source.read_text().splitlines()) == 2


def test_a_set_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "a.jsonl", ["a", "b"])
    done = sample(source, Draw(n=1))
    write(source, ["a", "b", "c"])
    with pytest.raises(DataError, match="changed while it was read"):
        list(drawn_records(source, done))


@pytest.mark.parametrize("name", ["out.parquet", "out.json", "out.csv", "out.jsonl.gz"])
def test_the_name_chooses_the_container(many: Path, tmp_path: Path, name: str) -> None:
    plain, other = tmp_path / "out.jsonl", tmp_path / name
    for target in (plain, other):
        sample_file(many, target, Draw(n=10))
    assert [item.id for item in read_items(other)] == [item.id for item in read_items(plain)]
    assert [item.tags for item in read_items(other)] == [item.tags for item in read_items(plain)]


def test_rows_of_a_table_are_no_lines(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text('text\n"{""text"": 1}"\n{"text":1}\n')
    sample_file(table, tmp_path / "out.jsonl", Draw(share=1.0))
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert rows == [{"text": '{"text": 1}'}, {"text": '{"text":1}'}]


def test_a_name_that_tells_no_container_is_refused(many: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not say what to write"):
        sample_file(many, tmp_path / "out", Draw(n=1))


@pytest.mark.parametrize(
    "how",
    [{}, {"n": 1, "share": 0.5}, {"n": 0}, {"share": 0.0}, {"share": 1.1}, {"n": 1, "by": "x"}],
)
def test_a_draw_that_makes_no_sense_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Draw(**how)


def test_too_many_strata_are_refused(tmp_path: Path) -> None:
    texts = [str(i) for i in range(1001)]
    source = write(tmp_path / "a.jsonl", texts, tags=[{"number": i} for i in range(1001)])
    with pytest.raises(UsageError, match="more than 1000 different values"):
        sample(source, Draw(n=1, stratify="number"))
