"""Storage: read and write, whole or not at all, on a local path or a URL.

A write goes to a temporary name in the same folder, is flushed to the disk and renamed; a
failure leaves the old file as it was and nothing half-written. URLs (`s3://…`, `memory://…`)
go through fsspec, which is imported only for them.

reading      open_bytes, open_text, exists, is_folder, files_below, sha256_file, …
writing      atomic_writer (a stream), write_bytes, write_text, atomic_folder
json_files   read_json, read_jsonl, write_json, write_jsonl, append_jsonl, sha256_json
locking, package_data   lock, shipped
"""

from tuneval.files.failures import storage_error
from tuneval.files.json_files import (
    append_jsonl,
    json_bytes,
    read_json,
    read_jsonl,
    sha256_json,
    write_json,
    write_jsonl,
)
from tuneval.files.location import Location, is_pattern, is_url
from tuneval.files.locking import LockedError, lock
from tuneval.files.package_data import shipped
from tuneval.files.reading import (
    exists,
    files_below,
    is_folder,
    open_bytes,
    open_text,
    sha256_file,
)
from tuneval.files.remote import missing_bucket
from tuneval.files.writing import atomic_folder, atomic_writer, write_bytes, write_text

__all__ = [
    "Location",
    "LockedError",
    "append_jsonl",
    "atomic_folder",
    "atomic_writer",
    "exists",
    "files_below",
    "is_folder",
    "is_pattern",
    "is_url",
    "json_bytes",
    "lock",
    "missing_bucket",
    "open_bytes",
    "open_text",
    "read_json",
    "read_jsonl",
    "sha256_file",
    "sha256_json",
    "shipped",
    "storage_error",
    "write_bytes",
    "write_json",
    "write_jsonl",
    "write_text",
]
