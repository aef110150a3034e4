"""What has become of a call, as HTTP."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Final

from moorage.runtime import jsontext
from moorage.runtime.calls import Answer, Call, Outcome
from moorage.runtime.failures import RequestRefused, say
from moorage.runtime.media import JSON
from moorage.wire.messages import Refused, Response

_REQUEST_ID: Final = b"x-amzn-requestid"
"""What the gateway tells the caller as well: the log then says which failure was whose."""


def response_of(outcome: Outcome, call: Call) -> Response:
    """The whole answer, or the failure, which goes to the log as well."""
    if isinstance(outcome, Answer):
        assert isinstance(outcome.body, bytes), "an answer in pieces has to be opened first"
        return Response(200, outcome.head(), outcome.body)
    request_id = call.fields.get(_REQUEST_ID, b"").decode("latin-1")
    if isinstance(outcome, RequestRefused):
        return failure(outcome.status, str(outcome), request_id=request_id)
    traceback.print_exception(outcome)
    return failure(500, say(outcome), request_id=request_id)


def failure(
    status: int, message: str, headers: Sequence[tuple[bytes, bytes]] = (), *, request_id: str = ""
) -> Response:
    """An answer that says what went wrong; the log gets the same."""
    whom = f" to {request_id}" if request_id else ""
    print(f"moorage: answered {status}{whom}: {message}", file=sys.stderr, flush=True)
    return Response(status, [(b"content-type", JSON.encode()), *headers], jsontext.dumps({"error": message}))


def render(refused: Refused) -> Response:
    """What the wire refuses."""
    return failure(refused.status, refused.reason)
