"""When a scheduled action is due: `at(…)`, `rate(…)` and `cron(…)` in a time zone.

cron has six fields: minutes, hours, day of month, month, day of week, year, with AWS's `?`, `L`, `W` and `#`. A time
that a change to summer time skips comes an hour later, one that comes twice counts the first time.
Source: Application Auto Scaling user guide, "Schedule recurring scaling actions using cron expressions".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pyawscron import AWSCron

from moorage.core.scaling.model import ScheduledAction

_FORM: Final = re.compile(r"(at|rate|cron)\((.*)\)")
_RATE: Final = re.compile(r"(\d{1,6}) (minute|minutes|hour|hours|day|days)")
_UNITS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_YEAR_MAX: Final = 2199
_FIELDS: Final = (
    ("minutes", 0, 59),
    ("hours", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 1, 7),
    ("year", 1970, _YEAR_MAX),
)
_YEARS_MAX: Final = 9
"""Between two leap days there are eight years at most."""
_TRIES: Final = 100
_DAY_OF_MONTH: Final = 2
_DAY_OF_WEEK: Final = 4


class WrongSchedule(ValueError):
    """An expression or a time zone that says no time. The message is for its author."""


def check(schedule: str, timezone: str) -> None:
    """Raise WrongSchedule unless both say something."""
    zone = _zone(timezone)
    kind, inside = _parts(schedule)
    if kind == "at":
        _once(inside, zone)
    elif kind == "rate":
        _interval(inside)
    elif _next_cron(inside, datetime(2000, 1, 1, tzinfo=UTC), zone) is None:
        raise WrongSchedule("the cron expression never comes true")


def next_time(action: ScheduledAction, after: datetime) -> datetime | None:
    """The first time after `after` at which the action is due, if there is one."""
    zone = _zone(action.timezone)
    kind, inside = _parts(action.schedule)
    start = action.start_at
    begin = after if start is None or start <= after else start - timedelta(microseconds=1)
    match kind:
        case "at":
            due = _once(inside, zone)
            found = due if due > begin else None
        case "rate":
            found = _next_beat(action.start_at or action.created_at, _interval(inside), begin)
        case _:
            found = _next_cron(inside, begin, zone)
    if found is None or (action.end_at is not None and found > action.end_at):
        return None
    return found


def _parts(schedule: str) -> tuple[str, str]:
    form = _FORM.fullmatch(schedule)
    if form is None:
        raise WrongSchedule("a schedule is at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(fields)")
    return form[1], form[2]


def _zone(name: str) -> tzinfo:
    if name == "UTC":  # known even where there is no database of time zones
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WrongSchedule(f"there is no time zone {name}") from None


def _once(text: str, zone: tzinfo) -> datetime:
    try:
        on_the_clock = datetime.strptime(f"{text}+0000", "%Y-%m-%dT%H:%M:%S%z")
        return on_the_clock.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise WrongSchedule("at() needs a time such as 2026-11-21T08:00:00") from None


def _interval(text: str) -> timedelta:
    rate = _RATE.fullmatch(text)
    if rate is None or not int(rate[1]):
        raise WrongSchedule("rate() needs a positive number and a unit: minute, minutes, hour, hours, day or days")
    return int(rate[1]) * _UNITS[rate[2].removesuffix("s")]


def _next_beat(start: datetime, interval: timedelta, after: datetime) -> datetime | None:
    try:
        return start + max(1, (after - start) // interval + 1) * interval if after >= start else start
    except OverflowError:
        return None


def _next_cron(text: str, after: datetime, zone: tzinfo) -> datetime | None:
    """pyawscron knows UTC only: it is told the zone's clock, and what it answers is read off that clock again."""
    fields = text.split()
    _check_fields(fields)
    if fields[_DAY_OF_WEEK].upper() == "L":
        fields[_DAY_OF_WEEK] = "SAT"  # the last day of the week, which pyawscron does not know
    cron = AWSCron(" ".join(fields))
    if after.year > _YEAR_MAX:
        return None
    wall = after.astimezone(zone).replace(tzinfo=UTC, microsecond=0)
    for _ in range(_TRIES):
        found = _on_the_clock(cron, wall)
        if found is None:
            return None
        due = found.replace(tzinfo=zone).astimezone(UTC)
        if due > after:
            return due
        wall = found  # an hour that came twice: the first time is over
    return None


def _on_the_clock(cron: AWSCron, wall: datetime) -> datetime | None:
    """The next match.

    pyawscron fails at a day that a month does not have, which is after all the days that it has, and gives up after
    ten months without a match: then it is asked from the next month on.
    """
    begin, month = wall, wall.replace(day=1, hour=0, minute=0, second=0)
    last_year = min(wall.year + _YEARS_MAX, _YEAR_MAX)
    while month.year <= last_year:
        try:
            return cast(datetime | None, cron.occurrence(begin).next())
        except Exception:  # it has no error of its own
            month = (month + timedelta(days=31)).replace(day=1)
            begin = month - timedelta(minutes=1)
    return None


def _check_fields(fields: list[str]) -> None:
    """Refuse what is no expression before pyawscron sees it: a step of 0 would keep it busy for ever."""
    if len(fields) != len(_FIELDS):
        raise WrongSchedule("cron() needs six fields: minutes, hours, day of month, month, day of week, year")
    for number, (field, (name, least, most)) in enumerate(zip(fields, _FIELDS, strict=True)):
        if not _is_field(_numbered(field, number), number, least, most):
            raise WrongSchedule(f"cron(): '{field}' is no {name}")
    if (fields[_DAY_OF_MONTH] == "?") == (fields[_DAY_OF_WEEK] == "?"):
        raise WrongSchedule("cron(): exactly one of day of month and day of week has to be ?")


def _numbered(field: str, number: int) -> str:
    """The field with numbers for the names of months and weekdays."""
    names = {3: _MONTHS, 4: _WEEKDAYS}.get(number, ())
    text = field.upper()
    for index, name in enumerate(names, 1):
        text = text.replace(name, str(index))
    return text


def _is_field(text: str, number: int, least: int, most: int) -> bool:
    if text == "*":
        return True
    if number == _DAY_OF_MONTH and re.fullmatch(r"\?|L|L-([12]?\d|30)|([12]?\d|3[01])W", text):
        return True
    if number == _DAY_OF_WEEK and re.fullmatch(r"\?|L|[1-7]L|[1-7]#[1-5]", text):
        return True
    stepped = re.fullmatch(r"(\*|\d{1,4}|\d{1,4}-\d{1,4})/(\d{1,4})", text)
    if stepped is not None:
        return int(stepped[2]) > 0 and (stepped[1] == "*" or _is_range(stepped[1], least, most))
    return all(_is_range(item, least, most) for item in text.split(","))


def _is_range(text: str, least: int, most: int) -> bool:
    numbers = re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", text)
    return numbers is not None and least <= int(numbers[1]) <= int(numbers[2] or numbers[1]) <= most
