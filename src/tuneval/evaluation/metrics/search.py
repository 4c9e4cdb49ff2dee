"""Python's `re.search` on many texts, with a limit of time for each.

A pattern with a repetition inside a repetition can take longer on one text than anybody waits,
and nothing in a process stops `re` there. So another process searches, and is ended.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Sequence

SECONDS = 10.0
MOST_SLOW = 3
"""Slow texts after which a pattern is not tried on any more."""

_CHILD = """\
import json, re, sys
pattern = re.compile(json.loads(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    print(int(pattern.search(json.loads(line)) is not None), flush=True)
"""


def search_all(
    pattern: str, texts: Sequence[str], *, seconds: float = SECONDS
) -> list[bool | None]:
    """Whether each text has the pattern; None where that took too long, or was not tried."""
    found: list[bool | None] = []
    while len(found) < len(texts) and found.count(None) < MOST_SLOW:
        found += _until_slow(pattern, texts[len(found) :], seconds)
    return found + [None] * (len(texts) - len(found))


def _until_slow(pattern: str, texts: Sequence[str], seconds: float) -> list[bool | None]:
    """The same up to the first slow text."""
    found: list[bool | None] = []
    command = [sys.executable, "-I", "-S", "-c", _CHILD, json.dumps(pattern)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="ascii"
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()  # to begin takes its time too, and that is no text's
        for text in texts:
            child.stdin.write(json.dumps(text) + "\n")
            child.stdin.flush()
            is_there = select.select([child.stdout], [], [], seconds)[0]
            said = child.stdout.readline() if is_there else ""
            if not said:
                child.kill()
                return [*found, None]
            found.append(said == "1\n")
    return found
