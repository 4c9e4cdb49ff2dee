"""Addresses: S3 as a server over HTTP, and the storages of fsspec."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from tuneval import files
from tuneval.data.containers import kind_of_container, records
from tuneval.data.containers.writing import open_writer
from tuneval.data.origin import origin
from tuneval.data.read import read
from tuneval.data.record import Record
from tuneval.data.validate import check
from tuneval.errors import DataError, MissingPackageError, StorageError, UsageError

ROW = {"messages": [{"role": "user", "content": "你好"}, {"role": "assistant", "content": "a"}]}
BUCKET = "s3://sets"


@pytest.fixture(scope="module")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """What a person sets, and nothing of what this machine may have set."""
    from s3fs import S3FileSystem

    patch = pytest.MonkeyPatch()
    for name in list(os.environ):
        if name.startswith("AWS_"):
            patch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        patch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    yield patch
    S3FileSystem.clear_instance_cache()
    patch.undo()


@pytest.fixture(scope="module")
def s3(environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket on an S3 server of its own, with one record in each of several files."""
    port = _free_port()
    log = tmp_path_factory.mktemp("s3") / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/moto-api/", server, log)
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        fsspec.filesystem("s3").mkdir("sets")
        for name in ("a.jsonl", "b.jsonl.gz", "c/d.parquet", "c/e.json.zst", "f.csv"):
            write(f"{BUCKET}/chat/{name}", [ROW, ROW])
        files.write_bytes(f"{BUCKET}/chat/README.md", b"Chats.")
        yield BUCKET
    finally:
        server.kill()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
    raise AssertionError(log.read_text())


def write(address: str, rows: list[dict[str, Any]]) -> None:
    with open_writer(address) as add:
        for row in rows:
            add(row)


def values(address: str) -> list[Any]:
    return [item.value for item in records(address) if isinstance(item, Record)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.jsonl", "json lines"),
        ("b.jsonl.gz", "gzip json lines"),
        ("c/d.parquet", "parquet"),
        ("c/e.json.zst", "zstandard json array"),
        ("f.csv", "csv"),
    ],
)
def test_files_on_s3_are_read_as_local_ones(s3: str, name: str, kind: str) -> None:
    address = f"{s3}/chat/{name}"
    assert values(address) == [ROW, ROW]
    assert kind_of_container(address) == kind
    first = next(iter(read(address)))
    assert str(first.source).startswith(f"{address}:")
    assert [message.content for message in first.messages] == ["你好", "a"]


@pytest.mark.parametrize("prefix", ["chat", "chat/"])
def test_a_prefix_is_a_folder(s3: str, prefix: str) -> None:
    found = [item.source.file for item in records(f"{s3}/{prefix}") if isinstance(item, Record)]
    assert (
        found[::2]
        == found[1::2]
        == [
            f"{s3}/chat/a.jsonl",
            f"{s3}/chat/b.jsonl.gz",
            f"{s3}/chat/c/d.parquet",
            f"{s3}/chat/c/e.json.zst",
            f"{s3}/chat/f.csv",
        ]
    )
    report = check(f"{s3}/{prefix}")
    assert report.n_usable == 10
    (left_out,) = (f.what for f in report.findings if f.rule == "file.left_out")
    assert left_out.endswith("README.md.")


def test_a_pattern_stands_for_the_files_it_fits(s3: str) -> None:
    assert len(values(f"{s3}/chat/*.jsonl*")) == 4
    assert len(values(f"{s3}/chat/**")) == 10
    with pytest.raises(UsageError, match="No file fits"):
        origin(f"{s3}/chat/*.tsv")


def test_a_missing_key_and_a_missing_bucket_are_told_apart(s3: str) -> None:
    with pytest.raises(UsageError, match=f"There is no file {s3}/chat/nosuch.jsonl"):
        origin(f"{s3}/chat/nosuch.jsonl")
    with pytest.raises(UsageError, match="There is no bucket nosuch"):
        origin("s3://nosuch/chat/a.jsonl")
    with pytest.raises(StorageError, match="nothing of that name") as caught:
        list(records(f"{s3}/chat/nosuch.jsonl"))
    assert caught.value.where == f"{s3}/chat/nosuch.jsonl"


def test_what_is_there_now_counts_not_what_was_there_before(s3: str) -> None:
    somebody_else = fsspec.filesystem("s3", skip_instance_cache=True)
    somebody_else.pipe_file("sets/later/a.jsonl", b'{"a": 1}\n')
    assert values(f"{s3}/later") == [{"a": 1}]
    somebody_else.pipe_file("sets/later/a.jsonl", b'{"a": 1}\n{"a": 2}\n')
    somebody_else.pipe_file("sets/later/b.jsonl", b'{"b": 3}\n')
    assert values(f"{s3}/later/a.jsonl") == [{"a": 1}, {"a": 2}]
    assert [item.value for item in origin(f"{s3}/later/b.jsonl").records()] == [{"b": 3}]
    assert values(f"{s3}/later") == [{"a": 1}, {"a": 2}, {"b": 3}]


def test_a_write_that_fails_leaves_nothing_on_s3(s3: str) -> None:
    with pytest.raises(DataError):
        write(f"{s3}/written/a.jsonl", [ROW, {"a": float("nan")}])
    assert not files.exists(f"{s3}/written/a.jsonl")
    with pytest.raises(StorageError) as caught:
        write("s3://nosuch/a.jsonl", [ROW])
    assert "bucket" in caught.value.what
    assert caught.value.mend


def test_more_than_a_part_of_an_upload_is_written_and_read(s3: str) -> None:
    rows = [ROW | {"n": n, "text": "x" * 100_000} for n in range(120)]
    write(f"{s3}/large.jsonl", rows)
    assert [row["n"] for row in values(f"{s3}/large.jsonl")] == list(range(120))


def test_a_server_that_refuses_the_connection_is_said(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    monkeypatch.setattr(S3FileSystem, "retries", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{_free_port()}")
    S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(StorageError) as caught:
            origin(f"{s3}/chat/a.jsonl")
    finally:
        S3FileSystem.clear_instance_cache()
    assert "cannot be reached" in caught.value.what
    assert "AWS_ENDPOINT_URL" in caught.value.mend


def test_no_credentials_are_said(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from s3fs import S3FileSystem

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(StorageError) as caught:
            origin(f"{s3}/chat/a.jsonl")
    finally:
        S3FileSystem.clear_instance_cache()
    assert "no credentials" in caught.value.what
    assert "AWS_ACCESS_KEY_ID" in caught.value.mend


def test_without_s3fs_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    known = sys.modules["fsspec.registry"]._registry  # what has been imported so far
    monkeypatch.delitem(known, "s3", raising=False)
    with pytest.raises(MissingPackageError) as caught:
        origin("s3://sets/a.jsonl")
    assert "tuneval[s3]" in caught.value.mend


@pytest.mark.parametrize("root", ["memory://sets", "file://{tmp}/sets"])
def test_other_storages_are_read_and_written_alike(tmp_path: Path, root: str) -> None:
    root = root.format(tmp=tmp_path)
    (tmp_path / "sets").mkdir()
    for name in ("a.jsonl", "b.parquet"):
        write(f"{root}/{name}", [ROW])
    assert values(root) == [ROW, ROW]
    assert values(f"{root}/*.parquet") == [ROW]
    with pytest.raises(UsageError, match="There is no file"):
        origin(f"{root}/c.jsonl")


def test_what_a_storage_raises_in_the_middle_of_a_file_is_said() -> None:
    class Broken:
        def read(self, n: int) -> bytes:
            raise RuntimeError("the line was cut")

        def seekable(self) -> bool:
            return False

        def close(self) -> None: ...

    from tuneval.files.remote import _Reading

    with pytest.raises(StorageError, match="the line was cut"):
        _Reading(Broken(), "s3://sets/a").read(1)
