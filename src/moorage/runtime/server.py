"""An instance's HTTP: `GET /ping` and `POST /invocations` on a Unix socket.

The model works in one thread of its own, so that `/ping` is answered while it does, and a model that is not made for
threads never meets a second one.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from moorage.runtime.failures import RequestRefused, say
from moorage.runtime.media import JSON
from moorage.runtime.streaming import open_stream
from moorage.runtime.toolkit import Answer, LoadedModel
from moorage.wire.limits import Limits
from moorage.wire.messages import HeaderList, Refused, Request, Response
from moorage.wire.server import serve

BODY_BYTES_MAX: Final = 25 * 1024 * 1024
STOP_GRACE_S: Final = 29.0
"""A little less than the agent waits between SIGTERM and SIGKILL."""

_LIMITS: Final = Limits(
    body_bytes=BODY_BYTES_MAX,
    idle_s=24 * 3600.0,  # the gateway's pool decides when a connection is too old, so that it never meets a closed one
    body_s=3600.0,  # and it knows for how long a caller may hold up an answer
)
_REQUEST_ID: Final = "x-amzn-requestid"
"""What the gateway tells the caller as well: the log then says which failure was whose."""
_METHODS: Final = {b"/ping": b"GET", b"/invocations": b"POST"}


async def serve_model(model: LoadedModel, socket_path: Path, on_listening: Callable[[], None]) -> None:
    """Serve until SIGTERM, then finish what is in flight and return. Raises OSError if the socket cannot be bound."""
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="model") as worker:
        server = await serve(ModelHandler(model, worker), path=socket_path, limits=_LIMITS, render=_render)
        on_listening()
        await terminated.wait()
        await server.close(grace_s=STOP_GRACE_S)


class ModelHandler:
    """Routes a request to the model."""

    def __init__(self, model: LoadedModel, worker: ThreadPoolExecutor) -> None:
        self._model = model
        self._worker = worker

    async def __call__(self, request: Request) -> Response:
        method = _METHODS.get(request.path)
        if method is None:
            return _failure(404, "An instance answers GET /ping and POST /invocations only")
        if request.method != method:
            return _failure(405, f"{request.path.decode()} takes {method.decode()}", [(b"allow", method)])
        return Response(200) if method == b"GET" else await self._invoke(request)

    async def _invoke(self, request: Request) -> Response:
        body = await request.read(BODY_BYTES_MAX)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._worker, self._model.transform, body, headers)
            made = answer.body if isinstance(answer.body, bytes) else await open_stream(answer.body, self._worker)
        except RequestRefused as refused:
            return _failure(refused.status, str(refused), request_id=headers.get(_REQUEST_ID))
        except Exception as error:
            traceback.print_exc()
            return _failure(500, say(error), request_id=headers.get(_REQUEST_ID))
        return Response(200, _headers(answer), made)


def _headers(answer: Answer) -> HeaderList:
    headers = [(name.encode("latin-1", "replace"), value.encode()) for name, value in answer.headers.items()]
    return [(b"content-type", answer.content_type.encode("latin-1", "replace")), *headers]


def _failure(
    status: int, message: str, headers: Sequence[tuple[bytes, bytes]] = (), *, request_id: str | None = None
) -> Response:
    whom = f" to {request_id}" if request_id else ""
    print(f"moorage: answered {status}{whom}: {message}", file=sys.stderr, flush=True)
    return Response(status, [(b"content-type", JSON.encode()), *headers], json.dumps({"error": message}).encode())


def _render(refused: Refused) -> Response:
    return _failure(refused.status, refused.reason)
