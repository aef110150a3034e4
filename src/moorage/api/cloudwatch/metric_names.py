"""Metrics as requests name them: the rules for namespaces, names and dimensions, and the keys they come to.

Source: CloudWatch API reference, "MetricDatum", "Dimension", "PutMetricData".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from moorage.api.cloudwatch.errors import invalid_value
from moorage.aws.types.cloudwatch import Dimension
from moorage.core.metrics.metric import Dimensions, MetricKey, is_dimension_name, is_dimension_value

RESERVED_PREFIX: Final = "AWS/"

_PRINTABLE: Final = re.compile(r"[\x20-\x7e]+")


def key_of(region: str, request: Mapping[str, Any], *, path: str = "") -> MetricKey:
    """The metric that `request`'s Namespace, MetricName and Dimensions name. `path` is where they stand.

    Raises InvalidParameterValue.
    """
    dimensions = dimensions_of(request.get("Dimensions", []), path=f"{path}Dimensions")
    return MetricKey(region, request["Namespace"], request["MetricName"], dimensions)


def dimensions_of(given: Iterable[Dimension], *, path: str) -> Dimensions:
    """Dimensions as a key has them. Raises InvalidParameterValue for a name that is there twice, or no text for one."""
    found: dict[str, str] = {}
    for number, dimension in enumerate(given, 1):
        name, value = dimension["Name"], dimension["Value"]
        where = f"{path}.member.{number}"
        if not is_dimension_name(name):
            raise _not_acceptable(f"{where}.Name", "must be printable ASCII and not begin with a colon")
        if not is_dimension_value(value):
            raise _not_acceptable(f"{where}.Value", "must be printable ASCII with at least one character not a space")
        if name in found:
            raise invalid_value(f"The parameter {where}.Name is invalid: {name} is there twice.")
        found[name] = value
    return tuple(sorted(found.items()))


def check_printable(text: str, path: str) -> None:
    """Raises InvalidParameterValue for anything but printable ASCII."""
    if not _PRINTABLE.fullmatch(text):
        raise _not_acceptable(path, "must be printable ASCII")


def described(dimensions: Dimensions) -> list[Dimension]:
    """Dimensions as answers have them."""
    return [{"Name": name, "Value": value} for name, value in dimensions]


def _not_acceptable(path: str, rule: str) -> Exception:
    return invalid_value(f"The parameter {path} is invalid: it {rule}.")
