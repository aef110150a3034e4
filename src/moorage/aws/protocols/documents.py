"""Plain values, as JSON and CBOR parse to, into parameters by their shape, and answers back.

A member that is null counts as absent, and one that the shape does not know is passed over, as AWS does.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from moorage.aws.errors import ServiceError
from moorage.aws.scalars import check_integer, from_epoch, parse_timestamp, special_float, to_epoch

_EXPECTED: Final = {"boolean": "Boolean", "character": "String", "integer": "Integer", "long": "Long"}


def read(shape: Any, value: Any) -> Any:
    """The parameter that `value` is, by its shape. Raises ServiceError SerializationException for a wrong type."""
    match shape.type_name:
        case "structure":
            return value if shape.is_document_type else read_members(shape.members, value)
        case "list":
            return [_read_item(shape.member, item) for item in _expect(list, value)]
        case "map":
            return {key: _read_item(shape.value, item) for key, item in _expect(dict, value).items()}
        case "string" | "character":
            return _read_string(value)
        case "boolean":
            return value if isinstance(value, bool) else _refuse(value, "Boolean")
        case "integer" | "long":
            return _read_integer(shape, value)
        case "float" | "double":
            return _read_float(value)
        case "timestamp":
            return _read_timestamp(shape, value)
        case _:
            return _read_blob(value)


def write(shape: Any, value: Any) -> Any:
    """An answer's `value` as JSON can say it. A member that the shape does not know is a bug, and a KeyError."""
    match shape.type_name:
        case "structure":
            return value if shape.is_document_type else write_members(shape.members, value)
        case "list":
            return [write(shape.member, item) for item in value]
        case "map":
            return {key: write(shape.value, item) for key, item in value.items()}
        case "timestamp":
            return to_epoch(value)
        case "blob":
            return base64.b64encode(value).decode("ascii")
        case "float" | "double":
            return special_float(value) or value
        case _:
            return value


def read_members(members: Mapping[str, Any], value: Any) -> dict[str, Any]:
    """Those of `members` (shapes by name) that the document `value` has."""
    document = _expect(dict, value)
    return {
        name: read(member, found)
        for name, member in members.items()
        if (found := document.get(member.serialization.get("name", name))) is not None
    }


def write_members(members: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
    """`output` as a document, each member by its shape in `members`."""
    written = {}
    for name, item in output.items():
        member = members[name]
        if item is not None and not member.serialization.get("eventstream"):
            written[member.serialization.get("name", name)] = write(member, item)
    return written


def serialization_error(message: str) -> ServiceError:
    """The error for a body that is not what the operation takes."""
    return ServiceError("SerializationException", message, status=400)


def _read_item(shape: Any, value: Any) -> Any:
    return read(shape, value) if value is not None else _refuse(value, _EXPECTED.get(shape.type_name, "Structure"))


def _read_string(value: Any) -> str:
    return value if isinstance(value, str) else _refuse(value, "String")


def _read_integer(shape: Any, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        _refuse(value, _EXPECTED[shape.type_name])
    try:
        return check_integer(shape, value)
    except ValueError as error:
        raise serialization_error(f"NUMBER_VALUE is {error}") from None


def _read_float(value: Any) -> float:
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    if not isinstance(value, int | float) or isinstance(value, bool):
        _refuse(value, "Double")
    return float(value)


def _read_timestamp(shape: Any, value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str):
            return parse_timestamp(value, "iso8601")
        return from_epoch(_read_float(value))
    except ValueError as error:
        raise serialization_error(f"The value is {error}") from None


def _read_blob(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(_read_string(value), validate=True)
    except ValueError:
        raise serialization_error("The value is not base64") from None


def _expect(kind: type, value: Any) -> Any:
    if isinstance(value, kind):
        return value
    if isinstance(value, list):
        raise serialization_error("Start of list found where not expected")
    if isinstance(value, dict):
        raise serialization_error("Start of structure or map found where not expected.")
    raise serialization_error("Unexpected field type")


def _refuse(value: Any, wanted: str) -> Any:
    """AWS's words for a value of the wrong type."""
    match value:
        case list():
            raise serialization_error("Start of list found where not expected")
        case dict():
            raise serialization_error("Start of structure or map found where not expected.")
        case None:
            found = "NULL_VALUE"
        case bool():
            found = "TRUE_VALUE" if value else "FALSE_VALUE"
        case str():
            found = "STRING_VALUE"
        case _:
            found = "NUMBER_VALUE"
    raise serialization_error(f"{found} can not be converted to {'an' if wanted == 'Integer' else 'a'} {wanted}")
