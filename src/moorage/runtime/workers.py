"""Several processes for one model: forked when it is loaded, so that they share its memory, and looked after here.

The parent accepts, and deals each connection to the worker that has the fewest: a listening socket that several
processes accept from would give nearly all to whoever wakes up first, and connections are kept for long. The parent
runs none of the model's code and reads no request.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

import uvloop

from moorage.runtime.dealing import Dealer, Worker, deal_out
from moorage.runtime.output import finish_output
from moorage.runtime.randomness import reseed
from moorage.runtime.respawn import Respawn
from moorage.runtime.server import STOP_GRACE_S
from moorage.runtime.toolkit import LoadedModel
from moorage.runtime.watchdog import EXIT_STUCK
from moorage.runtime.worker import GONE, OTHER, TAKEN, UP, die_with, serve_dealt

EXIT_WORKERS_DIE: Final = 70
_WORD_BYTES: Final = 16
_HEARD: Final = (signal.SIGTERM, signal.SIGCHLD)
_KILL_AFTER_S: Final = STOP_GRACE_S + 0.5

Say = Callable[[str], None]


class Workers:
    """The parent. One thread and no event loop: there is nothing that a fork could leave half done."""

    def __init__(
        self, model: LoadedModel, sock: socket.socket, count: int, *, on_listening: Callable[[], None], say: Say
    ) -> None:
        self._model = model
        self._on_listening: Callable[[], None] | None = on_listening
        self._say = say
        self._workers: dict[int, Worker] = {}
        self._missing = dict.fromkeys(range(1, count + 1), 0.0)
        """When to begin which worker."""
        self._respawn = Respawn()
        self._selector = selectors.DefaultSelector()
        self._dealer = Dealer(sock, self._workers, self._selector)
        self._kill_at: float | None = None
        """While it stops: when to wait no longer."""
        self._status = 0

    def run(self) -> int:
        """Keep the workers going until SIGTERM, then end them in order. Answers the status to exit with."""
        self._hear_signals()
        while self._workers or (self._missing and self._kill_at is None):
            self._begin_missing()
            if self._kill_at is None:
                self._dealer.look()
            for key, _ in self._selector.select(self._patience_s()):
                key.data()
            self._reap()
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._signal(signal.SIGKILL)
        return self._status

    # -- what happens -------------------------------------------------------------------------------------------------

    def _hear_signals(self) -> None:
        """Have SIGTERM and SIGCHLD end a `select`."""
        self._signals, self._wakeup = socket.socketpair()
        self._signals.setblocking(False)
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        for number in _HEARD:
            signal.signal(number, lambda *_: None)
        self._selector.register(self._signals, selectors.EVENT_READ, self._on_signals)

    def _on_signals(self) -> None:
        if signal.SIGTERM in self._signals.recv(4096):
            self._stop(0)

    def _hear(self, worker: Worker) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while True:
                word, descriptors, _, _ = socket.recv_fds(worker.channel, _WORD_BYTES, 1)
                if not word:
                    break
                self._heed(worker, word, descriptors)
            self._selector.unregister(worker.channel)  # it is ending

    def _heed(self, worker: Worker, word: bytes, descriptors: Sequence[int]) -> None:
        if word == TAKEN:
            worker.untaken -= 1
        elif word == GONE:
            worker.connections -= 1
        elif word == UP:
            worker.is_up = True
            self._say_ready()
        for descriptor in descriptors:
            with socket.socket(fileno=descriptor) as connection:
                other = self._workers.get(int(word.removeprefix(OTHER)))
                if other is not None:
                    deal_out(connection, [other])

    def _say_ready(self) -> None:
        if self._on_listening is not None:
            self._on_listening()
            self._on_listening = None

    def _reap(self) -> None:
        for worker in tuple(self._workers.values()):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                del self._workers[worker.number]
                with contextlib.suppress(KeyError):
                    self._selector.unregister(worker.channel)
                worker.channel.close()
                if self._kill_at is None:
                    self._replace(worker, status)

    def _replace(self, worker: Worker, status: int) -> None:
        now = time.monotonic()
        ended = f"worker {worker.number} (pid {worker.pid}) {say_end(status)}"
        delay_s = self._respawn.delay_s(lived_s=now - worker.began)
        if delay_s is None:
            self._say(f"{ended}, as those before it did soon after they began: the instance gives up")
            self._stop(EXIT_WORKERS_DIE)
            return
        self._missing[worker.number] = now + delay_s
        self._say(f"{ended}; another takes its place{f' in {delay_s:.1f} s' if delay_s else ''}")

    # -- what is done -------------------------------------------------------------------------------------------------

    def _begin_missing(self) -> None:
        """Begin one whose time has come: the first one serves while the next is forked."""
        now = time.monotonic()
        due = [number for number, at in self._missing.items() if at <= now]
        if due and not self._is_one_beginning():
            del self._missing[due[0]]
            self._begin(due[0], now)

    def _is_one_beginning(self) -> bool:
        return not all(worker.is_up for worker in self._workers.values())

    def _begin(self, number: int, now: float) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        theirs.setblocking(False)
        finish_output()  # what is half written would be written twice
        parent = os.getpid()
        # A SIGTERM that comes before the child has given up our handler would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._become_worker(number, theirs, parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        theirs.close()
        worker = self._workers[number] = Worker(number, pid, ours, now)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(worker))

    def _become_worker(self, number: int, channel: socket.socket, parent: int) -> NoReturn:
        code = EXIT_WORKERS_DIE
        try:
            die_with(parent)
            self._leave_to_parent()
            reseed()
            uvloop.run(serve_dealt(self._model, number, channel))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            finish_output()
            os._exit(code)

    def _leave_to_parent(self) -> None:
        """Give up, in a child, what is the parent's."""
        signal.set_wakeup_fd(-1)  # asyncio of Python 3.12 and later has done it in every forked child already
        self._wakeup.close()
        for number in _HEARD:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        self._dealer.leave()
        self._selector.close()
        self._signals.close()
        for worker in self._workers.values():
            worker.channel.close()

    def _patience_s(self) -> float | None:
        """Until when nothing is to be done unless something happens."""
        if self._kill_at is not None:
            times = [self._kill_at]
        else:
            times = [] if self._is_one_beginning() else [*self._missing.values()]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _stop(self, status: int) -> None:
        if self._kill_at is not None:
            return
        self._status = status
        self._kill_at = time.monotonic() + _KILL_AFTER_S
        self._dealer.close()
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._workers.values():
            os.kill(worker.pid, number)


def say_end(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        return f"was ended by {signal.Signals(os.WTERMSIG(status)).name}"
    code = os.WEXITSTATUS(status)
    return f"ended with status {code}" + (", as one does that is stuck in a call" if code == EXIT_STUCK else "")
