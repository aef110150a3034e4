"""What client and agent say to each other: one JSON object a line, on a Unix socket of mode 0600.

A connection carries one request and its one answer; after `Watch` it carries `Changed` for as long as it lasts, first
one for each endpoint there is. Nothing is ever sent to a client that has not asked.
"""

from __future__ import annotations

from typing import Final

import msgspec

from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, Observation

LINE_BYTES_MAX: Final = 64 << 20


class Prepare(msgspec.Struct, frozen=True, tag="prepare"):
    """Start the nursery that instances of `image` will be forked from."""

    image: str


class Launch(msgspec.Struct, frozen=True, tag="launch"):
    """Start an instance, from the archive at a path if it has model data."""

    spec: InstanceSpec
    archive_path: str | None = None
    archive_digest: str | None = None


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End an instance; answered when it is gone."""

    instance: InstanceId


class Observe(msgspec.Struct, frozen=True, tag="observe"):
    """Report every instance."""


class Describe(msgspec.Struct, frozen=True, tag="describe"):
    """Report what an observation has no room for."""

    instance: InstanceId


class Watch(msgspec.Struct, frozen=True, tag="watch"):
    """Report changes as they happen."""


class ShutDown(msgspec.Struct, frozen=True, tag="shut-down"):
    """Stop every instance, answer, exit."""


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It is done."""


class NotDone(msgspec.Struct, frozen=True, tag="not-done"):
    """It could not be done."""

    reason: str


class Observed(msgspec.Struct, frozen=True, tag="observed"):
    """Answers Observe."""

    observations: tuple[Observation, ...]


class Described(msgspec.Struct, frozen=True, tag="described"):
    """Answers Describe: lines for a person, and the process if there is one."""

    diagnostics: tuple[str, ...] = ()
    pid: int | None = None


class Changed(msgspec.Struct, frozen=True, tag="changed"):
    """Something about an instance of this endpoint is not as it was."""

    endpoint: EndpointKey


Request = Prepare | Launch | Stop | Observe | Describe | Watch | ShutDown
Reply = Done | NotDone | Observed | Described | Changed

_encoder = msgspec.json.Encoder()
_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
_replies: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    """One line."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """Raises msgspec.MsgspecError."""
    return _requests.decode(line)


def decode_reply(line: bytes) -> Reply:
    """Raises msgspec.MsgspecError."""
    return _replies.decode(line)
