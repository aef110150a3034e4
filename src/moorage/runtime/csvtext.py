"""CSV of numbers to an array, the quick way and the thorough one.

`numpy.loadtxt` takes 18 µs for a row of 20 fields, of which 8 are for reading them. `float` reads the same fields to
the same numbers, except that it takes underscores between digits; whatever it does not take is for loadtxt to judge.
"""

from __future__ import annotations

import io
import re
from typing import Any, Final

from moorage.runtime.failures import RequestRefused

_EMPTY_FIELD: Final = re.compile(r"(^|,)[ \t]*(,|\r?$)", re.MULTILINE)


def read_rows(body: bytes) -> Any:
    """A float64 array of two dimensions; an empty field is NaN. Raises RequestRefused (400) or ValueError."""
    rows = _read_quickly(body)
    return _read_thoroughly(body) if rows is None else rows


def _read_quickly(body: bytes) -> Any:
    """The array, or None if it takes more than splitting at commas and line breaks."""
    import numpy as np

    if b"_" in body or b"\r" in body:
        return None
    lines = body[:-1].split(b"\n") if body.endswith(b"\n") else body.split(b"\n")
    commas = lines[0].count(b",")
    if any(line.count(b",") != commas for line in lines):
        return None
    try:
        numbers = [float(field) for field in b",".join(lines).split(b",")]
    except ValueError:
        return None
    return np.array(numbers).reshape(len(lines), commas + 1)


def _read_thoroughly(body: bytes) -> Any:
    import numpy as np

    text = body.decode("utf-8-sig")
    if not text.strip():
        raise RequestRefused(400, "The CSV body is empty")
    # numpy's own parser in C does not take empty fields; a converter does, at a tenth of the speed.
    number = _number_or_nan if _EMPTY_FIELD.search(text.strip()) else None
    return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2, comments=None, converters=number)


def _number_or_nan(field: str) -> float:
    return float(field.strip() or "nan")
