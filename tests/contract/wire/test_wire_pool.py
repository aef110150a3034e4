"""What becomes of a connection that is made too late for whoever wanted it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from waiting import until

from moorage.wire import pool as pools
from moorage.wire.limits import Limits
from moorage.wire.messages import NotSent, Request, Response
from moorage.wire.pool import Pool
from moorage.wire.server import Server, serve


async def answer(_request: Request) -> Response:
    return Response(200)


@pytest.mark.parametrize(
    ("expected", "raised"), [(asyncio.CancelledError, asyncio.CancelledError), (NotSent, TimeoutError)]
)
async def test_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: type[BaseException], raised: type[BaseException]
) -> None:
    server: Server = await serve(answer, path=tmp_path / "u", limits=Limits(head_s=3600.0))

    async def too_late(_seconds: float, work: Coroutine[Any, Any, Any]) -> None:
        await work
        await until(lambda: server.connections == 1)
        raise raised

    monkeypatch.setattr(pools, "within", too_late)
    pool = Pool(str(tmp_path / "u"), Limits())
    with pytest.raises(expected):
        await pool.connect()
    await until(lambda: server.connections == 0)
    assert pool.is_empty
    await server.close(grace_s=1)
