"""What becomes of requests for models, with models that are loaded by a word of the test."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from moorage.runtime.multi_model.faults import Broken, NoRoom, NoSuchModel, NotReady, NotServed
from moorage.runtime.multi_model.limits import Limits
from moorage.runtime.multi_model.loading import Loader
from moorage.runtime.multi_model.models import Models
from moorage.runtime.multi_model.room import Allocated, Loaded
from moorage.runtime.multi_model.shelf import Shelf, Slot
from moorage.runtime.multi_model.statistics import Statistics
from moorage.wire.messages import Begin, Reply, Request

PLENTY = 1 << 40
SIZE = 1000


class Workshop:
    """Loads a folder's name. Can be held up, and told that a folder is broken or too large."""

    def __init__(self) -> None:
        self.loads: list[str] = []
        self.improved: list[str] = []
        self.closed: list[str] = []
        self.broken: set[str] = set()
        self.too_large = 0
        self.may_load = asyncio.Event()
        self.may_load.set()

    async def load(self, name: str, folder: Path) -> str:
        assert folder.name.startswith(name)
        self.loads.append(folder.name)
        await self.may_load.wait()
        if folder.name in self.broken:
            raise Broken("it is broken")
        if self.too_large:
            self.too_large -= 1
            raise MemoryError
        return folder.name

    async def improve(self, name: str, model: str) -> str:
        self.improved.append(name)
        if name == "broken":
            raise Broken("it does not load twice")
        return f"quick {model}"

    async def close(self, model: str) -> None:
        self.closed.append(model)

    def serve(self, model: str) -> Begin:
        def begin(_request: Request, _reply: Reply) -> None:
            raise AssertionError(f"nobody asks {model} here")

        return begin


class World:
    def __init__(self, root: Path, limits: Limits, threads: ThreadPoolExecutor) -> None:
        self.root = root
        self.now = 0.0
        self.resident = 0
        """What the process takes without models."""
        self.growth = 0
        """What each model adds to it."""
        self.workshop = Workshop()
        self.shelf: Shelf[Loaded] = Shelf(bytes_max=limits.bytes_max, count_max=limits.count_max, pinned=limits.pinned)
        self.statistics = Statistics()
        loader = Loader(
            self.shelf,
            self.workshop,
            threads=threads,
            limits=limits,
            memory=self,
            statistics=self.statistics,
        )
        self.models = Models(self.shelf, loader, limits=limits, statistics=self.statistics, monotonic=lambda: self.now)

    def allocated(self) -> Allocated:
        guests = sum(slot.model.is_guest for slot in self.shelf)
        return Allocated(guests * self.growth, self.resident + (len(self.shelf) - guests) * self.growth)

    async def trim(self) -> None:
        """There is nothing between."""

    collect = trim

    def folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        (folder / "model").write_bytes(b"m" * SIZE)
        return folder

    async def supply(self, name: str, version: str = "1") -> None:
        await self.models.supply(name, version, self.folder(f"{name}-{version}"), downloading_us=5)

    async def take(self, name: str) -> Slot[Loaded]:
        """As a request does, with an agent that brings version 1 of whatever is wanted."""
        slot = self.models.take_loaded(name)
        if slot is not None:
            return slot
        taking = asyncio.create_task(self.models.take(name))
        await turn()
        if name in self.models.wants:
            await self.supply(name)
        return await taking

    async def use(self, name: str) -> None:
        self.models.give_back(await self.take(name))

    def loaded(self) -> list[str]:
        return [slot.name for slot in self.shelf]


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.fixture
def limits(request: pytest.FixtureRequest) -> Limits:
    return getattr(request, "param", Limits(PLENTY))


@pytest.fixture
async def world(tmp_path: Path, limits: Limits) -> AsyncIterator[World]:
    with ThreadPoolExecutor(4) as threads:
        yield World(tmp_path, limits, threads)
        await asyncio.sleep(0.01)  # what is being closed


async def test_all_who_want_a_model_wait_for_the_same_load(world: World) -> None:
    taking = [asyncio.create_task(world.models.take("a")) for _ in range(20)]
    await turn()
    assert (1, 1) == (world.models.wants.number, len((await world.models.wants.news(-1, wait_s=0))[1]))
    await world.supply("a")
    slots = [await each for each in taking]
    assert 1 == len(set(map(id, slots)))
    assert ["a-1"] == world.workshop.loads
    assert 20 == slots[0].users
    assert (20, 0) == (world.statistics.ModelCacheHit.count, world.statistics.ModelCacheHit.total)
    assert 1 == world.statistics.ModelDownloadingTime.count


@pytest.mark.parametrize("limits", [Limits(PLENTY, count_max=2, pinned=frozenset({"a"}))], indirect=True)
async def test_the_least_used_goes_and_the_pinned_stays(world: World) -> None:
    for name in ("a", "b", "c", "b", "d"):
        await world.use(name)
    assert ["a", "d"] == world.loaded()
    assert ["a-1", "b-1", "c-1", "b-1", "d-1"] == world.workshop.loads


@pytest.mark.parametrize("limits", [Limits(PLENTY, count_max=1)], indirect=True)
async def test_a_model_in_use_is_not_unloaded_for_another(world: World) -> None:
    used = await world.take("a")
    loading = asyncio.create_task(world.take("b"))
    await asyncio.sleep(0.05)
    assert (["a"], ["a-1"]) == (world.loaded(), world.workshop.loads)
    world.models.give_back(used)
    assert "b" == (await loading).name
    assert ["b"] == world.loaded()


@pytest.mark.parametrize("limits", [Limits(PLENTY, count_max=1, pinned=frozenset({"a"}))], indirect=True)
async def test_where_nothing_may_go_there_is_no_room(world: World) -> None:
    await world.use("a")
    with pytest.raises(NoRoom, match="enough memory to load model b"):
        await world.take("b")


@pytest.mark.parametrize("limits", [Limits(PLENTY, count_max=1, wait_s=600.0)], indirect=True)
async def test_many_more_models_than_there_is_room_for_are_all_served(world: World) -> None:
    async def agent() -> None:
        known = 0
        while True:
            known, wants = await world.models.wants.news(known, wait_s=1.0)
            for want in wants:
                brought.append(asyncio.create_task(world.supply(want.model)))

    brought: list[asyncio.Task[None]] = []
    bringing = asyncio.create_task(agent())

    async def ask(name: str) -> str:
        slot = world.models.take_loaded(name) or await world.models.take(name)
        world.models.give_back(slot)
        return slot.name

    names = [f"m{number}" for number in range(20)]
    assert names == await asyncio.gather(*map(ask, names))
    bringing.cancel()
    await asyncio.wait([bringing, *brought])
    assert sorted(f"{name}-1" for name in names) == sorted(world.workshop.loads)


async def test_a_model_that_went_while_it_was_compared_is_brought_to_whoever_waits(world: World) -> None:
    await world.use("a")
    world.now += 60.0
    world.models.want_changes()
    world.models.unload("a")
    asking = asyncio.create_task(world.models.take("a"))
    await turn()
    world.models.confirm("a")
    _, wants = await world.models.wants.news(-1, wait_s=0)
    assert [("a", None, True)] == [(want.model, want.version, want.hurry) for want in wants]
    await world.supply("a")
    assert "1" == (await asking).version


async def test_a_caller_that_leaves_while_it_waits_holds_nothing(world: World) -> None:
    leaving, staying = (asyncio.create_task(world.models.take("a")) for _ in range(2))
    await turn()
    leaving.cancel()
    await asyncio.wait([leaving])
    await world.supply("a")
    slot = await staying
    assert 1 == slot.users


@pytest.mark.parametrize("limits", [Limits(PLENTY, wait_s=0.02)], indirect=True)
async def test_a_request_waits_so_long_and_loading_goes_on(world: World) -> None:
    world.workshop.may_load.clear()
    taking = asyncio.create_task(world.models.take("slow"))
    await turn()
    loading = asyncio.create_task(world.supply("slow"))
    with pytest.raises(NotReady, match="slow is not ready") as caught:
        await taking
    assert (429, b"ModelNotReadyException") == (caught.value.status, caught.value.code)
    world.workshop.may_load.set()
    await loading
    assert world.models.take_loaded("slow") is not None


@pytest.mark.parametrize("limits", [Limits(PLENTY, load_s=0.05)], indirect=True)
async def test_a_load_without_an_end_is_not_begun_again(world: World) -> None:
    world.workshop.may_load.clear()
    with pytest.raises(Broken, match="not loaded within"):
        await world.take("endless")
    world.now += 60.0
    with pytest.raises(Broken, match="not loaded within"):
        await world.take("endless")
    world.workshop.may_load.set()
    await world.models.supply("endless", "2", world.folder("endless-2"), downloading_us=0)
    assert world.models.take_loaded("endless") is not None
    assert 1 == world.workshop.loads.count("endless-1")


async def test_a_broken_model_fails_its_own_requests_and_is_tried_again_later(world: World) -> None:
    world.workshop.broken.add("bad-1")
    with pytest.raises(Broken, match="it is broken"):
        await world.take("bad")
    await world.use("good")
    with pytest.raises(Broken):
        await world.models.take("bad")
    assert "bad" not in world.models.wants
    world.workshop.broken.clear()
    world.now += 10.0
    await world.use("bad")
    assert ["bad-1", "good-1", "bad-1"] == world.workshop.loads


async def test_what_is_not_there_is_asked_for_each_time(world: World) -> None:
    for _ in range(2):
        taking = asyncio.create_task(world.models.take("none"))
        await turn()
        world.models.refuse("none", NoSuchModel("no such object"), is_gone=True)
        with pytest.raises(NoSuchModel, match="no such object"):
            await taking
    assert 2 == world.models.wants.number


async def test_a_newer_version_serves_when_it_is_loaded_and_the_older_until_its_last_request(world: World) -> None:
    old = await world.take("a")
    world.now += 60.0
    world.models.want_changes()
    _, wants = await world.models.wants.news(-1, wait_s=0)
    assert [("a", "1", False)] == [(want.model, want.version, want.hurry) for want in wants]
    world.workshop.may_load.clear()
    loading = asyncio.create_task(world.supply("a", "2"))
    await turn()
    assert old is world.models.take_loaded("a")
    world.models.give_back(old)
    world.workshop.may_load.set()
    await loading
    new = world.models.take_loaded("a")
    assert new is not None
    assert ("2", True, 1) == (new.version, old.is_retired, old.users)
    world.models.give_back(old)


async def test_only_what_was_used_is_compared_with_its_object(world: World) -> None:
    await world.use("a")
    await world.use("b")
    world.now += 60.0
    world.models.want_changes()
    assert "a" in world.models.wants
    await world.supply("a")
    await world.supply("b")
    world.now += 60.0
    await world.use("b")
    world.models.want_changes()
    assert ("a" in world.models.wants, "b" in world.models.wants) == (False, True)
    assert ["a-1", "b-1"] == world.workshop.loads


async def test_no_more_than_some_are_compared_at_once_and_the_longest_unchecked_first(world: World) -> None:
    names = [f"m{number:02}" for number in range(30)]
    for name in names:
        world.now += 1.0
        await world.use(name)
    world.now += 60.0
    world.models.want_changes()
    _, wants = await world.models.wants.news(-1, wait_s=0)
    assert names[:20] == [want.model for want in wants]


async def test_a_model_that_is_gone_from_s3_is_served_no_longer(world: World) -> None:
    await world.use("a")
    world.models.refuse("a", NotServed("S3 does not answer"), is_gone=False)
    assert ["a"] == world.loaded()
    world.models.refuse("a", NoSuchModel("no such object"), is_gone=True)
    assert [] == world.loaded()


@pytest.mark.parametrize("limits", [Limits(PLENTY, keeps_models=False)], indirect=True)
async def test_without_a_cache_a_model_goes_with_its_last_request(world: World) -> None:
    first, second = await world.take("a"), await world.take("a")
    world.models.give_back(first)
    assert ["a"] == world.loaded()
    world.models.give_back(second)
    assert [] == world.loaded()


async def test_for_lack_of_memory_others_are_unloaded_one_by_one(world: World) -> None:
    for name in "abc":
        await world.use(name)
    world.workshop.too_large = 2
    await world.use("d")
    assert ["c", "d"] == world.loaded()
    world.workshop.too_large = 9
    with pytest.raises(NoRoom):
        await world.take("e")
    assert [] == world.loaded()


@pytest.mark.parametrize("limits", [Limits(3 * SIZE)], indirect=True)
async def test_the_bytes_of_all_models_stay_below_the_cap(world: World) -> None:
    for name in "abcdefg":
        await world.use(name)
        assert world.shelf.bytes <= 3 * SIZE
    assert "g" in world.loaded()


@pytest.mark.parametrize("limits", [Limits(10 * SIZE)], indirect=True)
async def test_the_process_stays_below_the_cap_though_models_are_larger_than_their_files(world: World) -> None:
    world.growth = 3 * SIZE
    for name in "abcdefg":
        await world.use(name)
        assert len(world.shelf) <= 3
    assert ["e", "f", "g"] == world.loaded()


@pytest.mark.parametrize("limits", [Limits(10 * SIZE)], indirect=True)
async def test_what_other_things_take_costs_the_cache_but_no_request(world: World) -> None:
    await world.use("a")
    world.resident = 100 * SIZE
    await world.use("b")
    await world.use("c")
    assert ["c"] == world.loaded()


async def test_a_model_that_is_used_a_lot_is_made_quicker_once(world: World) -> None:
    for name in ("a", "broken", "rare"):
        for _ in range(2 if name == "rare" else 30):
            await world.use(name)
            await asyncio.sleep(0.001)
    assert {"a", "broken"} == set(world.workshop.improved)
    assert 1 == world.workshop.improved.count("a")
    models = {slot.name: slot.model.model for slot in world.shelf}
    assert {"a": "quick a-1", "broken": "broken-1", "rare": "rare-1"} == models
    assert ["a-1"] == world.workshop.closed


@pytest.mark.parametrize("limits", [Limits(40 * SIZE)], indirect=True)
async def test_models_that_are_rarely_used_take_no_more_than_their_share(world: World) -> None:
    for name in ("often", "also"):
        for _ in range(9):
            await world.use(name)
            await asyncio.sleep(0.001)
    for number in range(30):
        await world.use(f"rare-{number}")
    settled = {slot.name for slot in world.shelf if not slot.model.is_guest}
    guests = [slot.name for slot in world.shelf if slot.model.is_guest]
    assert {"often", "also"} == settled
    assert [f"rare-{number}" for number in range(20, 30)] == guests


@pytest.mark.parametrize("limits", [Limits(16 * SIZE)], indirect=True)
async def test_the_least_used_makes_room_for_one_that_is_used_more(world: World) -> None:
    async def settle(name: str, times: int) -> None:
        for _ in range(times):
            await world.use(name)
            await asyncio.sleep(0.001)

    for number in range(6):
        await settle(f"m{number}", 9)
    await settle("m0", 9)
    await settle("new", 30)
    settled = {slot.name for slot in world.shelf if not slot.model.is_guest}
    assert {"m0", "new"} <= settled
    assert 6 == len(settled)


async def test_an_agent_that_dies_during_a_load_leaves_nobody_waiting(world: World) -> None:
    world.workshop.may_load.clear()
    taking = asyncio.create_task(world.models.take("a"))
    await turn()
    first = asyncio.create_task(world.supply("a"))
    await turn()
    first.cancel()
    second = asyncio.create_task(world.supply("a"))
    await turn()
    world.workshop.may_load.set()
    await second
    assert "a" == (await taking).name
    assert ["a-1"] == world.workshop.loads


async def test_the_container_api_evicts_nobody(world: World, tmp_path: Path) -> None:
    assert await world.models.load("x", world.folder("x"))
    assert not await world.models.load("x", world.folder("x"))
    world.now += 60.0
    world.models.want_changes()
    assert "x" not in world.models.wants
    assert world.models.unload("x")
    assert not world.models.unload("x")
