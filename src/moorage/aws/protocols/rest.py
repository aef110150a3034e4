"""What REST-JSON and REST-XML share: everything but the document in the body.

Members are bound to the path, the query string, header fields or the body by the model. Header fields are Latin-1 to
HTTP and UTF-8 to everyone who sends anything else in them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from botocore.model import OperationModel

from moorage.aws import routing
from moorage.aws.http import Headers, HttpRequest
from moorage.aws.querystring import parse_pairs
from moorage.aws.scalars import format_scalar, parse_scalar

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LIST_ITEM: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)')


def read_head(request: HttpRequest, operation: OperationModel) -> dict[str, Any]:
    """The parameters bound to the path, the query string and header fields. Raises ValueError, naming the field."""
    labels = routing.labels(operation, request)
    parameters = dict(parse_pairs(request.query))
    fields = {name.lower(): value for name, value in reversed(request.headers.items())}
    params: dict[str, Any] = {}
    for name, member in operation.input_shape.members.items():
        wire_name = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri":
                params[name] = labels[wire_name]
            case "querystring" if wire_name in parameters:
                params[name] = _read_field(wire_name, member, parameters[wire_name])
            case "header" if (text := fields.get(wire_name.lower())) is not None:
                params.update(_read_header(name, member, wire_name, text))
            case "headers" if found := _read_header_map(request.headers, wire_name):
                params[name] = found
            case _:
                continue
    return params


def body_members(shape: Any) -> dict[str, Any]:
    """The members, by name, that make up the body's document where no single member is the payload."""
    return {name: member for name, member in shape.members.items() if "location" not in member.serialization}


def read_payload(request: HttpRequest, shape: Any, read: Callable[[Any, bytes], Any]) -> dict[str, Any]:
    """The payload member, where the shape has one: a stream untouched, a blob or text, or what `read` makes of it.

    Raises ValueError, and what `read` raises.
    """
    name = shape.serialization["payload"]
    member = shape.members[name]
    if member.serialization.get("streaming"):
        return {name: request.stream if request.stream is not None else _once(request.body)}
    match member.type_name:
        case "blob":
            return {name: request.body}
        case "string":
            return {name: _text(request.body)}
        case _:
            return {name: read(member, request.body)} if request.body else {}


def write_head(output: Mapping[str, Any], shape: Any, headers: Headers) -> None:
    """Add the header fields that an answer's members are bound to."""
    for name, value in output.items():
        member = shape.members[name]
        wire_name = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "header" if value is not None:
                headers.set(wire_name, header_text(format_scalar(member, value, "rfc822")))
            case "headers" if value is not None:
                for key, text in value.items():
                    headers.set(f"{wire_name}{key}", header_text(text))
            case _:
                continue


def write_payload(
    output: Mapping[str, Any], shape: Any, write: Callable[[Any, Any], bytes]
) -> bytes | AsyncIterator[bytes]:
    """The body of an answer whose shape has a payload member; `write` makes the document of a structure."""
    name = shape.serialization["payload"]
    member = shape.members[name]
    value = output.get(name)
    if value is None:
        return b""
    if member.type_name == "string":
        return str(value).encode("utf-8")
    if member.type_name == "blob" or member.serialization.get("eventstream"):
        body: bytes | AsyncIterator[bytes] = value
        return body
    return write(member, value)


def header_text(value: str) -> str:
    """A value made fit for a header field: no line break of a caller's ever starts another field."""
    return _CONTROLS.sub(" ", value).encode("utf-8").decode("latin-1")


def _read_header(name: str, member: Any, wire_name: str, text: str) -> dict[str, Any]:
    if member.type_name == "timestamp" and member.serialization.get("timestampFormat", "rfc822") == "rfc822":
        return _read_http_date(name, member, text)
    return {name: _read_field(wire_name, member, _utf8(text), timestamp_format="rfc822")}


def _read_http_date(name: str, member: Any, text: str) -> dict[str, Any]:
    """A date that is none counts as absent (RFC 9110, section 13.1.3)."""
    try:
        return {name: parse_scalar(member, text, "rfc822")}
    except ValueError:
        return {}


def _read_header_map(headers: Headers, prefix: str) -> dict[str, str]:
    lowered = prefix.lower()
    return {
        name[len(prefix) :].lower(): _utf8(value) for name, value in headers.items() if name.lower().startswith(lowered)
    }


def _read_field(wire_name: str, member: Any, text: str, *, timestamp_format: str = "iso8601") -> Any:
    try:
        if member.type_name == "list":
            return [parse_scalar(member.member, item, timestamp_format) for item in _split(text)]
        return parse_scalar(member, text, timestamp_format)
    except ValueError as error:
        raise ValueError(f"{wire_name} is {error}") from None


def _split(text: str) -> list[str]:
    """The items of a comma-separated field, quoted ones unquoted."""
    return [
        found[1].replace('\\"', '"') if found[1] is not None else found[2]
        for found in _LIST_ITEM.finditer(text)
        if found[1] is not None or found[2]
    ]


def _utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("The body is not UTF-8") from None


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
