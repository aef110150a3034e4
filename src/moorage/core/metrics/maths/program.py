"""What an expression is compiled to: instructions for a stack of values, operands first.

    AVG(METRICS("err")) / 5   →   Text("err") Call("METRICS", 1) Call("AVG", 1) Number(5.0) Operator("/")

A sequence rather than a tree: carrying it out needs no recursion, however long a sum is.
"""

from __future__ import annotations

from dataclasses import dataclass

from moorage.core.metrics.maths.search import Search


@dataclass(frozen=True, slots=True)
class Number:
    """Push a scalar."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """Push a string."""

    value: str


@dataclass(frozen=True, slots=True)
class Word:
    """Push a word that only the function around it understands, such as REPEAT or DESC."""

    value: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Push the value of the query with that id."""

    id: str


@dataclass(frozen=True, slots=True)
class Negate:
    """Pop a value, push its negative."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Pop the right operand, then the left one, push the result."""

    symbol: str


@dataclass(frozen=True, slots=True)
class MakeArray:
    """Pop some time series, push them as an array."""

    count: int


@dataclass(frozen=True, slots=True)
class Call:
    """Pop the arguments, push what the function makes of them."""

    function: str
    count: int


@dataclass(frozen=True, slots=True)
class SearchCall:
    """Push the metrics that a search finds, as an array. `period_s` None is that of the query."""

    search: Search
    statistic: str
    period_s: int | None


Instruction = Number | Text | Word | Reference | Negate | Operator | MakeArray | Call | SearchCall
Program = tuple[Instruction, ...]


def references(program: Program) -> frozenset[str]:
    """The ids of the queries that the expression goes by."""
    return frozenset(instruction.id for instruction in program if isinstance(instruction, Reference))
