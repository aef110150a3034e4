"""What becomes of an invocation when the world changes while it is under way."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

from moorage.core.model import InstanceId
from moorage.core.routes import UNRESTRICTED, AccessKey, EndpointRoute, InstanceRoute, RouteTable, VariantRoute
from moorage.gateway.access_log import AccessLog
from moorage.gateway.asking import REROUTED_WITHIN_S
from moorage.gateway.invoke import Invoker
from moorage.gateway.ledger import Ledger
from moorage.gateway.probing import Pinger, Prober
from moorage.gateway.recorder import Recorder
from moorage.gateway.tables import Tables
from moorage.gateway.target import Address, Operation
from moorage.gateway.turnstile import Turnstile
from moorage.gateway.waking import WakeMode, Waker
from moorage.gateway.watch import Watch
from moorage.system.clock import Clock, SystemClock
from moorage.testing.gateway_world import NotedBell
from moorage.testing.signing import KEY_ID, REGION, SECRET, sign
from moorage.testing.virtual_clock import LoopClock
from moorage.wire.messages import NotSent, Response
from moorage.wire.pool import Pool
from moorage.wire.request import ServerRequest
from moorage.wire.upstream import UpstreamConnection

ACCOUNT = "123456789012"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ADDRESS = Address(b"iris", Operation.INVOKE)
REAL_TIME = SystemClock()


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


def invocation(clock: Clock = REAL_TIME) -> ServerRequest:
    """A signed one, all of it here."""
    sent = sign(url="http://127.0.0.1/endpoints/iris/invocations", body=b"1,2", at=clock.now())
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


def invoker(
    tables: Tables, turnstile: Turnstile, clock: Clock = REAL_TIME, *, mode: WakeMode = WakeMode.STRICT
) -> Invoker:
    """One that holds no requests, unless told to."""
    watch = Watch(Prober(Pinger(), clock=clock), clock=clock)
    recorder = Recorder(AccessLog(lambda _: None, clock=clock, successes_per_s=0, failures_per_s=0), clock.monotonic)
    waker = Waker(NotedBell(), tables.live.occupied, clock=clock, mode=mode)
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


@dataclass
class Down:
    """An instance that accepts no connections before a time, and answers as soon as it is asked."""

    up_at: float
    attempts: list[float] = field(default_factory=list)

    async def connect(self, _: Pool) -> Any:
        now = LoopClock().monotonic()
        self.attempts.append(now)
        if now < self.up_at:
            raise NotSent("nobody listens")
        return self

    def send(self, receiver: Any, *_: Any, **__: Any) -> None:
        asyncio.get_running_loop().call_soon(receiver.on_answer, Done())

    def abort(self) -> None:
        pass


class Done:
    """An answer."""

    status = 200
    content = b"back"
    fields: ClassVar[dict[bytes, bytes]] = {}


async def callers_of(
    down: Down, ledger: Ledger, turnstile: Turnstile, monkeypatch: pytest.MonkeyPatch, *, count: int
) -> list[tuple[int, float]]:
    """With which status, and when, so many are answered that come together."""
    clock = LoopClock()
    tables = Tables(lambda: 0.0, ledger, monotonic=clock.monotonic)
    tables.install(routes(1, "one"))
    monkeypatch.setattr(Pool, "connect", lambda pool: down.connect(pool))
    monkeypatch.setattr(Pinger, "__call__", lambda *_: asyncio.sleep(0, True))
    doors = invoker(tables, turnstile, clock, mode=WakeMode.HOLD)
    doors.waker.start()
    doors.watch.start()

    async def call() -> tuple[int, float]:
        caller = Caller()
        doors.begin(invocation(clock), caller, ADDRESS)
        return (await caller.answer).status, clock.monotonic()

    try:
        return await asyncio.gather(*(call() for _ in range(count)))
    finally:
        await doors.waker.close()
        await doors.watch.close()


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_who_finds_the_only_instance_down_waits_for_it_and_asks_again_now_and_then(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger, turnstile: Turnstile
) -> None:
    down = Down(up_at=2.5)
    answers = await callers_of(down, ledger, turnstile, monkeypatch, count=100)
    assert {200} == {status for status, _ in answers}
    assert max(at for _, at in answers) < 10
    failed = [at for at in down.attempts if at < down.up_at]
    assert 100 < len(failed) < 3 * 100  # all at first, and what fits on the instance each time that it may be back


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_who_waits_in_vain_for_the_only_instance_is_told_before_long(
    monkeypatch: pytest.MonkeyPatch, ledger: Ledger, turnstile: Turnstile
) -> None:
    answers = await callers_of(Down(up_at=1e9), ledger, turnstile, monkeypatch, count=3)
    assert {503} == {status for status, _ in answers}
    assert all(REROUTED_WITHIN_S <= at < REROUTED_WITHIN_S + 1 for _, at in answers)
