"""The filter pattern of a request."""

from __future__ import annotations

from moorage.api.logs.errors import invalid
from moorage.core.log_patterns import InvalidPattern, Pattern, parse_pattern


def read_pattern(text: str) -> Pattern:
    """Raises InvalidParameterException."""
    try:
        return parse_pattern(text)
    except InvalidPattern as error:
        raise invalid(str(error)) from None
