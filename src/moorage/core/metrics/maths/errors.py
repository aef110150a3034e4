"""What is wrong with an expression."""

from __future__ import annotations


class ExpressionError(ValueError):
    """The expression cannot be understood, or its operands do not go together. The message says why."""


class TooMuchWork(ExpressionError):
    """The expression means more datapoints than one may."""
