"""What `moorage list` says of a variant's instances."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.cli.list_endpoints import capacity


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ({"CurrentInstanceCount": 1, "DesiredInstanceCount": 2}, "1/2"),
        ({"CurrentInstanceCount": 0, "DesiredInstanceCount": 1}, "0/1"),
        ({"CurrentInstanceCount": 1, "DesiredInstanceCount": 0}, "1/0"),
        ({"CurrentInstanceCount": 0, "DesiredInstanceCount": 0}, "asleep"),
        ({"CurrentServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 5}}, "serverless"),
    ],
)
def test_capacity_in_a_word(variant: dict[str, Any], expected: str) -> None:
    assert expected == capacity(variant)
