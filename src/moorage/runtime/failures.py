"""What goes wrong, in sentences: for the caller of one request, and for the reader of an endpoint's failure reason.

Tracebacks belong in the log. Neither sentence says where on this machine the model lies.
"""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SENTENCE_CHARACTERS_MAX: Final = 900


class RequestRefused(Exception):
    """The request is at fault; `status` is the HTTP status that says how."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ModelUnusable(Exception):
    """The model can never be served as it is; the message is the sentence that says why."""


def attempt(step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Exception:
    """What `step`, which may be the model's code, returns or else the fault it is."""
    try:
        return step(*args, **kwargs)
    except BaseException as error:
        return fault_of(error)


async def attempt_in(worker: Executor, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `step`, which may be the model's code, returns in a thread of `worker`. Raises the fault it is otherwise.

    It comes out of the thread as an answer, since a future would not take each one: no StopIteration, for instance.
    """
    result = await asyncio.get_running_loop().run_in_executor(worker, partial(attempt, step, *args, **kwargs))
    if isinstance(result, Exception):
        raise result
    return result


def fault_of(error: BaseException) -> Exception:
    """What the model's code raised, as something that fails one request and nothing else.

    Not all of it is an Exception: scripts exit, and what panics in a library written in Rust is none either. It would
    end the loop or thread that it passed through, and with that the answers to everybody.
    """
    if isinstance(error, Exception):
        return error
    if isinstance(error, SystemExit):
        fault = RuntimeError(f"The model's code called sys.exit({error.code!r})")
    else:
        fault = RuntimeError(say(error))
    fault.__cause__ = error
    return fault


def say(error: BaseException) -> str:
    """`ValueError: X has 3 features, but …`: type and message."""
    try:
        message = str(error).strip()
    except Exception:  # a script's own class may not manage
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def explain(error: BaseException, model_folder: Path) -> str:
    """Why loading failed, in one line: type, message, and the last line of the model's own code it passed through.

    `ModuleNotFoundError: No module named 'foo' (in code/inference.py line 3)`
    """
    if isinstance(error, ModelUnusable):
        return _one_line(str(error), model_folder)
    place = _place(error, model_folder)
    sentence = _one_line(_headline(error), model_folder)
    return f"{sentence} (in {place})" if place else sentence


def _headline(error: BaseException) -> str:
    if isinstance(error, SyntaxError):  # its str() repeats the path
        return f"{type(error).__name__}: {error.msg}"
    return say(error)


def _place(error: BaseException, model_folder: Path) -> str | None:
    """The innermost frame that lies in the model's folder."""
    prefix = f"{model_folder}{os.sep}"
    if isinstance(error, SyntaxError) and error.filename and error.filename.startswith(prefix):
        return f"{error.filename.removeprefix(prefix)} line {error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.startswith(prefix):
            return f"{frame.filename.removeprefix(prefix)} line {frame.lineno}"
    return None


def _one_line(text: str, model_folder: Path) -> str:
    line = " ".join(text.replace(f"{model_folder}{os.sep}", "").replace(str(model_folder), "the model folder").split())
    return line if len(line) <= SENTENCE_CHARACTERS_MAX else f"{line[:SENTENCE_CHARACTERS_MAX]}…"
