"""Waking whoever waits for a key: the one way in which a save in one part shortens a wait in another."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class KeyedSignal(Generic[K]):
    """A signal per key. Nothing is remembered: look at the state, then wait for the next change.

    `subscribe` before looking, so that a change between the look and the wait is not missed.
    """

    def __init__(self) -> None:
        self._waiting: dict[K, set[asyncio.Event]] = {}

    def notify(self, key: K) -> None:
        """Wake everybody who waits for `key`. To be called on the event loop."""
        for event in self._waiting.get(key, ()):
            event.set()

    def subscribe(self, key: K) -> Subscription[K]:
        """A subscription to use as a context manager."""
        return Subscription(self._waiting, key)


class Subscription(Generic[K]):
    """One waiter's place. `wait` returns at the first notification since the context was entered or last waited on."""

    def __init__(self, waiting: dict[K, set[asyncio.Event]], key: K) -> None:
        self._waiting = waiting
        self._key = key
        self._event = asyncio.Event()

    def __enter__(self) -> Subscription[K]:
        self._waiting.setdefault(self._key, set()).add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        events = self._waiting[self._key]
        events.discard(self._event)
        if not events:
            del self._waiting[self._key]

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a notification; whether one came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True
