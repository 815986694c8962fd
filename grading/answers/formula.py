"""Formulas over quantities: names, numbers, `+ - * / **`, parentheses. Their steps can be shown line by line.

    evaluate("links * size", {"links": parse("100e6 links"), "size": parse("500 B/link")})

Parsed with `ast` and walked here: nothing is evaluated by Python itself. pint carries the units.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from grading.answers.quantities import Quantity, registry

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "log": math.log,
    "log2": math.log2,
    "sqrt": math.sqrt,
    "ceil": math.ceil,
}
SIGNS: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "−", ast.Mult: "×", ast.Div: "÷", ast.Pow: "^"}
MAX_POWER = 200


class BadFormula(ValueError):
    """The message says which part, and why."""


def evaluate(formula: str, given: Mapping[str, Quantity]) -> Quantity:
    """The value of `formula`; names stand for the middle of the given quantities. BadFormula says what is wrong."""
    found = _walk(parsed(formula), {name: _of(quantity) for name, quantity in given.items()}, formula)
    if isinstance(found, int | float):
        return Quantity(float(found), float(found), "")
    unit = f"{found.units:~}".replace(" ", "") if not found.unitless else ""
    return Quantity(float(found.magnitude), float(found.magnitude), unit)


def parsed(formula: str) -> ast.expr:
    """BadFormula: it is none."""
    try:
        return ast.parse(formula, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BadFormula(f"{formula!r} is no formula; write such as new_links / month") from None


def names(formula: str) -> list[str]:
    """The names that a formula uses, each once, in order."""
    found = [n.id for n in ast.walk(parsed(formula)) if isinstance(n, ast.Name) and n.id not in _FUNCTIONS]
    return list(dict.fromkeys(found))


def written(formula: str, values: Mapping[str, str]) -> str:
    """The formula with `×` and `÷`, each name replaced by its value: `100e6 links ÷ 30 days`."""
    return _write(parsed(formula), values)


def _of(quantity: Quantity) -> Any:
    value = quantity.middle
    if not quantity.unit:
        return value
    from grading.answers.quantities import _parsed_unit

    return registry().Quantity(value, _parsed_unit(quantity.unit))


def _walk(node: ast.expr, given: Mapping[str, Any], formula: str) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return float(value)
        case ast.Name(id=name):
            if name not in given:
                raise BadFormula(f"{name!r} in {formula!r} is not among what is given: {', '.join(given)}")
            return given[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_walk(operand, given, formula)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            a, b = _walk(left, given, formula), _walk(right, given, formula)
            if isinstance(op, ast.Pow):
                b = _bare(b, formula)
                if abs(b) > MAX_POWER:
                    raise BadFormula(f"a power of {b:g} is too large in {formula!r}")
            return _done(_BINARY[type(op)], a, b, formula)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return float(_FUNCTIONS[name](_bare(_walk(argument, given, formula), formula)))
    raise BadFormula(f"{ast.unparse(node)!r} cannot stand in a formula: names, numbers, + - * / ** only")


def _done(operation: Callable[[Any, Any], Any], a: Any, b: Any, formula: str) -> Any:
    import pint

    try:
        return operation(a, b)
    except ZeroDivisionError:
        raise BadFormula(f"{formula!r} divides by zero") from None
    except OverflowError:
        raise BadFormula(f"{formula!r} is too large") from None
    except pint.DimensionalityError as error:
        raise BadFormula(f"in {formula!r} what is added is not of one kind: {error}") from None


def _bare(value: Any, formula: str) -> float:
    """A number without a unit."""
    if isinstance(value, int | float):
        return float(value)
    if not value.dimensionless:
        raise BadFormula(f"a power or a function in {formula!r} needs a bare number, not {value:~}")
    return float(value.to("").magnitude)


def _write(node: ast.expr, values: Mapping[str, str]) -> str:
    match node:
        case ast.Constant(value=int() | float() as value):
            return f"{value:,}" if isinstance(value, int) else f"{value:g}"
        case ast.Name(id=name):
            return values.get(name, name)
        case ast.UnaryOp(operand=operand):
            return f"−{_write(operand, values)}"
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return f"{name}({_write(argument, values)})"
        case ast.BinOp(left=left, op=op, right=right):
            sides = (_inner(left, op, values, right=False), _inner(right, op, values, right=True))
            joint = SIGNS[type(op)] if isinstance(op, ast.Pow) else f" {SIGNS[type(op)]} "
            return joint.join(sides)
    return ast.unparse(node)


_BINDS: dict[type[ast.operator], int] = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.Pow: 3}


def _inner(node: ast.expr, around: ast.operator, values: Mapping[str, str], *, right: bool) -> str:
    text = _write(node, values)
    if isinstance(node, ast.BinOp):
        inside, outside = _BINDS[type(node.op)], _BINDS[type(around)]
        if inside < outside or (right and inside == outside):
            return f"({text})"
    return text
