"""The signal to end, for the process it is meant for and for no other."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Set as AbstractSet
from typing import Final

_HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


def hear_termination() -> asyncio.Event:
    """An event that SIGTERM sets, in the running loop.

    A process that the model's code forks, as `multiprocessing` does, would have the handler too, and the descriptor by
    which it wakes our loop: what is sent to end the child would end us. So children are ended by it as any process is,
    from the first moment: a signal that comes while they are forked waits until they have forgotten ours.
    """
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    fork = _Fork()
    os.register_at_fork(before=fork.hold_signals, after_in_parent=fork.let_signals, after_in_child=fork.forget_signals)
    return terminated


class _Fork(threading.local):
    """What to go back to in the thread that forks."""

    mask: AbstractSet[int] = frozenset()

    def hold_signals(self) -> None:
        self.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)

    def let_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self.mask)

    def forget_signals(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in _HANDLED:
            signal.signal(number, signal.SIG_DFL)
        self.let_signals()
