"""What is kept for instances that do not run."""

from __future__ import annotations

from datetime import datetime

import pytest

from moorage.core.model import InstanceId
from moorage.runners.process.standby import Standby
from moorage.testing.builders import T0

ONE, TWO = InstanceId("i-1"), InstanceId("i-2")
KEPT_S = 600.0


class Clock:
    """Stands still until told otherwise."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return T0

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def standby(clock: Clock) -> Standby:
    return Standby(clock, kept_s=KEPT_S)


def test_it_is_kept_for_as_long_as_it_is_asked_for(standby: Standby, clock: Clock) -> None:
    standby.renew(ONE, {"a", "b"})
    clock.at = KEPT_S - 1
    standby.renew(ONE, None)
    clock.at = 2 * KEPT_S - 2
    assert not standby.expire()
    assert {"a", "b"} == standby.digests
    clock.at = 2 * KEPT_S
    assert standby.expire()
    assert set() == standby.digests


def test_what_several_stand_by_for_is_kept_until_the_last_of_them(standby: Standby, clock: Clock) -> None:
    standby.renew(ONE, {"a"})
    clock.at = KEPT_S / 2
    standby.renew(TWO, {"a", "b"})
    clock.at = KEPT_S
    assert standby.expire()
    assert {"a", "b"} == standby.digests


def test_other_model_data_takes_the_place_of_what_was_kept(standby: Standby) -> None:
    standby.renew(ONE, {"a"})
    standby.renew(ONE, {"b"})
    assert {"b"} == standby.digests


def test_of_an_instance_that_is_not_known_there_is_nothing_to_keep(standby: Standby) -> None:
    standby.renew(ONE, None)
    assert set() == standby.digests
