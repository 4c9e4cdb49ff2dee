"""Expressions say what they mean, refuse everything else, and never take a guess for an answer."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scored import score_row

from tuneval.errors import UsageError
from tuneval.scoring.selection.candidate import Candidate, Undefined
from tuneval.scoring.selection.expression import LONGEST, parse, parse_filter, parse_number
from tuneval.scoring.selection.grammar import DEEPEST

SCORED = Candidate(
    score_row("a", task="qa", ifd=0.8, response_ppl=math.e, prompt_tokens=12.0, zero=0.0),
    {"topic": "law", "level": "3", "odd": "(none)"},
)
UNSCORED = Candidate(score_row("b", ifd="truncated", prompt_tokens=4.0, response_ppl=2.0))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ifd < 1", True),
        ("ifd > 1", False),
        ("ifd == 0.8 and ifd != 0.7 and ifd >= 0.8 and ifd <= 0.8", True),
        ("0.2 < ifd < 0.5", False),
        ("0.2 < ifd < 1", True),
        ("not ifd < 1", False),
        ("ifd < 1 and not prompt_tokens < 5 or ifd > 9", True),
        ("ifd + 1 * 2 == 2.8", True),
        ("(ifd + 1) / 2 - 1 < 0", True),
        ("-ifd < +ifd", True),
        ("abs(-2) == 2 and min(ifd, 1) < max(ifd, 1, 5)", True),
        ("log(response_ppl) == 1", True),
        ('task == "qa"', True),
        ('task != "qa"', False),
        ('task in ["code", "qa"]', True),
        ('task not in ("code", "qa")', False),
        ("prompt_tokens in [12, -1]", True),
        ('field["topic"] == "law"', True),
        ('field["topic"] in ["law"]', True),
        ('field["level"] > 2', True),
        ('field["level"] == 3', True),
        ('field["level"] == "3"', True),
        ('field["level"] == field["level"]', True),
        ('field["level"] + 1 == 4', True),
    ],
)
def test_an_expression_means_what_it_says(text: str, value: bool) -> None:
    assert parse_filter(text).value(SCORED) is value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ifd < 1", "unscored:ifd:truncated"),
        ("not ifd < 1", "unscored:ifd:truncated"),
        ("ifd + prompt_tokens < 1", "unscored:ifd:truncated"),
        ("min(prompt_tokens, ifd) < 1", "unscored:ifd:truncated"),
        ("ifd in [1, 2]", "unscored:ifd:truncated"),
        ("1 < prompt_tokens < ifd", "unscored:ifd:truncated"),
        ("other < 1", "unscored:other:not_measured"),
        ('task == "qa"', "no_task"),
        ('field["topic"] == "law"', "no_field:topic"),
        ("log(prompt_tokens - 4) < 1", "undefined:log"),
        ("1 / (prompt_tokens - 4) < 1", "undefined:division_by_zero"),
        ("prompt_tokens * 1e308 < 1", "undefined:too_large"),
    ],
)
def test_without_a_value_there_is_a_reason(text: str, reason: str) -> None:
    assert parse_filter(text).value(UNSCORED) == Undefined(reason)


def test_a_field_that_is_no_number_is_not_compared_with_one() -> None:
    assert parse_filter('field["topic"] > 2').value(SCORED) == Undefined("no_number:topic")
    assert parse_filter('field["odd"] == "(none)"').value(SCORED) == Undefined("no_field:odd")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ifd < 1 or prompt_tokens < 5", True),
        ("prompt_tokens < 5 or ifd < 1", True),
        ("ifd < 1 and prompt_tokens > 5", False),
        ("prompt_tokens > 5 and ifd < 1", False),
        ("not (ifd < 1 and prompt_tokens > 5)", True),
        ("ifd < 1 or prompt_tokens > 5", Undefined("unscored:ifd:truncated")),
        ("ifd < 1 and prompt_tokens < 5", Undefined("unscored:ifd:truncated")),
        ("response_ppl < other < prompt_tokens < 3", False),
    ],
)
def test_what_has_no_value_decides_only_where_the_rest_does_not(
    text: str, value: bool | Undefined
) -> None:
    """Kleene's three values, whatever the order of the parts."""
    assert parse_filter(text).value(UNSCORED) == value


def test_the_first_part_without_a_value_gives_the_reason() -> None:
    expression = parse_filter("other < 1 and ifd < 1")
    assert expression.value(UNSCORED) == Undefined("unscored:other:not_measured")


def test_a_score_that_is_not_finite_is_no_score() -> None:
    assert parse_number("ifd").value(Candidate(score_row("c", ifd=math.nan))) == Undefined(
        "unscored:ifd:no_reason_given"
    )


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "no expression"),
        ("ifd <", 6, "no expression"),
        ("ifd < 1 andd x < 2", 9, "no expression"),
        ("ifd = 1", 5, "equality has two signs"),
        ("ifd < 1 && x < 2", 10, "write and, or, not"),
        ("x < 1 and ifd & 2 < 3", 11, "write and"),
        ("ifd ** 2 < 1", 1, "`**`"),
        ("ifd.real < 1", 1, "`.real`"),
        ("'é' == task and ifd.real < 1", 17, "`.real`"),
        ("1 < __import__('os')", 5, "no function `__import__`"),
        ("(lambda: 1)() < 1", 1, "no function"),
        ("[x for x in y] < 1", 1, "listcomp"),
        ("ifd[0] < 1", 1, "Only a field"),
        ("field[0] < 1", 1, "Only a field"),
        ("f'{ifd}' == task", 1, "joinedstr"),
        ("(x := 1) < 2", 2, "namedexpr"),
        ("ifd is 1", 8, "write =="),
        ("ifd < True", 7, "`True`"),
        ("ifd < None", 7, "`None`"),
        ("ifd < 1j", 7, "`1j`"),
        ("ifd < b'a'", 7, "b'a'"),
        ("ifd < 1e999", 7, "too large"),
        ("ifd < 'a'", 7, "never compared"),
        ("task < 'a'", 8, "no order"),
        ("task in 'abc'", 9, "A list goes with `in`"),
        ("task in []", 9, "A list goes with `in`"),
        ("ifd == [1]", 8, "A list goes with `in`"),
        ("[1] == ifd", 1, "A list stands at the end"),
        ("ifd in [1, [2]]", 8, "numbers and texts only"),
        ("ifd in [x]", 8, "numbers and texts only"),
        ("(ifd < 1) == (x < 1)", 15, "not compared"),
        ("ifd and x < 1", 1, "True or false is wanted"),
        ("not field['x']", 5, "True or false is wanted"),
        ("-task < 1", 2, "A number is wanted"),
        ("abs(x, y) < 1", 1, "`abs` takes 1 number"),
        ("min(x) < 1", 1, "`min` takes 2 to 20 numbers"),
        ("abs(x, key=1) < 1", 1, "`abs` takes 1 number"),
        ("min(*x) < 1", 1, "`min` takes"),
        ("x if y else z", 1, "ifexp"),
        ("x < 1 and\x00", 1, "null bytes"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_column(
    text: str, column: int, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse_filter(text)
    assert said in str(caught.value)
    assert f"column {column} of" in caught.value.where


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        parse_filter("x.real < 1 and y ** 2 < 3 and open(1) < 2")
    assert "column 1, 16, 31 of" in caught.value.where
    assert "`.real`" in caught.value.what
    assert "`**`" in caught.value.what
    assert "`open`" in caught.value.what


def test_unknown_names_are_told_with_their_column_and_the_near_name() -> None:
    expression = parse_filter("prompt_tokens < 5 and idf < 1 and reponse_ppl > 2")
    with pytest.raises(UsageError) as caught:
        expression.refuse_unknown(["ifd", "prompt_tokens", "response_ppl"])
    assert "column 23, 35 of" in caught.value.where
    assert "did you mean 'ifd'?" in caught.value.mend
    assert "did you mean 'response_ppl'?" in caught.value.mend


def test_a_measure_that_was_not_scored_is_told_how_to_be() -> None:
    with pytest.raises(UsageError, match="--measure ifd --measure r_ifd"):
        parse_filter("r_ifd < 1").refuse_unknown(["ifd"], ["ifd", "r_ifd"])


def test_a_filter_is_true_or_false_and_a_rank_is_a_number() -> None:
    with pytest.raises(UsageError, match="true or false is wanted"):
        parse_filter("ifd")
    with pytest.raises(UsageError, match="a number is wanted"):
        parse_number("ifd < 1")
    assert parse_number("ifd * 2").value(SCORED) == 1.6


def test_names_are_listed_in_order_each_once() -> None:
    expression = parse('max(b, a) < b and field["y"] == "1" and field["x"] == "2"')
    assert expression.measures == ("b", "a")
    assert set(expression.facets) == {"x", "y"}


def test_an_expression_has_bounds() -> None:
    at_most = "-" * DEEPEST
    assert parse_filter(f"{at_most[2:]}ifd < 1").value(SCORED) is True
    for text in (f"{at_most}-ifd < 1", "(" * 300 + "ifd" + ")" * 300, "not " * 200 + "ifd < 1"):
        with pytest.raises(UsageError):
            parse_filter(text)
    with pytest.raises(UsageError, match="too long"):
        parse_filter("ifd < 1 " + " " * LONGEST)


def test_nesting_costs_no_more_than_its_length() -> None:
    """Each side of a chained comparison is read once; twice would double with each level."""
    text = "x < 1"
    for _ in range(DEEPEST + 10):
        text = f"0 < ({text}) < 2"
    with pytest.raises(UsageError):
        parse_filter(text)


WORDS = [
    "ifd", "task", "prompt_tokens", "field", "log", "min", "max", "abs", "and", "or", "not", "in",
    "is", "if", "else", "lambda", "<", "<=", "==", "!=", ">", "=", "(", ")", "[", "]", "{", "}",
    ",", ".", ":", "+", "-", "*", "/", "**", "%", "@", "&", "|", "~", "1", "0", "1e308", "2j",
    "'qa'", '"topic"', "b'x'", "f'{ifd}'", "True", "None", "__class__", "__import__", "open",
    "eval", "\\", "#", "\n", "\x00", "é", "\ud83d", "…",
]  # fmt: skip
PHRASES = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)


@given(st.one_of(PHRASES, st.text(max_size=60)), st.sampled_from([SCORED, UNSCORED]))
@example("().__class__.__bases__[0].__subclasses__() == 1", SCORED)
@example("open('/etc/passwd') == 'a'", SCORED)
@example("'\\d' == task", SCORED)
@example("1if 1else 2", SCORED)
@example("1_0.__add__(2) < 3", SCORED)
def test_any_text_is_a_value_or_a_usage_error(text: str, candidate: Candidate) -> None:
    try:
        value = parse(text).value(candidate)
    except UsageError as error:
        value = str(error)
        value.encode("utf-8")
    assert type(value) in (float, str, bool, Undefined)
    assert not isinstance(value, float) or math.isfinite(value)


LEAVES = st.sampled_from(["ifd < 1", "prompt_tokens < 5", "other < 1", "zero < 1", "1 < 2"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda a: f"not ({a})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) and ({p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) or ({p[1]})"),
    ),
    max_leaves=8,
)


def truth(text: str, candidate: Candidate) -> bool | None:
    """Three values: what has none is None."""
    value = parse_filter(text).value(candidate)
    return None if isinstance(value, Undefined) else bool(value)


@given(TREES, TREES, st.sampled_from([SCORED, UNSCORED]))
def test_logic_keeps_de_morgans_laws(one: str, other: str, candidate: Candidate) -> None:
    left = truth(f"not (({one}) and ({other}))", candidate)
    assert left == truth(f"(not ({one})) or (not ({other}))", candidate)
    assert truth(f"({one}) or ({other})", candidate) == truth(f"({other}) or ({one})", candidate)
    assert truth(f"not (not ({one}))", candidate) == truth(one, candidate)
