"""The socket between gateways and control: real datagrams in a folder of the test's."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from moorage.core.model import EndpointKey, VariantKey
from moorage.system.wake_socket import WakeReceiver, WakeSender

KEY = VariantKey(EndpointKey("us-east-1", "iris"), "AllTraffic")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "wake.sock"


@pytest.fixture
def sender(path: Path) -> Iterator[WakeSender]:
    sender = WakeSender(path)
    yield sender
    sender.close()


async def heard_of(heard: list[VariantKey], count: int) -> None:
    """So many datagrams have come in."""
    async with asyncio.timeout(60):
        while len(heard) < count:
            await asyncio.sleep(0.001)


async def test_what_is_rung_for_is_heard(path: Path, sender: WakeSender) -> None:
    heard: list[VariantKey] = []
    receiver = WakeReceiver(path, heard.append)
    receiver.open()
    assert sender.ring(KEY)
    await heard_of(heard, 1)
    assert [KEY] == heard
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    receiver.close()


async def test_where_nobody_listens_or_too_much_is_unread_nothing_is_sent(path: Path, sender: WakeSender) -> None:
    assert not sender.ring(KEY)
    heard: list[VariantKey] = []
    receiver = WakeReceiver(path, heard.append)
    receiver.open()
    sent = sum(sender.ring(KEY) for _ in range(10_000))  # nothing is read meanwhile
    assert 0 < sent < 10_000
    await heard_of(heard, sent)
    assert sender.ring(KEY)
    receiver.close()
    assert not sender.ring(KEY)


async def test_who_comes_after_one_that_was_killed_takes_its_place(path: Path, sender: WakeSender) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
        killed.bind(str(path))
    assert not sender.ring(KEY)
    heard: list[VariantKey] = []
    receiver = WakeReceiver(path, heard.append)
    receiver.open()
    assert sender.ring(KEY)
    await heard_of(heard, 1)
    receiver.close()
    assert not path.exists()


async def test_nonsense_is_not_taken_for_a_variant(path: Path, sender: WakeSender) -> None:
    heard: list[VariantKey] = []
    receiver = WakeReceiver(path, heard.append)
    receiver.open()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        for datagram in (b"", b"{}", b'["us-east-1","iris"]', b"\xff" * 4000):
            stranger.sendto(datagram, str(path))
    assert sender.ring(KEY)
    await heard_of(heard, 1)
    assert [KEY] == heard
    receiver.close()
