"""The life of an instance, from the fork to the exit: claim, shed what was inherited, load the model, serve.

What it is told stands in `launch.json` in its folder, written by the agent (`runners/process/folder.py` has the other
end of this); it says two things back:

* lines on the report pipe, `claimed`, `verdict …` and `ready`: the agent need not poll;
* `failure.txt` in its folder: why the model can never be served. A file, because the agent may be away just then.

Both, the socket and the log are open before it confines itself (`sandbox`): afterwards it could open none of them.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import uvloop

from moorage.runtime import toolkit
from moorage.runtime.claim import ClaimLost, claim
from moorage.runtime.failures import ModelUnusable, explain
from moorage.runtime.front.parts import read_plan
from moorage.runtime.front.server import serve_front
from moorage.runtime.multi_model.serving import serve_models
from moorage.runtime.output import BYTES_PER_S_DEFAULT, finish_output, redirect_output
from moorage.runtime.randomness import reseed
from moorage.runtime.sandbox.enter import SandboxFailed, enter
from moorage.runtime.sandbox.plan import Sandbox
from moorage.runtime.serving import serve
from moorage.runtime.settings import read_settings
from moorage.runtime.trees.verdict import RECOLLECTION, Recollection, Verdict
from moorage.wire.server import bind

LAUNCH_NAME: Final = "launch.json"
FAILURE_NAME: Final = "failure.txt"
EXIT_CLAIM_LOST: Final = 75
EXIT_UNUSABLE: Final = 78


@dataclass(frozen=True, slots=True)
class Launch:
    """What an instance is told: the contents of `launch.json`."""

    socket: str
    log: str
    model_folder: str
    work_folder: str
    """Current directory and TMPDIR; goes with the instance."""
    environment: Mapping[str, str]
    """All of it: nothing is inherited."""
    framework: str = "sklearn"
    """Which module of `frameworks` has the defaults."""
    log_bytes_per_s: int = BYTES_PER_S_DEFAULT
    """How much it may log, over ten seconds."""
    python_path: tuple[str, ...] = ()
    """Folders with what the model's requirements.txt asks for: they go before everything else."""
    notes: tuple[str, ...] = ()
    """Platform lines for the head of the log."""
    workers: int = 1
    """How many processes serve the model, unless its environment says."""
    verdict: Mapping[str, Any] | None = None
    """What the check of the compiled model came to in an instance before this one: see `trees.verdict`."""
    multi_model: Mapping[str, Any] | None = None
    """Of an instance that serves many models: see `multi_model.limits`."""
    sandbox: Mapping[str, Any] = field(default_factory=dict)
    """What the process confines itself to: `sandbox.plan.Sandbox` in JSON."""
    front: Mapping[str, Any] | None = None
    """Of a process that is the front of several containers and has no model: see `front.parts.read_plan`."""


def become_instance(folder: Path, token: str, report: int) -> NoReturn:
    """Turn this freshly forked process into the instance of `folder`. `report` is the pipe's writing end."""
    code = EXIT_UNUSABLE
    try:
        code = _live(folder, token, report)
    except ClaimLost:
        code = EXIT_CLAIM_LOST
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            finish_output()
        os._exit(code)


def _live(folder: Path, token: str, report: int) -> int:
    began = time.monotonic()
    os.setsid()
    os.umask(0o077)
    lock = claim(folder, token)
    _report(report, b"claimed")
    launch = Launch(**json.loads((folder / LAUNCH_NAME).read_bytes()))
    failure = os.open(folder / FAILURE_NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    listener = bind(Path(launch.socket))
    _shed_inheritance(launch, keep=(lock, report, failure, listener.fileno()))
    for note in launch.notes:
        _say(note)
    try:
        enter(Sandbox.of(launch.sandbox))
    except SandboxFailed as failed:
        _give_up(failure, str(failed))
        return EXIT_UNUSABLE
    os.chdir(launch.work_folder)
    sys.path[:0] = launch.python_path
    if launch.front is not None:
        uvloop.run(serve_front(read_plan(launch.front), listener, lambda: _report_ready(report)))
        return 0
    if launch.multi_model is not None:
        return _serve_many(launch, launch.multi_model, failure, listener, lambda: _report_ready(report))
    recollection = Recollection(Verdict(**launch.verdict) if launch.verdict is not None else None)
    RECOLLECTION.set(recollection)
    model = _load(launch, failure, began)
    if model is None:
        return EXIT_UNUSABLE
    if recollection.found is not None:
        _report(report, b"verdict " + json.dumps(asdict(recollection.found)).encode())
    gc.freeze()  # the model is here to stay: no collection has to look at it again
    return _serve(model, listener, launch.workers, lambda: _report_ready(report))


def _shed_inheritance(launch: Launch, keep: tuple[int, ...]) -> None:
    """Leave behind the nursery's descriptors, environment and random state."""
    redirect_output(launch.log, bytes_per_s=launch.log_bytes_per_s)
    kept = sorted(keep)
    for low, high in zip([3, *(fd + 1 for fd in kept)], [*kept, os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(low, high)
    os.environ.clear()
    os.environ.update(launch.environment)
    time.tzset()
    reseed()


def _load(launch: Launch, failure: int, began: float) -> toolkit.LoadedModel | None:
    """The model; None if it can never be served, which is then written down."""
    model_folder = Path(launch.model_folder)
    try:
        settings = read_settings(os.environ)
        logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s: %(message)s")
        model = toolkit.load(model_folder, os.environ, settings, framework=launch.framework, say=_say)
    except BaseException as error:  # see `failures.fault_of`
        if not isinstance(error, ModelUnusable) or error.__cause__ is not None:
            traceback.print_exc()
        _give_up(failure, explain(error, model_folder))
        return None
    _say(f"model loaded {(time.monotonic() - began) * 1000:.0f} ms after the start")
    return model


def _serve(model: toolkit.LoadedModel, listener: socket.socket, workers: int, on_listening: Callable[[], None]) -> int:
    # A SIGTERM before this line ends the process at once: there is nothing in flight yet.
    count = model.settings.workers or workers
    status = serve(model, listener, count, on_listening=on_listening, say=_say)
    _say("stopped")
    return status


def _serve_many(
    launch: Launch, told: Mapping[str, Any], failure: int, listener: socket.socket, on_listening: Callable[[], None]
) -> int:
    try:
        settings = read_settings(os.environ)
    except ModelUnusable as error:
        _give_up(failure, str(error))
        return EXIT_UNUSABLE
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s: %(message)s")
    status = serve_models(told, launch.framework, settings, listener, on_listening, say=_say)
    _say("stopped")
    return status


def _give_up(failure: int, reason: str) -> None:
    """Say why the model can never be served, to the log and, in one write, to the agent."""
    _say(f"the model cannot be served: {reason}")
    os.write(failure, reason.encode(errors="backslashreplace"))


def _report(pipe: int, word: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # the agent is gone; its successor asks /ping
        os.write(pipe, word + b"\n")


def _report_ready(pipe: int) -> None:
    _report(pipe, b"ready")
    os.close(pipe)


def _say(text: str) -> None:
    print(f"moorage: {text}", file=sys.stderr)


def reset_signals() -> None:
    """Give up the nursery's handlers."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
