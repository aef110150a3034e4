"""`python -m moorage.runtime.sandbox.probe USER`: what of a sandbox this machine gives this process, found by trying.

Prints a line of JSON: what each means fails with, None if it works, and the version of Landlock there is. Every trial
is a child that makes a real sandbox and looks whether the interpreter can still be read from inside.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Final

from moorage.runtime.sandbox import landlock
from moorage.runtime.sandbox.enter import SandboxFailed, enter
from moorage.runtime.sandbox.plan import NAMESPACE, UNIX_SOCKETS, Sandbox, View
from moorage.runtime.sandbox.view import interpreter_paths

_VIEW: Final = View(hidden=("/tmp",), scratch=("/opt/ml",))
_FAILED_BYTES_MAX: Final = 1024


def main() -> None:
    """`argv`: a uid that nobody has, to become for a moment."""
    print(json.dumps({"failures": probe(int(sys.argv[1])), "landlock": landlock.version()}))


def probe(user: int) -> dict[str, str | None]:
    """What each means fails with here. The process must have one thread."""
    return {
        "user": _try(Sandbox(user=user)),
        "view": _try(Sandbox(view=_VIEW)),
        "user and view": _try(Sandbox(user=user, view=_VIEW)),
        "view in a user namespace": _try(Sandbox(user_namespace=True, view=_VIEW)),
        "network": _try(Sandbox(network=NAMESPACE)),
        "network in a user namespace": _try(Sandbox(user_namespace=True, network=NAMESPACE)),
        "seccomp": _try(Sandbox(seccomp=True, network=UNIX_SOCKETS)),
    }


def _try(sandbox: Sandbox) -> str | None:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        os.write(writing, (_enter(sandbox) or "").encode()[:_FAILED_BYTES_MAX])
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        failure = answer.read().decode(errors="replace")
    _, status = os.waitpid(child, 0)
    return failure or (None if status == 0 else "the trial did not end well")


def _enter(sandbox: Sandbox) -> str | None:
    needed = interpreter_paths()  # from inside, what cannot be reached does not seem to exist
    try:
        enter(sandbox)
    except SandboxFailed as failed:
        return str(failed)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    unreadable = [path for path in needed if not os.access(path, os.R_OK)]
    return f"{unreadable[0]} cannot be read from inside" if unreadable else None


if __name__ == "__main__":
    main()
