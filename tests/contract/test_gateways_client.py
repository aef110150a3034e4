"""Control's client of the gateways' admin sockets, against sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moorage.control import gateways as client
from moorage.control.errors import GatewayUnsure
from moorage.control.gateways import Gateways
from moorage.core.model import InstanceId
from moorage.wire.messages import Request, Response
from moorage.wire.server import serve

PATIENCE_S = 60.0
A, B = InstanceId("i-a"), InstanceId("i-b")


@pytest.fixture
async def gateways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateways]:
    monkeypatch.setattr(client, "RELOAD_TIMEOUT_S", PATIENCE_S)
    gateways = Gateways(tmp_path)
    yield gateways
    gateways.close()


def answering(status: int, body: bytes):
    async def handle(request: Request) -> Response:
        await request.read(1000)
        return Response(status, body=body)

    return handle


async def test_without_a_gateway_everything_is_done(gateways: Gateways, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "gateway-0-4711.sock"))  # a socket file that its gateway left behind
    await gateways.reload(1)
    assert {A} == await gateways.drain([A], timeout_s=PATIENCE_S)


async def test_a_gateway_that_dies_while_it_is_asked_is_none_any_more(gateways: Gateways, tmp_path: Path) -> None:
    path = tmp_path / "gateway-0-4711.sock"

    async def die(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        dying.close()
        writer.transport.abort()

    dying = await asyncio.start_unix_server(die, path)
    await gateways.reload(1)
    assert path.exists()  # as SIGKILL leaves it


async def test_a_gateway_that_drops_a_question_and_lives_is_in_doubt(gateways: Gateways, tmp_path: Path) -> None:
    async def drop(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with await asyncio.start_unix_server(drop, tmp_path / "gateway-0-4711.sock"):
        with pytest.raises(GatewayUnsure):
            await gateways.drain([A], timeout_s=PATIENCE_S)


async def test_a_worker_and_its_successor_are_both_asked(gateways: Gateways, tmp_path: Path) -> None:
    ending = await serve(answering(200, b'{"drained": []}'), path=tmp_path / "gateway-0-4711.sock")
    successor = await serve(answering(200, b'{"drained": ["i-a"]}'), path=tmp_path / "gateway-0-4713.sock")
    assert set() == await gateways.drain([A], timeout_s=PATIENCE_S)
    await asyncio.gather(ending.close(grace_s=0), successor.close(grace_s=0))


async def test_every_gateway_has_to_use_the_new_routes(gateways: Gateways, tmp_path: Path) -> None:
    fresh = await serve(answering(200, b'{"version": 7}'), path=tmp_path / "gateway-0-4711.sock")
    await gateways.reload(7)
    stale = await serve(answering(200, b'{"version": 6}'), path=tmp_path / "gateway-1-4712.sock")
    with pytest.raises(GatewayUnsure):
        await gateways.reload(7)
    await asyncio.gather(fresh.close(grace_s=0), stale.close(grace_s=0))


async def test_an_instance_is_drained_when_all_gateways_say_so(gateways: Gateways, tmp_path: Path) -> None:
    free = await serve(answering(200, b'{"drained": ["i-a", "i-b"]}'), path=tmp_path / "gateway-0-4711.sock")
    busy = await serve(answering(200, b'{"drained": ["i-a"]}'), path=tmp_path / "gateway-1-4712.sock")
    assert {A} == await gateways.drain([A, B], timeout_s=PATIENCE_S)
    await asyncio.gather(free.close(grace_s=0), busy.close(grace_s=0))


@pytest.mark.parametrize(("status", "answer"), [(500, b"{}"), (200, b"nonsense"), (200, b"[]")])
async def test_a_gateway_that_cannot_read_the_snapshot_or_talks_nonsense_is_in_doubt(
    gateways: Gateways, tmp_path: Path, status: int, answer: bytes
) -> None:
    broken = await serve(answering(status, answer), path=tmp_path / "gateway-0-4711.sock")
    with pytest.raises(GatewayUnsure):
        await gateways.reload(1)
    await broken.close(grace_s=0)
