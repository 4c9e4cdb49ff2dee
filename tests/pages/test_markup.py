"""What is written into a page is text, whatever it holds, and stands in both languages."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tuneval.pages import markdown
from tuneval.pages import markup as m
from tuneval.pages.document import document
from tuneval.pages.text import Text, clipped

HOSTILE = '<script>alert("1")</script>&'


def test_text_of_data_cannot_become_markup() -> None:
    said = Text(HOSTILE, "中" + HOSTILE)
    for html in (
        m.both(said),
        m.both(HOSTILE),
        m.both_in_svg(said),
        m.section("s", said, "x"),
        m.panel(HOSTILE, "x"),
        m.tile(said, "1"),
        m.note(said),
        m.facts([(HOSTILE, "1")]),
        m.table([HOSTILE], [["1"]]),
        m.bullets([said]),
        document(HOSTILE, about=HOSTILE, content=""),
    ):
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


def test_both_languages_are_there_and_one_alone_is_not_doubled() -> None:
    html = m.both(Text("length", "长度"))
    assert re.findall(r'lang="([\w-]+)">(\w+)<', html) == [("en", "length"), ("zh-Hans", "长度")]
    assert m.both(Text("n", "n")) == "n"


def test_parts_without_content_are_left_out() -> None:
    assert m.section("s", Text("a", "b"), "", "") == ""
    assert m.facts([("name", "")]) == ""
    assert m.panels([]) == ""


def test_a_cell_is_html_and_a_heading_is_text() -> None:
    html = m.table(["a<b", Text("c", "丙")], [["<b>1</b>", "2"]], css="wide")
    assert '<table class="wide">' in html
    assert "<th>a&lt;b</th>" in html
    assert "<td><b>1</b></td>" in html


class Tags(HTMLParser):
    """Collects what is open, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value for name, value in attrs if name in ("src", "href") and value]
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_document_is_whole_needs_no_other_file_and_runs_no_script() -> None:
    page = document("t", about="a", styles=("figures", "charts"), content="<p>x</p>")
    tags = Tags()
    tags.feed(page)
    assert (tags.open, tags.addresses) == ([], [])
    assert not re.search(r"@import|url\(|<script|https?://", page)


def test_styles_follow_the_base_and_the_pages_own_comes_last(tmp_path) -> None:
    own = tmp_path / "own.css"
    own.write_text(".own { color: red }")
    page = document("t", about="a", styles=("charts",), css=own, content="")
    places = [page.index(rule) for rule in ("color-scheme", ".chart .bin", ".own { color: red }")]
    assert places == sorted(places)
    assert ".sight" not in page, "only the styles that were named"
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("short", 5, "short"),
        ("longer text", 6, "longer…"),
        ("longer text", 7, "longer…"),
        ("a\x00b\x1b[31m", 20, "a\ufffdb\ufffd[31m"),
        ("half \ud83d", 20, "half \ufffd"),
        ("turned \u202egnp", 20, "turned \ufffdgnp"),
        ("two\r\nlines\n", 20, "two\nlines\n"),
        ("", 3, ""),
    ],
)
def test_texts_are_cut_and_made_showable(text: str, most: int, expected: str) -> None:
    assert clipped(text, most) == expected
    clipped(text, most).encode("utf-8")


def test_markdown_keeps_cells_in_their_table_and_code_in_its_ticks() -> None:
    lines = list(markdown.table(["a"], [["x | y\nz"]]))
    assert lines == ["| a |", "| --- |", "| x \\| y z |"]
    assert markdown.code("plain") == "`plain`"
    assert markdown.code("a ` b `` c") == "``` a ` b `` c ```"
    assert markdown.code("") == "` ∅ `"
    assert markdown.one_line("a\n b  c", 4) == "a b …"
