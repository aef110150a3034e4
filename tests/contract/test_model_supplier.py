"""Both ends of the way models take into an instance: the agent's supplier, and an instance on a real socket."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from moorage.core.model import DataForm, ModelData
from moorage.runners.base import ModelFile, ModelFiles
from moorage.runners.process.multi_model.channel import Channel
from moorage.runners.process.multi_model.demands import Demands, Refused
from moorage.runners.process.multi_model.messages import Refusal, Supply, Unchanged, Want, Wanted
from moorage.runners.process.multi_model.stock import Stock
from moorage.runners.process.multi_model.supplier import Supplier
from moorage.runtime.multi_model.faults import Broken, NoSuchModel, NotServed
from moorage.runtime.multi_model.limits import Limits
from moorage.runtime.multi_model.loading import Loader
from moorage.runtime.multi_model.models import Models
from moorage.runtime.multi_model.room import Allocated, Loaded
from moorage.runtime.multi_model.routes import begin_requests
from moorage.runtime.multi_model.shelf import Shelf
from moorage.runtime.multi_model.statistics import Statistics
from moorage.runtime.server import listen
from moorage.system.clock import SystemClock
from moorage.testing.models import archive
from moorage.wire.messages import Begin, Reply, Request
from moorage.wire.server import Server, bind

PREFIX = "s3://models/many/"


class TextModels:
    """Models are the text in a file, and take no memory to speak of."""

    async def load(self, name: str, folder: Path) -> str:
        return (folder / "model.txt").read_text()

    async def improve(self, name: str, model: str) -> None:
        return None

    async def close(self, model: str) -> None:
        """There is nothing to let go of."""

    def allocated(self) -> Allocated:
        return Allocated(0, 0)

    async def trim(self) -> None:
        """There is nothing to give back."""

    collect = trim

    def serve(self, model: str) -> Begin:
        def begin(_request: Request, _reply: Reply) -> None:
            raise AssertionError("nobody is asked here")

        return begin


class TimedChannel(Channel):
    """Knows how long the supplier is ready to wait for news just now."""

    waiting_s = 0

    async def wants(self, known: int, *, wait_s: int) -> Wanted:
        self.waiting_s = wait_s
        return await super().wants(known, wait_s=wait_s)


class ScriptedChannel(Channel):
    """An instance that wants `a`, and `b` besides while `a` is answered: it says so only after it took that answer."""

    def __init__(self, socket: Path) -> None:
        super().__init__(socket)
        self.is_answered = asyncio.Event()
        """Set by the test when the supplier is done with `a`."""
        self.handed: asyncio.Queue[str] = asyncio.Queue()

    async def wants(self, known: int, *, wait_s: int) -> Wanted:
        a, b = Want("a", None, True, 1), Want("b", None, True, 2)
        if known < 1:
            return Wanted(1, [a])
        if known > 1:
            await asyncio.sleep(3600)
        await self.is_answered.wait()
        return Wanted(2, [a, b])

    async def hand(self, hand: Supply | Unchanged | Refusal) -> None:
        self.handed.put_nowait(hand.model)


class FaultyDemands(Demands):
    """Fails for reasons that nobody foresaw."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[Exception] = []

    async def fetch(self, data: ModelData) -> ModelFiles:
        if self.faults:
            raise self.faults.pop()
        return await super().fetch(data)


class World:
    """An instance, its supplier, and a bucket that answers what the supplier demands."""

    def __init__(self, folder: Path, limits: Limits, *, disk_bytes: int) -> None:
        self.folder = folder
        self.limits = limits
        self.bucket: dict[str, bytes] = {}
        self.demands = FaultyDemands()
        self.root = folder / "stock"
        self._disk_bytes = disk_bytes
        self._threads = ThreadPoolExecutor(2)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        shelf: Shelf[Loaded] = Shelf(bytes_max=self.limits.bytes_max, count_max=self.limits.count_max)
        statistics = Statistics()
        kind = TextModels()
        loader = Loader(shelf, kind, threads=self._threads, limits=self.limits, memory=kind, statistics=statistics)
        self.models = Models(shelf, loader, limits=self.limits, statistics=statistics)
        self._server: Server = await listen(begin_requests(self.models), bind(self.folder / "i.sock"), 1 << 20)
        self._tasks.append(asyncio.create_task(self._control()))
        self.start_supplier()

    def start_supplier(self) -> None:
        stock = Stock(self.root, bytes_max=self._disk_bytes)
        self.channel = TimedChannel(self.folder / "i.sock")
        supplier = Supplier(self.channel, PREFIX, demands=self.demands, stock=stock, clock=SystemClock())
        self.supplier = asyncio.create_task(supplier.run())

    async def stop_supplier(self) -> None:
        self.supplier.cancel()
        await asyncio.wait([self.supplier])

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await self.stop_supplier()
        await self._server.close(grace_s=5.0)
        self._threads.shutdown()

    def put(self, name: str, text: str) -> None:
        self.bucket[name] = archive({"model.txt": text.encode()})

    async def text(self, name: str) -> str:
        slot = self.models.take_loaded(name) or await self.models.take(name)
        try:
            return str(slot.model.model)
        finally:
            self.models.give_back(slot)

    def stocked(self) -> int:
        return sum(path.is_dir() for path in self.root.iterdir())

    async def _control(self) -> None:
        async for data in self.demands.watch():
            name = data.uri.removeprefix(PREFIX)
            if name not in self.bucket:
                self.demands.refuse(data, Refused(f"There is no {name}.", is_gone=True))
                continue
            digest = sha256(self.bucket[name]).hexdigest()
            path = self.folder / f"{digest}.tar.gz"
            path.write_bytes(self.bucket[name])
            self.demands.supply(data, ModelFiles(DataForm.ARCHIVE, digest, (ModelFile("model.tar.gz", path),)))


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    limits, disk_bytes = getattr(request, "param", (Limits(1 << 40, revalidate_s=0.0), 1 << 40))
    world = World(tmp_path, limits, disk_bytes=disk_bytes)
    await world.start()
    yield world
    await world.stop()


async def eventually(world: World, name: str, expected: str) -> None:
    async with asyncio.timeout(60.0):
        while expected != await world.text(name):
            world.models.want_changes()
            await asyncio.sleep(0.02)


async def test_what_is_wanted_is_brought_and_what_has_changed_is_brought_again(world: World) -> None:
    world.put("a", "one")
    assert ["one"] * 3 == await asyncio.gather(*(world.text("a") for _ in range(3)))
    world.put("a", "two")
    await eventually(world, "a", "two")
    assert (2, 2) == (world.stocked(), world.models.statistics.ModelLoadingTime.count)


async def test_what_is_not_there_is_refused_until_it_is(world: World) -> None:
    with pytest.raises(NoSuchModel, match="There is no a"):
        await world.text("a")
    world.put("a", "one")
    assert "one" == await world.text("a")
    del world.bucket["a"]
    with pytest.raises(NoSuchModel):
        await eventually(world, "a", "another")


async def test_what_is_no_archive_or_no_model_is_said_to_be_so(world: World) -> None:
    world.bucket["a"] = b"nothing"
    with pytest.raises(Broken, match="is not a gzip-compressed tar archive"):
        await world.text("a")


@pytest.mark.parametrize("world", [(Limits(1 << 40, keeps_models=False), 0)], indirect=True)
async def test_where_nothing_is_kept_nothing_is_missed(world: World) -> None:
    names = [f"m{number}" for number in range(6)]
    for name in names:
        world.put(name, name)
    for _ in range(4):
        assert names == await asyncio.gather(*map(world.text, names))
    async with asyncio.timeout(60.0):
        while world.stocked():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("world", [(Limits(1 << 40, keeps_models=False), 0)], indirect=True)
async def test_what_was_just_brought_is_soon_looked_at_again_though_nobody_wants_anything(world: World) -> None:
    world.put("a", "one")
    assert "one" == await world.text("a")
    assert 1 == world.channel.waiting_s


async def test_the_next_supplier_takes_over_what_is_wanted(world: World) -> None:
    await world.stop_supplier()
    world.put("a", "one")
    asking = asyncio.create_task(world.text("a"))
    await asyncio.sleep(0.05)
    world.start_supplier()
    assert "one" == await asking


async def test_a_fault_of_ours_is_said_at_once_and_the_model_can_be_wanted_again(world: World) -> None:
    world.put("a", "one")
    world.demands.faults.append(LookupError("nobody foresaw this"))
    with pytest.raises(NotServed, match="The model could not be brought: LookupError"):
        await world.text("a")
    assert "one" == await world.text("a")


async def test_a_file_system_that_refuses_is_tried_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.stop_supplier()
    shutil.rmtree(world.root, ignore_errors=True)
    world.root.write_text("in the way")
    world.put("a", "one")
    world.start_supplier()
    async with asyncio.timeout(60.0):
        while "cannot be looked through" not in caplog.text:
            await asyncio.sleep(0.01)
    world.root.unlink()
    assert "one" == await world.text("a")


async def test_what_was_answered_while_news_were_on_their_way_is_not_brought_again(tmp_path: Path) -> None:
    demands, channel = FaultyDemands(), ScriptedChannel(tmp_path / "i.sock")
    demands.faults += [LookupError("as good an answer as any")] * 3
    stock = Stock(tmp_path / "stock", bytes_max=1 << 40)
    supplier = Supplier(channel, PREFIX, demands=demands, stock=stock, clock=SystemClock())
    running = asyncio.create_task(supplier.run())
    async with asyncio.timeout(60.0):
        assert "a" == await channel.handed.get()
        while supplier._bringing:
            await asyncio.sleep(0.01)
        channel.is_answered.set()
        assert "b" == await channel.handed.get()
    running.cancel()
    await asyncio.wait([running])
