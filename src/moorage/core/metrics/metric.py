"""What names a metric, as in CloudWatch: a namespace, a name and dimensions, within a region. What values it can have.

Source: CloudWatch API reference, "Dimension", "MetricDatum".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

Dimensions = tuple[tuple[str, str], ...]
"""Names with their values, in order of the names: the same whatever order they were given in."""

NO_UNIT: Final = "None"
"""What CloudWatch calls the unit of a number of things."""


MAGNITUDE_MAX: Final = 2.0**360
"""How far from 0 a value can be."""

_DIMENSION_NAME: Final = re.compile(r"[\x20-\x39\x3b-\x7e][\x20-\x7e]{0,254}")
_DIMENSION_VALUE: Final = re.compile(r"(?=.*[^ ])[\x20-\x7e]{1,1024}")


class MetricKey(NamedTuple):
    """One metric. Metrics of other dimensions are other metrics, even if they have these among theirs."""

    region: str
    namespace: str
    name: str
    dimensions: Dimensions = ()


def dimensions_of(values: Mapping[str, str]) -> Dimensions:
    """The dimensions as a key has them."""
    return tuple(sorted(values.items()))


def is_dimension_name(text: str) -> bool:
    """Whether a dimension can be called that: up to 255 printable ASCII characters, of which the first is no colon."""
    return _DIMENSION_NAME.fullmatch(text) is not None


def is_dimension_value(text: str) -> bool:
    """Whether a dimension can have that value: up to 1,024 printable ASCII characters, not all of them spaces."""
    return _DIMENSION_VALUE.fullmatch(text) is not None
