"""Sticky sessions: the instance that a session lives on is part of the session's id, as the caller knows it. Pure.

A container makes its own ids. On the way out each is given the instance's tag, on the way in the tag is taken off and
says where to go: `c5a1` of instance `i-00f00c9e6a1b2c3d4` is `c5a1-00f00c9e6a1b2c3d4` to the caller. So there is
nothing to remember: every gateway worker finds the instance, also after a restart. A session ends with its instance,
for it is the container that remembers; an instance that a rollout replaces finishes the requests it has.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from moorage.core.model import InstanceId
from moorage.gateway import errors
from moorage.wire.messages import BadAnswer, HeaderList

SESSION_ID: Final = b"x-amzn-sagemaker-session-id"
NEW_SESSION_ID: Final = b"x-amzn-sagemaker-new-session-id"
CLOSED_SESSION_ID: Final = b"x-amzn-sagemaker-closed-session-id"
NEW_SESSION: Final = b"NEW_SESSION"
"""What a caller sends in place of an id to have the container make a session."""

_ID_LENGTH_MAX: Final = 256
_ID = re.compile(rb"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_TAGGED = re.compile(rb"([a-zA-Z0-9](?:-*[a-zA-Z0-9])*)-([0-9a-f]+)")
_EXPIRES = re.compile(rb";\sExpires=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_ID_PATTERN: Final = "^[a-zA-Z0-9](-*[a-zA-Z0-9])*$"
_INSTANCE_PREFIX: Final = "i-"
_NOWHERE: Final = InstanceId("")
"""Where an id leads that was not made here: to no instance, as that of one that is gone."""


class Session(NamedTuple):
    """A session: its id as the container knows it, and the instance that the container is in."""

    container_id: bytes
    instance: InstanceId


def of_invocation(value: bytes) -> Session | None:
    """What an InvokeEndpoint's `SessionId` names; None if it asks for a new one. Raises ServiceError."""
    return None if value == NEW_SESSION else _session(value, pattern=f"^(NEW_SESSION)$|{_ID_PATTERN}")


def of_stream(value: bytes) -> Session:
    """As `of_invocation`, for InvokeEndpointWithResponseStream, which cannot make a session."""
    return _session(value, pattern=_ID_PATTERN)


def with_session(head: bytes, container_id: bytes) -> bytes:
    """The head of a request to a container, saying which session it is for."""
    return b"%bX-Amzn-SageMaker-Session-Id: %b\r\n\r\n" % (head.removesuffix(b"\r\n"), container_id)


def caller_fields(headers: HeaderList, instance: InstanceId) -> bytes:
    """What the head of an answer of `instance` says of a session, as it goes out to the caller. Raises BadAnswer."""
    fields = [(_RETURNED[name], value) for name, value in headers if name in _RETURNED]
    return b"".join([b"%b: %b\r\n" % (name, translate(value, instance)) for (name, translate), value in fields])


def new_id(value: bytes, instance: InstanceId) -> bytes:
    """The `NewSessionId` for the caller, `<id>; Expires=<time>`, from the container's. Raises BadAnswer."""
    container_id, separator, expires = value.partition(b";")
    if _EXPIRES.fullmatch(separator + expires) is None:
        raise BadAnswer("the answer does not say when its new session expires, as in <id>; Expires=<time>")
    return _tagged(container_id, instance) + separator + expires


def closed_id(value: bytes, instance: InstanceId) -> bytes:
    """The `ClosedSessionId` for the caller, from the container's. Raises BadAnswer."""
    return _tagged(value, instance)


_RETURNED: Final = {
    NEW_SESSION_ID: (b"X-Amzn-SageMaker-New-Session-Id", new_id),
    CLOSED_SESSION_ID: (b"X-Amzn-SageMaker-Closed-Session-Id", closed_id),
}


def _session(value: bytes, *, pattern: str) -> Session:
    if len(value) > _ID_LENGTH_MAX:
        raise errors.header_too_long(_text(value), "sessionId", _ID_LENGTH_MAX)
    if _ID.fullmatch(value) is None:
        raise errors.malformed_session_id(_text(value), pattern)
    match = _TAGGED.fullmatch(value)
    if match is None:
        return Session(value, _NOWHERE)
    return Session(match[1], InstanceId(_INSTANCE_PREFIX + match[2].decode()))


def _tagged(container_id: bytes, instance: InstanceId) -> bytes:
    tagged = container_id + b"-" + instance.removeprefix(_INSTANCE_PREFIX).encode()
    if _ID.fullmatch(container_id) is None or len(tagged) > _ID_LENGTH_MAX:
        raise BadAnswer("the answer names a session by an id that is too long or not of letters, digits and hyphens")
    return tagged


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
