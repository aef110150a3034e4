"""Rows as LIBSVM text: `label qid:group index:value …`, label and group optional, what is left out missing."""

from __future__ import annotations

import contextlib
from typing import Any, Final

import numpy as np

from moorage.runtime.failures import RequestRefused

_VALUES_MAX: Final = 16_000_000
"""128 MB: what is left out is written out, so a few bytes could ask for all memory."""


def read_rows(body: bytes, features: int | None = None) -> np.ndarray[Any, Any]:
    """A float64 array with `features` columns, NaN where a line names no value.

    Raises RequestRefused (400), and UnicodeDecodeError for what is no text.

    Without `features` there are as many columns as the largest index needs. Indices are taken as they are, from 0. One
    beyond the last is let pass, and ignored: text that counts from 1 has it, and the AWS container takes it
    (aws/sagemaker-xgboost-container, serve_utils.predict).
    """
    lines = [_line(number, text) for number, text in enumerate(body.decode().strip().splitlines(), start=1)]
    if not lines:
        raise RequestRefused(400, "The LIBSVM body is empty")
    size = 1 + max((index for line in lines for index in line), default=0)
    if features is not None and size > features + 1:
        raise RequestRefused(
            400,
            f"Feature size of libsvm inference data {size} is larger than feature size of trained model {features}.",
        )
    width = max(size, features or 0)
    if len(lines) * width > _VALUES_MAX:
        raise RequestRefused(400, f"{len(lines)} rows of {width} values are more than {_VALUES_MAX} values: send fewer")
    rows = np.full((len(lines), width), np.nan)
    for row, line in zip(rows, lines, strict=True):
        row[list(line)] = list(line.values())
    return rows[:, :features]


def _line(number: int, text: str) -> dict[int, float]:
    fields = text.split()
    if fields and ":" not in fields[0]:
        del fields[0]  # the label
    if fields and fields[0].startswith("qid:"):
        del fields[0]  # which rows a ranking compares, in training
    return dict(_item(number, field) for field in fields)


def _item(number: int, field: str) -> tuple[int, float]:
    index, _, value = field.partition(":")
    if index.isascii() and index.isdecimal() and "_" not in value:  # `float` takes 1_0 for 10
        with contextlib.suppress(ValueError):
            return int(index), float(value)
    raise RequestRefused(400, f"Line {number} of the LIBSVM body has {field!r}: expected index:value")
