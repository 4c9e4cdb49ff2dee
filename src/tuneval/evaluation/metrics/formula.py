"""Formulas that a person writes: `f1_macro * 0.5 + exact_match`, `len(prediction) <= 200`.

Python's own syntax tree, of which only the nodes named here have a meaning; nothing of it is ever
run as Python. Whatever names stand for, numbers, arrays or texts, is the caller's. A name that is
no Python name is written `metric["rouge-l"]`; what a file says of an item is `field["seconds"]`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tuneval.errors import UsageError

DEEPEST, LONGEST, LARGEST = 40, 2_000, 1e308
"""Nodes above one another; characters; a number."""

Kind = Literal["figures", "item"]
Lookup = Callable[["Name"], Any]

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda part, whole: part in whole,
    ast.NotIn: lambda part, whole: part not in whole,
}
_FUNCTIONS: dict[Kind, tuple[str, ...]] = {
    "figures": ("min", "max", "abs", "sqrt", "log", "exp"),
    "item": ("min", "max", "abs", "sqrt", "log", "exp", "len", "lower"),
}
_SEVERAL = ("min", "max")


@dataclass(frozen=True, slots=True)
class Name:
    """What a formula asks for: `plain` as it stands, or looked up as a `metric` or a `field`."""

    kind: Literal["plain", "metric", "field"]
    text: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that has been read: every node of it has a meaning."""

    text: str
    tree: ast.expr

    @property
    def names(self) -> tuple[Name, ...]:
        """What it asks for, each once, in its order."""
        return tuple(dict.fromkeys(_names(self.tree)))

    @property
    def is_truth(self) -> bool:
        """Whether it is true or false rather than a number."""
        is_not = isinstance(self.tree, ast.UnaryOp) and isinstance(self.tree.op, ast.Not)
        return isinstance(self.tree, ast.Compare | ast.BoolOp) or is_not

    def value(self, lookup: Lookup, functions: Mapping[str, Callable[..., Any]]) -> Any:
        """Its value; `functions` do what `min`, `log` and the others are called for.

        Raises what the operations raise: TypeError for a text where a number is wanted,
        ZeroDivisionError, ValueError for the logarithm of a negative number.
        """
        return _value(self.tree, lookup, functions)

    def direction(self, of: Callable[[Name], int | None]) -> int | None:
        """1 when it rises with what is better, -1 when it falls, 0 for a constant, None unknown.

        `of` says the same of a name.
        """
        return _direction(self.tree, of)


def read_formula(text: str, kind: Kind) -> Formula:
    """The formula that a text is: of `figures` numbers alone, of an `item` texts and truth too.

    Raises UsageError with the place of the first fault.
    """
    if len(text) > LONGEST:
        raise UsageError(f"A formula has at most {LONGEST} characters, and this has {len(text)}.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UsageError(
            f"This is not a formula: {what}.", where=text, mend="write it as in `0.5 * a + 0.5 * b`"
        ) from None
    _check(tree, kind, text, 0)
    return Formula(text, tree)


def _check(node: ast.expr, kind: Kind, text: str, depth: int) -> None:
    """Raise UsageError unless the node and all below have a meaning."""
    fault = _fault(node, kind)
    if depth > DEEPEST:
        fault = _Fault("The formula is nested too deep.", f"at most {DEEPEST} levels")
    if fault is not None:
        where = f"{text}, column {node.col_offset + 1}"
        raise UsageError(fault.what, where=where, mend=fault.mend)
    for part in _parts(node):
        _check(part, kind, text, depth + 1)


class _Fault(NamedTuple):
    what: str
    mend: str = ""


def _fault(node: ast.expr, kind: Kind) -> _Fault | None:
    """Why a node has no meaning, whatever stands below it; None when it has one."""
    match node:
        case ast.Constant(value=bool() | None):
            return _Fault(f"`{node.value!r}` has no place in a formula.")
        case ast.Constant(value=int() as number) if abs(number) > LARGEST:
            return _Fault("A number of the formula is too large.")
        case ast.Constant(value=int() | float()) | ast.Name():
            return None
        case ast.Subscript(value=ast.Name(id="metric"), slice=ast.Constant(value=str())):
            return None
        case ast.Subscript(value=ast.Name(id="field"), slice=ast.Constant(value=str())):
            if kind == "item":
                return None
            return _Fault("A field belongs to one item.", "write item_expression:… for it")
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return None
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            return None
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return _fault_of_call(name, len(node.args), kind)
        case ast.UnaryOp(op=ast.Not()) | ast.BoolOp() | ast.IfExp() if kind == "item":
            return None
        case ast.Constant(value=str()) if kind == "item":
            return None
        case ast.Compare() if kind == "item" and all(type(op) in _COMPARE for op in node.ops):
            return None
    of_figures = " of figures" if kind == "figures" else ""
    more = ", comparisons, and, or, not" if kind == "item" else ""
    return _Fault(
        f"This ({type(node).__name__.lower()}) has no place in a formula{of_figures}.",
        f"numbers, names, + - * / and functions{more}",
    )


def _fault_of_call(name: str, n_parts: int, kind: Kind) -> _Fault | None:
    if name not in _FUNCTIONS[kind]:
        return _Fault(
            f"There is no function `{name}` here.", f"known: {', '.join(_FUNCTIONS[kind])}"
        )
    if name in _SEVERAL:
        return None if n_parts > 1 else _Fault(f"`{name}` takes several parts.")
    return None if n_parts == 1 else _Fault(f"`{name}` takes one part.")


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """The expressions right below a node; a function's name and a key are none."""
    if isinstance(node, ast.Call):
        yield from node.args
    elif not isinstance(node, ast.Subscript):
        yield from (part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))


def _name(node: ast.Name | ast.Subscript) -> Name:
    if isinstance(node, ast.Name):
        return Name("plain", node.id)
    kind: Literal["metric", "field"] = (
        "metric" if isinstance(node.value, ast.Name) and node.value.id == "metric" else "field"
    )
    return Name(kind, str(node.slice.value) if isinstance(node.slice, ast.Constant) else "")


def _names(node: ast.expr) -> Iterator[Name]:
    if isinstance(node, ast.Name | ast.Subscript):
        yield _name(node)
    for part in _parts(node):
        yield from _names(part)


def _value(node: ast.expr, lookup: Lookup, functions: Mapping[str, Callable[..., Any]]) -> Any:
    def of(part: ast.expr) -> Any:
        return _value(part, lookup, functions)

    match node:
        case ast.Constant(value=value):
            return value if isinstance(value, str) else float(value)  # type: ignore[arg-type]
        case ast.Name() | ast.Subscript():
            return lookup(_name(node))
        case ast.UnaryOp():
            return _SIGNS[type(node.op)](of(node.operand))
        case ast.BinOp():
            return _ARITHMETIC[type(node.op)](of(node.left), of(node.right))
        case ast.Call(func=ast.Name(id=name)):
            return functions[name](*map(of, node.args))
        case ast.IfExp():
            return of(node.body) if of(node.test) else of(node.orelse)
        case ast.BoolOp():
            ends = isinstance(node.op, ast.Or)
            return ends if any(bool(of(part)) is ends for part in node.values) else not ends
        case ast.Compare():
            sides = [of(side) for side in (node.left, *node.comparators)]
            pairs = zip(sides, node.ops, sides[1:], strict=False)
            return all(_COMPARE[type(op)](left, right) for left, op, right in pairs)
    raise TypeError(f"{type(node).__name__} was let through")


def _direction(node: ast.expr, of: Callable[[Name], int | None]) -> int | None:
    def below(part: ast.expr) -> int | None:
        return _direction(part, of)

    match node:
        case ast.Constant():
            return 0
        case ast.Name() | ast.Subscript():
            return of(_name(node))
        case ast.UnaryOp(op=ast.USub()):
            return _times(below(node.operand), -1)
        case ast.UnaryOp(op=ast.UAdd()):
            return below(node.operand)
        case ast.BinOp(op=ast.Add()):
            return _joined(below(node.left), below(node.right))
        case ast.BinOp(op=ast.Sub()):
            return _joined(below(node.left), _times(below(node.right), -1))
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            if (factor := _sign(node.right)) is not None:
                return _times(below(node.left), factor)
            if isinstance(node.op, ast.Mult) and (factor := _sign(node.left)) is not None:
                return _times(below(node.right), factor)
            return None
        case ast.Call(func=ast.Name(id="min" | "max" | "sqrt" | "log" | "exp")):
            return _joined(*map(below, node.args))
        case ast.IfExp():
            return _joined(below(node.body), below(node.orelse))
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp():
            return 1  # a condition is written to be met
    return None


def _joined(*parts: int | None) -> int | None:
    ways = {part for part in parts if part != 0}
    return next(iter(ways)) if len(ways) == 1 else None if ways else 0


def _times(way: int | None, sign: int) -> int | None:
    return None if way is None else way * sign


def _sign(node: ast.expr) -> int | None:
    """The sign of a part that is a number without names; None for any other."""
    if any(True for _ in _names(node)):
        return None
    try:
        value = _value(node, lambda name: 0.0, {})
    except (KeyError, TypeError, ArithmeticError):
        return None
    return (value > 0) - (value < 0) if isinstance(value, float) else None
