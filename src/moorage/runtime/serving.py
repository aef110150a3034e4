"""How many processes serve a model: one by itself, or several that were forked from it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import uvloop

from moorage.runtime.server import serve_model
from moorage.runtime.toolkit import LoadedModel
from moorage.runtime.workers import Workers


def serve(
    model: LoadedModel,
    sock: socket.socket,
    count: int,
    *,
    on_listening: Callable[[], None],
    say: Callable[[str], None],
) -> int:
    """Serve on a bound socket by `count` processes until SIGTERM. Answers the status to exit with.

    One process if the model has begun threads of its own, since a fork takes no other thread along.
    """
    if count > 1 and threads() > 1:
        say(f"served by one process and not {count}: the model has begun threads, which cannot be forked")
        count = 1
    if count > 1:
        return Workers(model, sock, count, on_listening=on_listening, say=say).run()
    uvloop.run(serve_model(model, sock, on_listening))
    return 0


def threads() -> int:
    """How many threads this process has, those of native code included."""
    return len(os.listdir("/proc/self/task"))
