"""How many requests an instance is asked at once, as its container's environment says. SageMaker has no word for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

VARIABLE: Final = "MOORAGE_CONCURRENCY"
RULE: Final = "a whole number from 1 to 10000"

_NUMBER = re.compile("[1-9][0-9]{0,3}|10000")


def is_valid(environment: Mapping[str, str]) -> bool:
    """Whether the variable, if it is there, obeys `RULE`."""
    return VARIABLE not in environment or _NUMBER.fullmatch(environment[VARIABLE]) is not None


def concurrency_max(environment: Mapping[str, str]) -> int | None:
    """What the variable says; None if it is not there. An invalid one, from before it had a meaning, says nothing.

    >>> concurrency_max({VARIABLE: "8"}), concurrency_max({}), concurrency_max({VARIABLE: "many"})
    (8, None, None)
    """
    return int(environment[VARIABLE]) if VARIABLE in environment and is_valid(environment) else None
