from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from tuneval import catalog as catalog_module
from tuneval.catalog import Catalog
from tuneval.errors import MissingPackageError, RecipeError, TunevalError, UsageError
from tuneval.extras import require


def test_a_row_is_imported_when_it_is_asked_for() -> None:
    table = Catalog("shape", {"path": "pathlib:Path", "gone": "no_such_module:thing"})
    assert table.load("path").__name__ == "Path"
    assert list(table) == ["path", "gone"]


def test_an_unknown_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(UsageError) as caught:
        Catalog("tuning method", {"lora": "a:b", "full": "a:c"}).load("lroa")
    assert str(caught.value) == (
        "There is no tuning method called 'lroa'.\n  mend:  did you mean 'lora'?"
    )


def test_a_plugin_adds_a_row_and_may_not_replace_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def points(group: str) -> list[EntryPoint]:
        return [EntryPoint("mine", "pathlib:PurePath", group)]

    monkeypatch.setattr(catalog_module, "entry_points", points)
    assert Catalog("shape", {}).load("mine").__name__ == "PurePath"
    with pytest.raises(TunevalError, match="built-in shape 'mine'"):
        _ = Catalog("shape", {"mine": "a:b"}).rows


def test_a_missing_package_names_the_extra_that_brings_it() -> None:
    with pytest.raises(MissingPackageError) as caught:
        require("no_such_package.part", extra="eval", why="to measure")
    assert caught.value.mend == "pip install 'tuneval[eval]'"
    assert require("json.decoder", extra="eval", why="to read").__name__ == "json.decoder"


def test_a_recipe_error_shows_every_fault_before_the_mend() -> None:
    error = RecipeError("2 faults.", where="a.yaml", mend="correct them", faults=["one", "two"])
    assert str(error).splitlines() == [
        "2 faults.", "  - one", "  - two", "  where: a.yaml", "  mend:  correct them"
    ]  # fmt: skip
