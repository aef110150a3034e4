"""In which form an answer goes to its caller. Pure."""

from __future__ import annotations

import enum
from typing import Final

from moorage.aws.eventstream import MEDIA_TYPE
from moorage.gateway.target import STREAM_ACCEPT, Operation
from moorage.wire.messages import Request


class Form(enum.Enum):
    """What the caller gets of an answer, and when."""

    WHOLE = "whole"
    """Held back until it is complete or has outgrown a window."""
    PIECES = "pieces"
    """As it comes, in chunks."""
    EVENTS = "events"
    """As it comes, in an event stream."""


_STREAMED_TYPES: Final = frozenset(
    {b"text/event-stream", b"application/x-ndjson", b"application/jsonl", b"application/x-jsonlines"}
)
"""Types of which the beginning is of use without the end: InvokeEndpoint passes them on as they come. Not among them is
application/jsonlines, SageMaker's name for batches of records."""
_ANY: Final = frozenset({b"", b"*/*", MEDIA_TYPE.encode()})


def form_of(operation: Operation, request: Request, content_type: bytes | None) -> Form:
    """The form of a successful answer of type `content_type` to `request`."""
    if operation is Operation.STREAM:
        return Form.EVENTS if wants_events(request) else Form.PIECES
    return Form.PIECES if _media_type(content_type or b"") in _STREAMED_TYPES else Form.WHOLE


def wants_events(request: Request) -> bool:
    """Whether the caller of the streaming operation is an SDK, or accepts what SDKs do: curl can name another type.

    What the SDKs accept is no sign: boto3 1.44 sends no `Accept` at all (observed), others may send one out of habit.
    All of them number their attempts.
    """
    fields = request.fields
    if b"amz-sdk-invocation-id" in fields or STREAM_ACCEPT in fields:
        return True
    return _media_type(fields.get(b"accept", b"")) in _ANY


def _media_type(value: bytes) -> bytes:
    return value.partition(b";")[0].strip().lower()
