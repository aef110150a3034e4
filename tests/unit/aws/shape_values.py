"""Values of botocore shapes, drawn from a seeded generator: inputs and outputs for the round trips."""

import math
import random
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

_DEPTH_MAX = 4
_TEXTS = ("a", "Ünïcode ✓", "😀 astral", "<&>\"'", "with space", "a+b%2F", "tab\tinside", "x" * 300)
_FLOATS = (0.0, -1.5, 0.1, math.inf, -math.inf, math.nan)
_SINGLE = struct.unpack(">f", struct.pack(">f", 0.1))[0]
"""What single precision can hold, for CBOR's sake."""


class ShapeValues:
    """Draws values. Not every protocol can say an empty structure, list or map, nor a float that is no number."""

    def __init__(self, seed: str, *, sparse: float = 0.5, says_empty: bool = True, says_infinite: bool = True) -> None:
        self._random = random.Random(seed)
        self._sparse = sparse
        self._says_empty = says_empty
        self._floats = _FLOATS if says_infinite else _FLOATS[:3]

    def structure(self, shape: Any, depth: int = 0) -> dict[str, Any]:
        """A value of a structure: every required member, and of the others some."""
        if shape.metadata.get("union"):
            name, member = self._random.choice(list(shape.members.items()))
            return {name: self.value(member, depth + 1)}
        found = {}
        for name, member in shape.members.items():
            if member.serialization.get("eventstream"):
                continue
            if name in shape.required_members or (depth < _DEPTH_MAX and self._random.random() < self._sparse):
                found[name] = self.value(member, depth + 1)
        if not found and shape.members and not self._says_empty:
            name, member = next(iter(shape.members.items()))
            found[name] = self.value(member, depth + 1)
        return found

    def value(self, shape: Any, depth: int = 0) -> Any:
        """A value of any shape."""
        match shape.type_name:
            case "structure":
                return {"any": [1, "x"]} if shape.is_document_type else self.structure(shape, depth)
            case "list":
                return [self.value(shape.member, depth + 1) for _ in range(self._count(depth))]
            case "map":
                return {self.value(shape.key): self.value(shape.value, depth + 1) for _ in range(self._count(depth))}
            case "string" | "character":
                return self._text(shape)
            case _:
                return self._scalar(shape)

    def _count(self, depth: int) -> int:
        least = 0 if self._says_empty else 1
        return self._random.randint(least, 2 if depth < _DEPTH_MAX else least)

    def _text(self, shape: Any) -> str:
        if shape.enum:
            return str(self._random.choice(shape.enum))
        located = shape.serialization.get("location") in ("header", "headers") or shape.serialization.get("hostLabel")
        return "plain-1" if located else self._random.choice(_TEXTS)

    def _scalar(self, shape: Any) -> Any:
        match shape.type_name:
            case "boolean":
                return self._random.random() < 0.5
            case "integer":
                return self._random.choice((0, 1, -1, 24, 2**31 - 1, -(2**31)))
            case "long":
                return self._random.choice((0, 7, 2**53 + 1, 2**63 - 1, -(2**63)))
            case "double":
                return self._random.choice(self._floats)
            case "float":
                return self._random.choice((_SINGLE, *(value for value in self._floats if value != 0.1)))
            case "blob":
                return self._random.randbytes(self._random.randint(1, 40))
            case "timestamp":
                return datetime(2026, 11, 21, tzinfo=UTC) + timedelta(seconds=self._random.randint(-(10**9), 10**9))
            case other:
                raise AssertionError(other)


def same(expected: Any, actual: Any) -> bool:
    """Equality that takes NaN for itself and one moment's time zones for one another."""
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(actual, float) and math.isnan(actual)
    if isinstance(expected, dict):
        return (
            isinstance(actual, dict)
            and expected.keys() == actual.keys()
            and all(same(expected[key], actual[key]) for key in expected)
        )
    if isinstance(expected, list):
        return isinstance(actual, list) and len(expected) == len(actual) and all(map(same, expected, actual))
    return bool(type(expected) is type(actual) and expected == actual)


def difference(expected: Any, actual: Any, path: str = "") -> str:
    """Where two values part, for a failure's message."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        keys = sorted(expected.keys() | actual.keys())
        return "".join(difference(expected.get(key), actual.get(key), f"{path}.{key}") for key in keys)
    if isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        return "".join(difference(*pair, f"{path}[]") for pair in zip(expected, actual, strict=True))
    return "" if same(expected, actual) else f"\n{path}: {expected!r} != {actual!r}"
