"""The thread a model works in: one, for a model that is not made for threads must never meet a second one."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class ModelThread(ThreadPoolExecutor):
    """An executor that can tell how long what it does just now has taken."""

    def __init__(self) -> None:
        super().__init__(max_workers=1, thread_name_prefix="model")
        self._since: float | None = None

    def busy_s(self) -> float:
        """For how long the model has been busy with one call; 0 if it is not."""
        since = self._since
        return 0.0 if since is None else time.monotonic() - since

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have `fn` called when all before it is done."""
        return super().submit(self._timed, fn, *args, **kwargs)

    def _timed(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._since = time.monotonic()
        try:
            return fn(*args, **kwargs)
        finally:
            self._since = None
