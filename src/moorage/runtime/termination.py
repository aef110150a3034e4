"""The signal to end, for the process it is meant for and for no other."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Final

_HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


def hear_termination() -> asyncio.Event:
    """An event that SIGTERM sets, in the running loop.

    A process that the model's code forks, as `multiprocessing` does, would have the handler too, and the descriptor by
    which it wakes our loop: what is sent to end the child would end us. So children are ended by it as any process is.
    """
    terminated = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    os.register_at_fork(after_in_child=_forget_signals)
    return terminated


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in _HANDLED:
        signal.signal(number, signal.SIG_DFL)
