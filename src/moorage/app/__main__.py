"""`python -m moorage.app PART PARENT_PID [NUMBER …]`: the inside of each process that a supervisor starts.

Settings arrive on standard input, so that no secret stands in an argument list.
"""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
from collections.abc import Iterator

from moorage.app.last_words import leaving_last_words
from moorage.app.settings import restore
from moorage.system.log import configure_logging
from moorage.system.process import die_with_parent


def main() -> None:
    """Become the part that the first argument names."""
    part, parent_pid, *numbers = sys.argv[1:]
    settings = restore(sys.stdin.buffer.read())
    configure_logging("-".join([part, *numbers[:1]]))  # gateway-0: several of them write to one log
    match part:
        case "control":
            die_with_parent(int(parent_pid), signal.SIGKILL)  # no other control may find it still deciding
            with leaving_last_words(settings.run_dir):
                with _loading():
                    from moorage.app.control_process import run as run_control

                run_control(settings)
        case "gateway":
            die_with_parent(int(parent_pid), signal.SIGTERM)  # what is in flight is finished
            with leaving_last_words(settings.run_dir):
                with _loading():
                    from moorage.app.gateway_process import run as run_gateway

                worker, descriptor = map(int, numbers)
                run_gateway(settings, worker, descriptor)
        case "agent":
            with _loading():
                from moorage.app.agent_process import run as run_agent

            run_agent(settings)
        case "supervisor":
            from moorage.app.credentials import CredentialsError
            from moorage.app.supervisor import SupervisorError
            from moorage.app.supervisor import run as run_supervisor

            try:
                sys.exit(run_supervisor(settings, lambda line: print(line, flush=True)))
            except (SupervisorError, CredentialsError) as error:
                sys.exit(str(error))
        case "check":
            # Loading is all: a process of each part must be able to, before one that runs is ended for it.
            from moorage.app import agent_process, control_process, gateway_process  # noqa: F401
        case _:
            sys.exit(f"There is no part of Moorage called {part!r}")


@contextlib.contextmanager
def _loading() -> Iterator[None]:
    """Spare the modules being loaded the search for garbage: it takes a quarter of a start, and there is none."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    main()
