"""Loads, one at a time; but one that takes long holds up no other."""

from __future__ import annotations

import asyncio
from typing import Final

_TURN_S: Final = 1.0


class Turn:
    """The right to be the only load, for as long as it takes and at most `_TURN_S`."""

    def __init__(self, turns: asyncio.Lock) -> None:
        self.is_ours = True
        self._turns = turns

    @classmethod
    async def begin(cls, turns: asyncio.Lock) -> Turn:
        """Wait for it."""
        await turns.acquire()
        turn = cls(turns)
        asyncio.get_running_loop().call_later(_TURN_S, turn.end)
        return turn

    def end(self) -> None:
        """Let the next one begin."""
        if self.is_ours:
            self.is_ours = False
            self._turns.release()
