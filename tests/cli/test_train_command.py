"""`tuneval train` says what it can."""

from __future__ import annotations

import re

import pytest

from tuneval.cli.group import run
from tuneval.models.methods import METHODS


def test_the_help_names_every_method(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--help"]) == 0
    shown = capsys.readouterr().out
    said = shown[shown.index("--method") : shown.index("--template")]
    assert set(METHODS) <= set(re.findall(r"\w+", said))
