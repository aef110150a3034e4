"""One model's turn on threads that all models share: its calls run one at a time and in order, on whichever is free."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class Lane(Executor):
    """Runs calls one after another on `threads`. A model that is not made for threads never meets a second one."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
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
        self._threads.submit(self._run_one)
        return future

    def _run_one(self) -> None:
        """One call, and then back to the end of the queue: models share the threads fairly."""
        with self._lock:
            call = self._calls.popleft()
        call()
        with self._lock:
            if not self._calls:
                self._is_running = False
                return
        self._threads.submit(self._run_one)


def _settle(future: Future[Any], function: Callable[..., Any], *arguments: Any, **keywords: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function(*arguments, **keywords)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
