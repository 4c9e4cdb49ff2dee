"""Which trees are expressions: Python's own syntax tree, node by node, into what it means.

Only the nodes named here have a meaning; any other is a fault with its column. Kinds are known
before any example is seen: a text is never compared with a number. A facet is a `field`, which
becomes the one or the other by what it meets; what is `faulty` fits everywhere, so that one fault
is not told twice.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

from tuneval.scoring.selection.candidate import Candidate
from tuneval.scoring.selection.meaning import (
    Fault,
    Kind,
    Meaning,
    Value,
    joined,
    kleene,
    no_value,
    strict,
)

DEEPEST = 40
"""Nodes above one another."""

_COMPARE: dict[type[ast.cmpop], Callable[[Value, Value], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: dict[str, tuple[Callable[..., float], int, int]] = {
    "abs": (abs, 1, 1),
    "log": (math.log, 1, 1),
    "min": (min, 2, 20),
    "max": (max, 2, 20),
}
_LISTS = (ast.List, ast.Tuple, ast.Set)
_KINDS = {"number": "a number", "text": "a text", "truth": "true or false", "field": "a field"}
_LIST = 'as in `task in ["qa", "code"]`'


def meaning_of(node: ast.expr, column: Callable[[ast.AST], int], faults: list[Fault]) -> Meaning:
    """The meaning of a tree; what has none is added to `faults`, all of it."""
    return _Reader(column, faults).read(node, 0)


class _Reader:
    """Walks a tree once, and never runs anything of it."""

    def __init__(self, column: Callable[[ast.AST], int], faults: list[Fault]) -> None:
        self._column = column
        self._faults = faults

    def read(self, node: ast.expr, depth: int) -> Meaning:
        """The meaning of a node, `depth` nodes below the top."""
        if depth > DEEPEST:
            return self._fault(node, "The expression is nested too deep.", f"at most {DEEPEST}")
        below = depth + 1
        match node:
            case ast.BoolOp():
                parts = [self._wanted(part, "truth", below) for part in node.values]
                return joined("truth", parts, kleene(parts, ends_at=isinstance(node.op, ast.Or)))
            case ast.UnaryOp(op=ast.Not()):
                part = self._wanted(node.operand, "truth", below)
                return joined("truth", [part], strict([part], operator.not_))
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                part = self._wanted(node.operand, "number", below)
                sign = operator.neg if isinstance(node.op, ast.USub) else operator.pos
                return joined("number", [part], strict([part], sign))
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                parts = [self._wanted(part, "number", below) for part in (node.left, node.right)]
                return joined("number", parts, strict(parts, _ARITHMETIC[type(node.op)]))
            case ast.Compare():
                return self._comparison(node, below)
            case ast.Call():
                return self._call(node, below)
            case ast.Subscript():
                return self._facet(node)
            case ast.Constant():
                return self._constant(node)
            case ast.Name(id="task"):
                return Meaning("text", Candidate.task)
            case ast.Name():
                return self._measure(node)
        mend = _MENDS.get(type(node.op), "") if isinstance(node, ast.BinOp) else ""
        return self._fault(node, f"{_name(node)} has no place in an expression.", mend)

    def _wanted(self, node: ast.expr, kind: Kind, depth: int) -> Meaning:
        """A part that has to be of a kind."""
        part = self.read(node, depth).read_as(kind)
        if part.kind in (kind, "faulty"):
            return part
        what = f"{_KINDS[kind].capitalize()} is wanted, and this is {_KINDS[part.kind]}."
        mend = "compare it, as in `ifd < 1`" if kind == "truth" else "name a measure, as in `ifd`"
        return self._fault(node, what, mend)

    def _comparison(self, node: ast.Compare, depth: int) -> Meaning:
        nodes = [node.left, *node.comparators]
        if any(isinstance(each, _LISTS) for each in nodes[:-1]):
            return self._fault(node, "A list stands at the end, after `in`.", _LIST)
        sides = [self._side(each, depth) for each in nodes]
        pairs = [
            self._pair(left, op, right, at)
            for left, op, right, at in zip(sides, node.ops, sides[1:], nodes[1:], strict=False)
        ]
        return pairs[0] if len(pairs) == 1 else joined("truth", pairs, kleene(pairs, False))

    def _side(self, node: ast.expr, depth: int) -> list[Meaning]:
        """One side of a comparison; of a list all that it holds."""
        if not isinstance(node, _LISTS):
            return [self.read(node, depth)]
        if not all(isinstance(_unsigned(each), ast.Constant) for each in node.elts):
            return [self._fault(node, "A list holds numbers and texts only.")]
        return [self.read(each, depth) for each in node.elts]

    def _pair(
        self, left: list[Meaning], op: ast.cmpop, right: list[Meaning], at: ast.expr
    ) -> Meaning:
        is_list = isinstance(at, _LISTS)
        is_in = isinstance(op, ast.In | ast.NotIn)
        parts = [*left, *right]
        if any(part.kind == "faulty" for part in parts):
            return Meaning("faulty", no_value)
        if isinstance(op, ast.Is | ast.IsNot):
            return self._fault(at, "`is` has no place in an expression.", "write ==")
        if is_in != is_list or not right:
            return self._fault(at, "A list goes with `in`, and `in` with a list.", _LIST)
        kinds = list(dict.fromkeys(part.kind for part in parts if part.kind != "field"))
        kind = kinds[0] if kinds else "text"
        if "truth" in kinds:
            return self._fault(at, "What is true or false is not compared.", "join it with and, or")
        if len(kinds) > 1:
            return self._fault(at, "A number is never compared with a text.")
        if kind == "text" and not isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn):
            return self._fault(at, "Texts have no order.", "compare them with == or in")
        parts = [part.read_as(kind) for part in parts]
        wanted = isinstance(op, ast.In)
        compare = (
            (lambda value, *listed: (value in listed) is wanted) if is_in else _COMPARE[type(op)]
        )
        return joined("truth", parts, strict(parts, compare))

    def _call(self, node: ast.Call, depth: int) -> Meaning:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS:
            called = f"`{name}`" if name else "this"
            return self._fault(
                node, f"There is no function {called}.", f"known: {', '.join(_FUNCTIONS)}"
            )
        function, fewest, most = _FUNCTIONS[name]
        if node.keywords or not fewest <= len(node.args) <= most:
            wanted = "1 number" if most == 1 else f"{fewest} to {most} numbers"
            return self._fault(node, f"`{name}` takes {wanted}.")
        parts = [self._wanted(part, "number", depth) for part in node.args]
        return joined("number", parts, strict(parts, function))

    def _facet(self, node: ast.Subscript) -> Meaning:
        match node:
            case ast.Subscript(value=ast.Name(id="field"), slice=ast.Constant(value=str() as name)):
                return Meaning(
                    "field",
                    lambda candidate: candidate.text(name),
                    facets={name: self._column(node)},
                    facet=name,
                )
        return self._fault(node, "Only a field of the record is looked up.", 'field["topic"]')

    def _constant(self, node: ast.Constant) -> Meaning:
        value = node.value
        if isinstance(value, str):
            return Meaning("text", lambda _: value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if math.isfinite(number):
                return Meaning("number", lambda _: number)
            return self._fault(node, "The number is too large.")
        return self._fault(node, f"{_name(node)} has no place in an expression.")

    def _measure(self, node: ast.Name) -> Meaning:
        name = node.id
        return Meaning(
            "number", lambda candidate: candidate.measure(name), {name: self._column(node)}
        )

    def _fault(self, node: ast.AST, what: str, mend: str = "") -> Meaning:
        """Note a fault; what stands for it fits everywhere, so that reading goes on."""
        self._faults.append(Fault(self._column(node), what, mend))
        return Meaning("faulty", no_value)


def _unsigned(node: ast.expr) -> ast.expr:
    return node.operand if isinstance(node, ast.UnaryOp) else node


def _name(node: ast.expr) -> str:
    """What a person calls the node."""
    match node:
        case ast.Attribute():
            return f"`.{node.attr}`"
        case ast.Constant():
            return f"`{node.value!r}`"[:40]
        case ast.BinOp():
            return f"`{_SIGNS.get(type(node.op), 'this operator')}`"
        case ast.UnaryOp():
            return "`~`"
    return f"This ({type(node).__name__.lower()})"


_SIGNS: dict[type[ast.operator], str] = {
    ast.Pow: "**",
    ast.Mod: "%",
    ast.FloorDiv: "//",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}
_MENDS: dict[type[ast.operator], str] = {
    ast.BitAnd: "write and",
    ast.BitOr: "write or",
    ast.Pow: "multiply it out",
}
