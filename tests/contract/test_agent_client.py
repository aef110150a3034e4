"""The agent's client against agents that hang, or die and leave nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from moorage.core.model import EndpointKey, InstanceId, InstanceState, Observation
from moorage.runners.base import RunnerError
from moorage.runners.process import client
from moorage.runners.process.client import ProcessRunner
from moorage.runners.process.protocol import Changed, Observe, Observed, Watch, decode_request, encode
from moorage.system.clock import SystemClock
from moorage.testing.builders import T0

pytestmark = pytest.mark.asyncio

GONE, NEW = EndpointKey("us-east-1", "gone"), EndpointKey("us-east-1", "new")


class FakeAgent:
    """Reports `observations`. Who watches hears of `endpoints`, until `dead` is set; a silent one answers nothing."""

    def __init__(self) -> None:
        self.observations: tuple[Observation, ...] = ()
        self.endpoints: tuple[EndpointKey, ...] = ()
        self.dead = asyncio.Event()
        self.silence = asyncio.Event()
        self.silence.set()
        self._serving: list[asyncio.Task[None]] = []

    def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.append(asyncio.create_task(self._answer(reader, writer)))

    async def end(self) -> None:
        self.silence.set()
        self.dead.set()
        await asyncio.gather(*self._serving)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            request = decode_request(await reader.readline())
            await self.silence.wait()
            if isinstance(request, Observe):
                writer.write(encode(Observed(self.observations)))
            elif isinstance(request, Watch):
                writer.writelines(encode(Changed(endpoint)) for endpoint in self.endpoints)
                await self.dead.wait()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest_asyncio.fixture
async def agent(tmp_path: Path) -> AsyncIterator[FakeAgent]:
    agent = FakeAgent()
    async with await asyncio.start_unix_server(agent.answer, tmp_path / "agent.sock"):
        yield agent
        await agent.end()


@pytest.fixture
def runner(tmp_path: Path) -> ProcessRunner:
    return ProcessRunner(tmp_path / "agent.sock", SystemClock())


async def test_an_agent_that_hangs_is_said_not_to_answer(
    agent: FakeAgent, runner: ProcessRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LOOK_TIMEOUT_S", 0.1)
    agent.silence.clear()
    for look in (runner.observe(), runner.measure_usage(with_memory=False)):
        with pytest.raises(RunnerError, match="does not answer"):
            await look


async def test_what_a_dead_agent_had_is_told_of_once(agent: FakeAgent, runner: ProcessRunner) -> None:
    agent.observations = (
        Observation(id=InstanceId("i-1"), uid="u", endpoint=GONE, state=InstanceState.READY, since=T0),
    )
    await runner.observe()
    agent.observations = ()
    changes = runner.changes()
    async with contextlib.aclosing(changes):
        assert GONE == await anext(changes)
        following = asyncio.ensure_future(anext(changes))
        await runner.observe()
        agent.endpoints = (NEW,)
        agent.dead.set()
        assert NEW == await following
