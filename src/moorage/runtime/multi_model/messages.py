"""What agent and instance say to each other, as JSON. `runners.process.multi_model.messages` is the other end."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec

from moorage.wire.messages import Refused, Request, Response

T = TypeVar("T")

_MESSAGE_BYTES_MAX: Final = 65_536


class Supply(msgspec.Struct, frozen=True, tag="supply"):
    """A model is there, in a folder that this instance can read."""

    model: str
    version: str
    """Another one of other contents."""
    folder: str
    downloading_us: int = 0
    """How long it took to get it; 0 if it was there already."""


class Unchanged(msgspec.Struct, frozen=True, tag="unchanged"):
    """The version of a model that is there already is still the one in S3."""

    model: str


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """A model cannot be had, for a reason that is a sentence."""

    model: str
    reason: str
    is_gone: bool
    """Whether there is no such model, or it may not be read: then it is not served from memory either."""
    is_unusable: bool = False
    """Whether what is there can never be a model."""


Hand = Supply | Unchanged | Refusal


async def read_json(request: Request, kind: type[T]) -> T:
    """The body. Raises Refused if it is not what it should be."""
    body = await request.read(_MESSAGE_BYTES_MAX)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise Refused(400, str(error)) from error


def json_response(status: int, value: Any) -> Response:
    """An answer."""
    return Response(status, [(b"content-type", b"application/json")], msgspec.json.encode(value))
