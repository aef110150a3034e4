"""When scheduled actions are due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.scaling.model import ScheduledAction
from moorage.core.scaling.schedule import WrongSchedule, check, next_time
from moorage.testing.builders import T0
from moorage.testing.scaling_world import TARGET

BASE = ScheduledAction(TARGET, "action", "arn", "rate(1 hour)", T0)


def due(schedule: str, after: str, timezone: str = "UTC") -> str | None:
    """Both times in UTC."""
    action = replace(BASE, schedule=schedule, timezone=timezone)
    found = next_time(action, datetime.fromisoformat(after).replace(tzinfo=UTC))
    return None if found is None else f"{found:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("schedule", "timezone", "after", "expected"),
    [
        ("at(2026-03-01T08:00:00)", "UTC", "2026-02-01", "2026-03-01 08:00"),
        ("at(2026-03-01T08:00:00)", "UTC", "2026-03-01T08:00", None),
        ("at(2026-03-01T08:00:00)", "America/New_York", "2026-02-01", "2026-03-01 13:00"),
        ("rate(15 minutes)", "UTC", "2026-01-01T12:00", "2026-01-01 12:15"),
        ("rate(1 day)", "UTC", "2026-01-03T12:01", "2026-01-04 12:00"),
        ("cron(0 8 ? * MON-FRI *)", "UTC", "2026-03-28", "2026-03-30 08:00"),
        ("cron(0 8 ? * MON-FRI *)", "Europe/Berlin", "2026-03-28", "2026-03-30 06:00"),
        ("cron(0/15 * * * ? *)", "UTC", "2026-03-28T12:00", "2026-03-28 12:15"),
        ("cron(0 0 L * ? *)", "UTC", "2026-02-01", "2026-02-28 00:00"),
        ("cron(0 0 29 2 ? *)", "UTC", "2096-03-01", "2104-02-29 00:00"),
        ("cron(0 0 30 * ? *)", "UTC", "2026-01-30T12:00", "2026-03-30 00:00"),
        ("cron(0 0 31 * ? *)", "UTC", "2026-08-31T12:00", "2026-10-31 00:00"),
        ("cron(0 8 29-31 * ? *)", "UTC", "2026-02-05", "2026-03-29 08:00"),
        ("cron(0 8 31,11 * ? *)", "UTC", "2026-02-11T09:00", "2026-03-11 08:00"),
        ("cron(0 0 30 2,4 ? *)", "UTC", "2026-01-01", "2026-04-30 00:00"),
        ("cron(0 10 ? * 2#1 *)", "UTC", "2026-04-01", "2026-04-06 10:00"),
        ("cron(0 10 ? * L *)", "UTC", "2026-04-01", "2026-04-04 10:00"),
        ("cron(0 0 1 1 ? 2025)", "UTC", "2026-01-01", None),
    ],
)
def test_the_next_time(schedule: str, timezone: str, after: str, expected: str | None) -> None:
    assert expected == due(schedule, after, timezone)


@given(
    st.lists(st.integers(1, 31), min_size=1, max_size=4),
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.integers(0, 1460),
)
def test_days_and_months_are_those_of_the_calendar(days: list[int], months: list[int], offset: int) -> None:
    after = T0 + timedelta(days=offset)
    listed = [",".join(map(str, each)) for each in (days, months)]
    action = replace(BASE, schedule=f"cron(0 8 {listed[0]} {listed[1]} ? *)")
    mornings = (after.replace(hour=8) + timedelta(days=number) for number in range(9 * 366))
    expected = next((at for at in mornings if at > after and at.day in days and at.month in months), None)

    assert expected == next_time(action, after)


def test_what_summer_time_skips_comes_an_hour_later_and_what_comes_twice_counts_once() -> None:
    schedule = "cron(30 2 * * ? *)"

    assert "2026-03-29 01:30" == due(schedule, "2026-03-28T12:00", "Europe/Berlin")
    assert "2026-10-25 00:30" == due(schedule, "2026-10-24T12:00", "Europe/Berlin")
    assert "2026-10-26 01:30" == due(schedule, "2026-10-25T00:30", "Europe/Berlin")
    assert "2026-10-26 01:30" == due(schedule, "2026-10-25T01:00", "Europe/Berlin")


def test_start_and_end_are_kept_to() -> None:
    action = replace(BASE, start_at=T0 + timedelta(days=1), end_at=T0 + timedelta(days=1, hours=2))

    assert T0 + timedelta(days=1) == next_time(action, T0)
    assert T0 + timedelta(days=1, hours=2) == next_time(action, T0 + timedelta(days=1, hours=1))
    assert None is next_time(action, T0 + timedelta(days=1, hours=2))


@pytest.mark.parametrize("schedule", ["rate(1 hour)", "cron(0 * * * ? *)", "at(2100-01-01T00:00:00)"])
@pytest.mark.parametrize("year", [1, 9999])
def test_no_start_is_too_early_or_too_late_to_be_reckoned_with(schedule: str, year: int) -> None:
    start = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC) if year > 1 else datetime.min.replace(tzinfo=UTC)
    found = next_time(replace(BASE, schedule=schedule, start_at=start, timezone="Asia/Tokyo"), T0)

    assert found is None or found > T0


@pytest.mark.parametrize(
    ("schedule", "timezone"),
    [
        ("tomorrow", "UTC"),
        ("at(2026-13-01T08:00:00)", "UTC"),
        ("rate(0 minutes)", "UTC"),
        ("rate(5 weeks)", "UTC"),
        ("rate(999999999 days)", "UTC"),
        ("cron(* * * * *)", "UTC"),
        ("cron(* * * * * *)", "UTC"),
        ("cron(* * ? * ? *)", "UTC"),
        ("cron(0/0 * * * ? *)", "UTC"),
        ("cron(60 * * * ? *)", "UTC"),
        ("cron(1-99999999 * * * ? *)", "UTC"),
        ("cron(0 0 31 2 ? *)", "UTC"),
        ("cron(5-1 * * * ? *)", "UTC"),
        ("rate(1 hour)", "Mars/Olympus"),
        ("rate(1 hour)", "../../etc/passwd"),
    ],
)
def test_what_says_no_time_is_refused(schedule: str, timezone: str) -> None:
    with pytest.raises(WrongSchedule):
        check(schedule, timezone)
