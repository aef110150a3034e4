"""What `moorage models` says of an instance in a line."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.cli.models import in_words


def counted(metric: str, count: int, total: int) -> dict[str, Any]:
    return {"MetricName": metric, "SampleCount": count, "Sum": total, "Minimum": 0, "Maximum": total}


@pytest.mark.parametrize(
    ("expected", "statistics"),
    [
        ("2 loaded", [counted("ModelCacheHit", 0, 0), counted("ModelLoadingWaitTime", 0, 0)]),
        ("2 loaded, 100.0% of the invocations found theirs loaded", [counted("ModelCacheHit", 7, 7)]),
        (
            "2 loaded, 0.0% of the invocations found theirs loaded, the others waited 22 ms on average",
            [counted("ModelCacheHit", 4, 0), counted("ModelLoadingWaitTime", 4, 90_000)],
        ),
    ],
)
def test_what_is_said_is_what_was_counted(expected: str, statistics: list[dict[str, Any]]) -> None:
    assert expected == in_words({"Models": [{}, {}], "Statistics": statistics})
