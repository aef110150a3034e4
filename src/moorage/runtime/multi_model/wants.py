"""What this instance wants of the agent: models that are missing, and those that may have changed.

The agent asks again and again, and is always told all that is outstanding: if it dies, the next one misses nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Want:
    """A model by its name below the prefix, and the version that is here already, if one is."""

    model: str
    version: str | None
    hurry: bool
    """Whether somebody waits for it."""
    number: int
    """Another one each time something is wanted."""


class Wants:
    """The outstanding wants, by model."""

    def __init__(self) -> None:
        self.number = 0
        """Of the last one."""
        self._wants: dict[str, Want] = {}
        self._added = asyncio.Event()

    def __contains__(self, model: str) -> bool:
        return model in self._wants

    def add(self, model: str, version: str | None = None, *, hurry: bool) -> None:
        """Want a model. One that somebody waits for stays so, whatever else is wanted of it."""
        before = self._wants.get(model)
        if before is not None and (before.hurry or not hurry):
            return
        self.number += 1
        self._wants[model] = Want(model, version, hurry, self.number)
        self._added.set()

    def remove(self, model: str) -> None:
        """It has been answered."""
        self._wants.pop(model, None)

    async def news(self, known: int, *, wait_s: float) -> tuple[int, list[Want]]:
        """The number and all that is outstanding, as soon as the number is not the one `known`, or after `wait_s`."""
        if known == self.number:
            self._added.clear()
            waiting = asyncio.ensure_future(self._added.wait())
            try:
                await asyncio.wait({waiting}, timeout=wait_s)
            finally:
                waiting.cancel()
        return self.number, list(self._wants.values())
