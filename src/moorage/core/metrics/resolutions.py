"""For how long values are kept, and by which periods, as CloudWatch keeps them. Pure.

Source: CloudWatch user guide, "Metrics retention".
"""

from __future__ import annotations

from typing import Final, NamedTuple

_DAY_S: Final = 86_400

SHORT_PERIODS_S: Final = (1, 5, 10, 20, 30)
"""Those below a minute that may be asked for."""


PERIOD_MAX_S: Final = 2**31 - 1
"""What the API's integers hold."""

_MINUTE_S: Final = 60


class Resolution(NamedTuple):
    """Values are kept by `period_s` until they are `kept_s` old."""

    period_s: int
    kept_s: int


RESOLUTIONS: Final = (
    Resolution(1, 3 * 3600),
    Resolution(60, 15 * _DAY_S),
    Resolution(300, 63 * _DAY_S),
    Resolution(3600, 455 * _DAY_S),
)
"""The finest first. What is too old for one is kept by the next."""


def is_period(seconds: float) -> bool:
    """Whether values can be asked for by periods of that length: 1, 5, 10, 20, 30 seconds or whole minutes.

    >>> is_period(30), is_period(90), is_period(120.0)
    (True, False, True)
    """
    return seconds in SHORT_PERIODS_S or (0 < seconds <= PERIOD_MAX_S and seconds % _MINUTE_S == 0)


def finest_kept_s(age_s: float) -> int:
    """The shortest period by which anything of that age is kept; the longest one for what is older than all.

    >>> finest_kept_s(60.0), finest_kept_s(4 * 3600.0), finest_kept_s(1e9)
    (1, 60, 3600)
    """
    return next((each.period_s for each in RESOLUTIONS if age_s <= each.kept_s), RESOLUTIONS[-1].period_s)
