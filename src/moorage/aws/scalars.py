"""Scalars as text and back: what headers, query strings, forms and XML have in common."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final

INTEGER_BITS: Final = {"integer": 32, "long": 64}


def parse_scalar(shape: Any, text: str, timestamp_format: str = "iso8601") -> Any:
    """The value of `text` by its shape. `timestamp_format` is the protocol's, for shapes that name none.

    Raises ValueError, saying what the text could not be read as.
    """
    if shape.type_name == "timestamp":
        return parse_timestamp(text, shape.serialization.get("timestampFormat", timestamp_format))
    return _PARSERS[shape.type_name](shape, text)


def format_scalar(shape: Any, value: Any, timestamp_format: str = "iso8601") -> str:
    """`value` as text, by its shape."""
    match shape.type_name:
        case "timestamp":
            return format_timestamp(value, shape.serialization.get("timestampFormat", timestamp_format))
        case "boolean":
            return "true" if value else "false"
        case "blob":
            return base64.b64encode(value).decode("ascii")
        case "float" | "double":
            return format_float(value)
        case _:
            return str(value)


def format_float(value: float) -> str:
    """A float as AWS's text protocols write it: the values JSON has no numbers for by name."""
    return special_float(value) or repr(value)


def special_float(value: float) -> str | None:
    """The name of a float that is not a finite number, else None."""
    if math.isfinite(value):
        return None
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def parse_timestamp(text: str, timestamp_format: str) -> datetime:
    """A point in time, in UTC, from `iso8601`, `rfc822` or `unixtimestamp` text. Raises ValueError."""
    try:
        match timestamp_format:
            case "unixtimestamp":
                return from_epoch(float(text))
            case "rfc822":
                moment = parsedate_to_datetime(text)
            case _:
                moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        raise ValueError("not a timestamp") from None


def format_timestamp(moment: datetime, timestamp_format: str) -> str:
    """The text of an aware datetime. ISO 8601 has milliseconds, as AWS writes them, when there are any."""
    moment = moment.astimezone(UTC)
    match timestamp_format:
        case "unixtimestamp":
            return repr(to_epoch(moment))
        case "rfc822":
            return format_datetime(moment.replace(microsecond=0), usegmt=True)
        case _:
            plain = moment.replace(tzinfo=None, microsecond=0).isoformat()
            return f"{plain}.{moment.microsecond:06d}Z" if moment.microsecond else f"{plain}Z"


def from_epoch(seconds: float) -> datetime:
    """Seconds since 1970 as an aware datetime. Raises ValueError where the calendar ends."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("not a timestamp between the years 1 and 9999") from None


def to_epoch(moment: datetime) -> float | int:
    """Seconds since 1970, an int when they are whole."""
    seconds = moment.timestamp()
    return int(seconds) if seconds.is_integer() else seconds


def check_integer(shape: Any, value: int) -> int:
    """`value`, if the shape's width holds it. Raises ValueError."""
    half = 1 << (INTEGER_BITS[shape.type_name] - 1)
    if not -half <= value < half:
        raise ValueError(f"not a {INTEGER_BITS[shape.type_name]} bit integer")
    return value


def _parse_integer(shape: Any, text: str) -> int:
    if len(text) > 20 or not text.removeprefix("-").isdecimal() or not text.isascii():
        raise ValueError("not an integer")
    return check_integer(shape, int(text))


def _parse_float(shape: Any, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("not a number") from None


def _parse_boolean(shape: Any, text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise ValueError("not a boolean")
    return lowered == "true"


def _parse_blob(shape: Any, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("not base64") from None


def _parse_string(shape: Any, text: str) -> str:
    return text


_PARSERS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "integer": _parse_integer,
    "long": _parse_integer,
    "float": _parse_float,
    "double": _parse_float,
    "boolean": _parse_boolean,
    "blob": _parse_blob,
    "string": _parse_string,
    "character": _parse_string,
}
