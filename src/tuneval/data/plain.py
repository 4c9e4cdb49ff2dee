"""Plain conversations: what nearly every record of a chat set is, seen at a glance.

A plain conversation is a record of the messages format with the one key `messages`: turns of
exactly `role` and `content`, every content a text that shows something, the roles `user` and
`assistant` in pairs, a `system` turn first or none. Nothing is wrong with its shape.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from tuneval.data.example import Role
from tuneval.data.strict_json import has_no_other_string

_PAIRS_KNOWN = 64  # longer conversations are no less good, only not seen at a glance
MAX_TURNS = 1 + 2 * _PAIRS_KNOWN
_ROLES = frozenset(
    system + ("user", "assistant") * n_pairs
    for system in ((), ("system",))
    for n_pairs in range(1, _PAIRS_KNOWN + 1)
)
_role_of = itemgetter("role")
_content_of = itemgetter("content")


class Plain(NamedTuple):
    """A plain conversation's roles and contents."""

    roles: tuple[Role, ...]
    contents: tuple[str, ...]


def plain(value: Any) -> Plain | None:
    """The plain conversation that a record's value is, if it is one."""
    try:
        messages = value["messages"]
        roles = tuple(map(_role_of, messages))
        contents = tuple(map(_content_of, messages))
        if (
            len(value) == 1
            and roles in _ROLES
            and sum(map(len, messages)) == 2 * len(roles)
            and "" not in contents
            and True not in map(str.isspace, contents)
        ):
            return Plain(roles, contents)
    except (KeyError, TypeError, IndexError):
        pass  # another shape
    return None


def plain_line(line: bytes) -> Plain | None:
    """The same for a line of JSON, if it surely is flawless as well."""
    try:
        value = orjson.loads(line)
    except ValueError:
        return None
    found = plain(value)
    if found is None:
        return None
    n_strings = 1 + 4 * len(found.roles)  # one key, and two keys and two texts for each turn
    # Mostly no text has a quote in it: counted here, that saves a call.
    if line.count(b'"') == 2 * n_strings or has_no_other_string(line, n_strings, found.contents):
        return found
    return None
