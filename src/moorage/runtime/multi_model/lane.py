"""The threads that all models share, and one model's turn on them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any


class Crew(ThreadPoolExecutor):
    """As many threads as models may work at once. It can tell for how long it has been busy with a call."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads, thread_name_prefix="model")
        self._since: dict[int, float] = {}

    def busy_s(self) -> float:
        """For how long the longest call of a model has taken so far; 0 if there is none."""
        now = time.monotonic()
        return now - min([now, *self._since.values()])

    def timed(self, call: Callable[[], None]) -> None:
        """Run a call in the thread that we are in."""
        thread = threading.get_ident()
        self._since[thread] = time.monotonic()
        try:
            call()
        finally:
            del self._since[thread]


class Lane(Executor):
    """One model's calls: one at a time and in order, on whichever thread of the crew is free.

    So a model that is not made for threads never meets a second one.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._lock = threading.Lock()
        self._calls: deque[Callable[[], None]] = deque()
        self._is_running = False

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        """See `Executor.submit`."""
        future: Future[Any] = Future()
        with self._lock:
            self._calls.append(lambda: _settle(future, function, *arguments, **keywords))
            if self._is_running:
                return future
            self._is_running = True
        self._crew.submit(self._run_one)
        return future

    def _run_one(self) -> None:
        """One call, and then back to the end of the queue: models share the threads fairly."""
        with self._lock:
            call = self._calls.popleft()
        self._crew.timed(call)
        with self._lock:
            if not self._calls:
                self._is_running = False
                return
        self._crew.submit(self._run_one)


def _settle(future: Future[Any], function: Callable[..., Any], *arguments: Any, **keywords: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function(*arguments, **keywords)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
