"""Taking a port for several workers, against the kernel: shared among them, with nobody else."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from moorage.app.ports import free_port, open_listeners

HOST = "127.0.0.1"
RIVALS = 8
ROUNDS = 30


@pytest.mark.parametrize("host", [HOST, "::1"])
def test_every_worker_gets_connections_of_one_port(host: str) -> None:
    listeners = open_listeners(host, 0, count=2, patience_s=0)
    [port] = {listener.getsockname()[1] for listener in listeners}
    callers = [socket.create_connection((host, port)) for _ in range(64)]
    assert [True, True] == [_has_caller(listener) for listener in listeners]
    _close([*listeners, *callers])


def test_a_port_of_the_same_user_is_taken() -> None:
    first = open_listeners(HOST, 0, count=2, patience_s=0)
    with pytest.raises(OSError, match="in use") as refused:
        open_listeners(HOST, first[0].getsockname()[1], count=2, patience_s=0)
    assert errno.EADDRINUSE == refused.value.errno
    _close(first)


def test_a_port_on_every_address_is_not_taken_where_one_of_them_is() -> None:
    first = open_listeners(HOST, 0, count=1, patience_s=0)
    with pytest.raises(OSError, match="in use"):
        free_port("0.0.0.0", first[0].getsockname()[1])
    _close(first)


def test_connections_that_a_run_before_left_do_not_matter() -> None:
    before = open_listeners(HOST, 0, count=1, patience_s=0)
    address = before[0].getsockname()
    caller = socket.create_connection(address)
    accepted, _ = before[0].accept()
    _close(before)
    after = open_listeners(*address, count=2, patience_s=0)
    _close([caller, accepted, *after])


def test_a_port_that_becomes_free_is_waited_for() -> None:
    before = open_listeners(HOST, 0, count=2, patience_s=0)
    address = before[0].getsockname()
    threading.Timer(0.1, _close, [before]).start()
    _close(open_listeners(*address, count=2, patience_s=60))


def test_of_many_that_start_at_once_exactly_one_gets_the_port() -> None:
    with ThreadPoolExecutor(RIVALS) as pool:
        for _ in range(ROUNDS):
            port = free_port(HOST, 0)
            barrier = threading.Barrier(RIVALS)

            def rival(port: int = port, barrier: threading.Barrier = barrier) -> list[socket.socket]:
                barrier.wait()
                try:
                    return open_listeners(HOST, port, count=2, patience_s=0)
                except OSError:
                    return []

            won = [listeners for listeners in pool.map(lambda take: take(), [rival] * RIVALS) if listeners]
            assert 1 == len(won)
            _close(won[0])


def _has_caller(listener: socket.socket) -> bool:
    listener.settimeout(60)
    try:
        listener.accept()[0].close()
    except TimeoutError:
        return False
    return True


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()
