"""The pages tell the truth: every field and default of a recipe, code blocks, links, plugins.

That documented commands and options exist is the matter of test_documented_commands.py.
"""

from __future__ import annotations

import ast
import doctest
import json
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel

from tuneval.evaluation.metrics import METRICS
from tuneval.evaluation.suites.suite import suite_of
from tuneval.recipes.load import load_recipe, recipe_from
from tuneval.recipes.recipe import Recipe
from tuneval.scoring.prompts import load_prompts

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
RECIPE_PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
METRICS_PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
PLUGIN_PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
CATALOG = re.compile(r"= Catalog\(\s*\"(\w+)\"")


def blocks(language: str) -> list[Any]:
    """Every code block of a language in the pages, as test parameters."""
    found = []
    for page in PAGES:
        bodies = [
            body for name, body in FENCED.findall(page.read_text("utf-8")) if name == language
        ]
        for number, body in enumerate(bodies, start=1):
            found.append(pytest.param(body, id=f"{page.relative_to(ROOT)}-{number}"))
    return found


def parts_of(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models in a field's type."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [part for argument in get_args(annotation) for part in parts_of(argument)]


def kind_of(part: type[BaseModel]) -> str:
    """How the page calls one of several parts: its tag, or its own name."""
    tag = part.model_fields.get("kind")
    return str(get_args(tag.annotation)[0]) if tag else part.__name__.lower()


def sections(part: type[BaseModel], heading: str) -> dict[str, type[BaseModel]]:
    """Heading on the page -> the part of a recipe whose fields stand under it."""
    found = {heading: part}
    for field, info in part.model_fields.items():
        inner = parts_of(info.annotation)
        for each in inner:
            above = "" if field == "steps" else f"{field}: "
            found |= sections(each, field if len(inner) == 1 else above + kind_of(each))
    return found


SECTIONS = sections(Recipe, "Recipe")


def rows_under(heading: str) -> dict[str, str]:
    """Field -> default, from the table under a heading of the page."""
    pattern = rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)"
    match = re.search(pattern, RECIPE_PAGE, re.MULTILINE | re.DOTALL)
    assert match, f"docs/recipes.md has no heading '{heading}'"
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", match[1], re.MULTILINE)
    return {field: default.strip("`") for field, default in rows}


def default_of(part: type[BaseModel], field: str) -> Any:
    """A field's default as YAML has it; of a part its kind, and what is not its own default."""
    info = part.model_fields[field]
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True)
    if isinstance(default, BaseModel):
        content = default.model_dump(mode="json")
        kind = {"kind": content["kind"]} if "kind" in content else {}
        return kind | default.model_dump(mode="json", exclude_defaults=True)
    return list(default) if isinstance(default, tuple) else default


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_field_of_a_recipe_is_documented(heading: str) -> None:
    assert set(rows_under(heading)) == set(SECTIONS[heading].model_fields)


@pytest.mark.parametrize("heading", SECTIONS)
def test_documented_defaults_are_those_of_the_code(heading: str) -> None:
    said = {field: yaml.safe_load(text) for field, text in rows_under(heading).items()}
    assert said == {field: default_of(SECTIONS[heading], field) for field in said}


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_choice_of_a_field_is_documented(heading: str) -> None:
    for info in SECTIONS[heading].model_fields.values():
        if get_origin(info.annotation) is Literal:
            choices = get_args(info.annotation)
            assert [choice for choice in choices if f"`{choice}`" not in RECIPE_PAGE] == []


def test_every_metric_is_documented() -> None:
    assert [name for name in METRICS if f"| `{name}` |" not in METRICS_PAGE] == []


def test_every_plugin_group_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")]
    kinds = {kind for source in sources for kind in CATALOG.findall(source)}
    assert "metric" in kinds
    assert [kind for kind in sorted(kinds) if f"| `tuneval.{kind}` |" not in PLUGIN_PAGE] == []


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks_parse_and_their_results_are_true(code: str) -> None:
    session = doctest.DocTestParser().get_doctest(code, {}, "page", None, 0)
    if session.examples:
        assert doctest.DocTestRunner(verbose=False).run(session).failed == 0
    else:
        ast.parse(code)


@pytest.mark.parametrize("code", blocks("yaml"))
def test_yaml_blocks_are_recipes_suites_or_prompts_that_load(code: str, tmp_path: Path) -> None:
    content = yaml.safe_load(code)
    if "models" in content:
        assert suite_of(content).tasks
        return
    if "extends" not in content:
        assert recipe_from(content).steps
        return
    path = tmp_path / "prompts.yaml"
    path.write_text(code, encoding="utf-8")
    assert load_prompts(str(path)).name == "prompts"


@pytest.mark.parametrize("code", blocks("json"))
def test_json_blocks_parse(code: str) -> None:
    assert json.loads(code)


@pytest.mark.parametrize("code", blocks("toml"))
def test_toml_blocks_parse(code: str) -> None:
    assert tomllib.loads(code)


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda p: p.name)
def test_shipped_recipes_load(path: Path) -> None:
    assert load_recipe(path).steps


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in t]
    assert [target for target in targets if not leads_somewhere(page, target)] == []


def leads_somewhere(page: Path, target: str) -> bool:
    """Whether a relative link's file is there and has the heading that the link names."""
    path, _, anchor = target.partition("#")
    place = page.parent / path if path else page
    if not place.exists() or not anchor:
        return place.exists()
    headings = re.findall(r"^#+ (.+)$", place.read_text(encoding="utf-8"), re.MULTILINE)
    return anchor in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
