"""What names a metric, as in CloudWatch: a namespace, a name and dimensions, within a region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

Dimensions = tuple[tuple[str, str], ...]
"""Names with their values, in order of the names: the same whatever order they were given in."""

NO_UNIT: Final = "None"
"""What CloudWatch calls the unit of a number of things."""


class MetricKey(NamedTuple):
    """One metric. Metrics of other dimensions are other metrics, even if they have these among theirs."""

    region: str
    namespace: str
    name: str
    dimensions: Dimensions = ()


def dimensions_of(values: Mapping[str, str]) -> Dimensions:
    """The dimensions as a key has them."""
    return tuple(sorted(values.items()))
