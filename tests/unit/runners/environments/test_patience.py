"""How often packages are asked for again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from moorage.runners.process.environments.patience import RETRY_DELAYS_S, patiently
from moorage.runners.process.environments.uv import PackagesRefused, PackagesUnavailable


class Clock:
    """Remembers how long it was asked to sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def answering(*answers):
    left = list(answers)

    async def attempt():
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return attempt


async def test_what_works_is_done_once():
    clock = Clock()
    assert 1 == await patiently(answering(1), clock, print)
    assert [] == clock.slept


async def test_what_is_away_for_a_moment_is_asked_again():
    clock, said = Clock(), []
    away = PackagesUnavailable("no route")
    assert 1 == await patiently(answering(away, 1), clock, said.append)
    assert [RETRY_DELAYS_S[0]] == clock.slept
    assert ["trying again in 1 s: no route"] == said


async def test_what_stays_away_is_given_up():
    clock = Clock()
    attempts = [PackagesUnavailable(str(number)) for number in range(3)]
    with pytest.raises(PackagesUnavailable, match="2"):
        await patiently(answering(*attempts), clock, print)
    assert list(RETRY_DELAYS_S) == clock.slept


async def test_what_is_refused_is_not_asked_again():
    clock = Clock()
    with pytest.raises(PackagesRefused):
        await patiently(answering(PackagesRefused("no wheel")), clock, print)
    assert [] == clock.slept
