"""Carrying out a program."""

from __future__ import annotations

from moorage.core.metrics.maths.arrays import make_array
from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.maths.functions import FUNCTIONS
from moorage.core.metrics.maths.operators import apply, negate
from moorage.core.metrics.maths.program import (
    Call,
    Instruction,
    MakeArray,
    Negate,
    Number,
    Operator,
    Program,
    Reference,
    SearchCall,
    Text,
    Word,
)
from moorage.core.metrics.maths.scope import Scope
from moorage.core.metrics.maths.values import TimeSeries, kind_of


def evaluate(program: Program, scope: Scope) -> TimeSeries | tuple[TimeSeries, ...]:
    """What the expression comes to: a time series or an array of them, as every expression has to.

    Raises ExpressionError if it comes to something else or its operands do not go together, TooMuchWork for more
    datapoints than the scope allows.
    """
    stack: list[object] = []
    for instruction in program:
        stack.append(_carry_out(instruction, stack, scope))
        scope.allowance.spend(_size(stack[-1]))
    (result,) = stack
    if isinstance(result, TimeSeries | tuple):
        return result
    raise ExpressionError(f"An expression must come to TS or TS[], and this one comes to {kind_of(result)}")


def _carry_out(instruction: Instruction, stack: list[object], scope: Scope) -> object:
    match instruction:
        case Number(value):
            return value
        case Text(value):
            return value
        case Word():
            return instruction
        case Reference(id_):
            return _referenced(id_, scope)
        case Negate():
            return negate(stack.pop())
        case Operator(symbol):
            right, left = stack.pop(), stack.pop()
            return apply(symbol, left, right)
        case MakeArray(count):
            return make_array(_popped(stack, count))
        case Call(name, count):
            return FUNCTIONS[name].call(_popped(stack, count), scope)
        case SearchCall():
            return scope.found.get(instruction, ())


def _referenced(id_: str, scope: Scope) -> object:
    if id_ not in scope.values:
        raise ExpressionError(f"There is no query with the id {id_!r}")
    return scope.values[id_]


def _popped(stack: list[object], count: int) -> list[object]:
    start = len(stack) - count
    values = stack[start:]
    del stack[start:]
    return values


def _size(value: object) -> int:
    match value:
        case TimeSeries():
            return 1 + len(value.points)
        case tuple():
            return 1 + sum(1 + len(series.points) for series in value)
        case _:
            return 1
