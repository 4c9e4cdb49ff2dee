"""Repairs: what `fix` may change in a record, and at which finding. One file an idea.

`REPAIRS` says what mends which finding. Only what loses nothing, or what can be meant in one way
alone, is repaired; a record with another error is dropped. Turns are never joined or moved, and
no text is invented.
"""

from __future__ import annotations

from tuneval.data.repairs.content import (
    decode_again,
    remove_control_characters,
    remove_no_width,
)
from tuneval.data.repairs.duplicate_keys import merge_equal_keys
from tuneval.data.repairs.numbers import nan_to_null
from tuneval.data.repairs.repair import Repair, in_file, in_text, in_value
from tuneval.data.repairs.roles import canonical_role
from tuneval.data.repairs.syntax import (
    escape_control_characters,
    remove_trailing_commas,
)
from tuneval.data.repairs.turns import remove_empty_system

REPAIRS: dict[str, tuple[Repair, ...]] = {
    "encoding.utf16": (in_file("to_utf8", "UTF-16 and UTF-32 are written as UTF-8"),),
    "encoding.not_utf8": (
        in_file("to_utf8", "GB18030 is written as UTF-8, where the whole file is GB18030"),
    ),
    "encoding.bom": (
        in_file("mark_removed", "a byte order mark is left out, at the start of any line"),
    ),
    "file.crlf": (in_file("line_end", "lines end in LF instead of CR LF"),),
    "file.blank_line": (in_file("blank_line_removed", "blank lines are left out"),),
    "file.array_not_jsonl": (
        in_file("one_line_each", "the records of an array are written as lines"),
    ),
    "file.pretty_printed": (
        in_file("one_line_each", "an object that runs over several lines is written on one"),
    ),
    "json.multiple_values": (
        in_file("one_line_each", "each of several objects on a line gets a line of its own"),
    ),
    "json.trailing_comma": (
        in_text("comma_removed", "a comma after the record is removed", remove_trailing_commas),
    ),
    "json.syntax": (
        in_text("comma_removed", "and one before a closing bracket", remove_trailing_commas),
        in_text(
            "control_escaped",
            "raw line breaks, tabs and the like inside a text are written as escapes",
            escape_control_characters,
        ),
    ),
    "json.duplicate_key": (
        in_text(
            "key_merged", "a key that stands twice with one value stands once", merge_equal_keys
        ),
    ),
    "json.nan": (
        in_value(
            "nan_to_null", "NaN and Infinity become null under a key that is not read", nan_to_null
        ),
    ),
    "roles.unknown": (
        in_value(
            "role_named",
            "another name of a role, or one misspelt, is written rightly",
            canonical_role,
        ),
    ),
    "empty.turn": (
        in_value(
            "system_removed",
            "a system turn that says nothing is left out",
            remove_empty_system,
            moves=True,
        ),
    ),
    "empty.only_spaces": (
        in_value("system_removed", "and one of white space", remove_empty_system, moves=True),
    ),
    "encoding.mojibake": (
        in_value(
            "decoded_again",
            "UTF-8 once read as Latin-1 or Windows-1252 is decoded rightly",
            decode_again,
        ),
    ),
    "control_characters.present": (
        in_value("control_removed", "control characters are removed", remove_control_characters),
    ),
    "control_characters.invisible": (
        in_value("no_width_removed", "spaces and marks of no width are removed", remove_no_width),
    ),
}
