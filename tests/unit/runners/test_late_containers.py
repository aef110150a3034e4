"""What is said of an instance that did not become ready in time."""

from __future__ import annotations

import pytest

from moorage.core.model import Container, ModelData, Variant
from moorage.runners.process.instance import say_who_is_late
from moorage.testing.models import SKLEARN_IMAGE


@pytest.mark.parametrize(
    ("ready", "late"),
    [
        ([False, False], "The first container for production variant AllTraffic did not pass the ping health check."),
        ([False, True], "The first container for production variant AllTraffic did not pass the ping health check."),
        ([True, False], "The second container for production variant AllTraffic did not pass the ping health check."),
        ([True, True], "The containers are ready, and the front before them did not begin to answer in time"),
    ],
)
def test_the_first_that_was_not_ready_is_named(ready: list[bool], late: str) -> None:
    containers = tuple(
        Container(SKLEARN_IMAGE, ModelData("s3://models/model.tar.gz"), name=name) for name in ("first", "second")
    )
    assert say_who_is_late(Variant("AllTraffic", "model", containers, "ml.m5.large", 1), ready).startswith(late)
