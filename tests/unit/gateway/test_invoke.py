"""What becomes of an invocation when the world changes while it is under way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from moorage.core.model import InstanceId
from moorage.core.routes import UNRESTRICTED, AccessKey, EndpointRoute, InstanceRoute, RouteTable, VariantRoute
from moorage.gateway.access_log import AccessLog
from moorage.gateway.invoke import Invoker
from moorage.gateway.ledger import Ledger
from moorage.gateway.probing import Pinger, Prober
from moorage.gateway.recorder import Recorder
from moorage.gateway.tables import Tables
from moorage.gateway.target import Address, Operation
from moorage.gateway.turnstile import Turnstile
from moorage.gateway.waking import Waker
from moorage.gateway.watch import Watch
from moorage.system.clock import SystemClock
from moorage.testing.gateway_world import NotedBell
from moorage.testing.signing import KEY_ID, REGION, SECRET, sign
from moorage.wire.messages import NotSent, Response
from moorage.wire.pool import Pool
from moorage.wire.request import ServerRequest
from moorage.wire.upstream import UpstreamConnection

ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADDRESS = Address(b"iris", Operation.INVOKE)


def routes(version: int, *addresses: str) -> RouteTable:
    """Endpoint `iris` with one instance at each address."""
    instances = tuple(InstanceRoute(InstanceId(f"i-{address}"), address) for address in addresses)
    endpoint = EndpointRoute("arn", "config", (VariantRoute("AllTraffic", 1.0, instances),))
    return RouteTable(
        version,
        ACCOUNT,
        keys={KEY_ID: AccessKey(SECRET, ROOT, ACCOUNT)},
        permissions={ROOT: UNRESTRICTED},
        endpoints={REGION: {"iris": endpoint}},
    )


class Caller:
    """Takes the answer."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    def respond(self, response: Response) -> None:
        self.answer.set_result(response)

    def abort(self) -> None:
        self.answer.cancel()


def invocation() -> ServerRequest:
    """A signed one, all of it here."""
    sent = sign(url="http://127.0.0.1/endpoints/iris/invocations", body=b"1,2", at=SystemClock().now())
    request = ServerRequest(
        sent.method,
        sent.path,
        sent.headers,
        dict(sent.headers),
        content_length=len(sent.body),
        http_11=True,
        keep_alive=True,
        expect=None,
    )
    request.content = sent.body
    return request


def invoker(tables: Tables, turnstile: Turnstile) -> Invoker:
    clock = SystemClock()
    watch = Watch(Prober(Pinger(), clock=clock), clock=clock)
    recorder = Recorder(AccessLog(lambda _: None, clock=clock, successes_per_s=0, failures_per_s=0), clock.monotonic)
    waker = Waker(NotedBell(), tables.live.occupied, clock=clock)
    return Invoker(tables, watch, waker, turnstile, recorder, clock=clock, draw=lambda: 0.0)


async def test_another_instance_is_looked_for_in_the_routes_then_in_force(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger, turnstile: Turnstile
) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=SystemClock().monotonic)
    tables.install(routes(1, "old-1", "old-2"))
    asked: list[str] = []

    async def connect(pool: Pool) -> UpstreamConnection:
        """Nobody is at any address, and meanwhile other routes come into force."""
        asked.append(Path(pool.address).name)
        tables.install(routes(2, "new"))
        raise NotSent("nobody listens")

    monkeypatch.setattr(Pool, "connect", connect)
    caller = Caller()
    invoker(tables, turnstile).begin(invocation(), caller, ADDRESS)
    assert 503 == (await caller.answer).status
    assert ["old-1", "new"] == asked


class Connection:
    """Takes a request, and keeps whom its answer is for."""

    def send(self, receiver: Any, *_: Any, **__: Any) -> None:
        self.receiver = receiver

    def abort(self) -> None:
        pass


class Begun:
    """An answer of which only the head is here."""

    status = 200
    content = None
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


async def test_an_answer_is_given_up_with_a_caller_that_leaves_as_it_begins(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger, turnstile: Turnstile
) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=SystemClock().monotonic)
    tables.install(routes(1, "one"))
    connection, answer = Connection(), Begun()
    monkeypatch.setattr(Pool, "take", lambda _: connection)
    begun = invoker(tables, turnstile).begin(invocation(), Caller(), ADDRESS)
    connection.receiver.on_answer(answer)
    begun.cancel()
    await asyncio.sleep(0)
    assert answer.is_closed


async def test_a_kept_connection_that_was_closed_costs_the_only_instance_nothing(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger, turnstile: Turnstile
) -> None:
    tables = Tables(lambda: 0.0, ledger, monotonic=SystemClock().monotonic)
    tables.install(routes(1, "one"))
    kept, made = Connection(), Connection()

    async def connect(_: Pool) -> Any:
        return made

    monkeypatch.setattr(Pool, "take", lambda _: kept)
    monkeypatch.setattr(Pool, "connect", connect)
    caller = Caller()
    begun = invoker(tables, turnstile).begin(invocation(), caller, ADDRESS)
    kept.receiver.on_failure(NotSent("the connection was closed"))
    await asyncio.sleep(0)
    assert begun is made.receiver
    made.receiver.on_failure(NotSent("nobody listens"))
    assert 503 == (await caller.answer).status
