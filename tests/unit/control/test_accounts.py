"""The taking of ledgers: whatever is killed whenever, every invocation is saved once, in its second."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from moorage.control.accounts import Accounts
from moorage.control.ledgers import Ledgers
from moorage.control.settlement import add_up
from moorage.core.model import EndpointKey
from moorage.core.traffic import Outcome, SeriesKey, Tallies, Tally
from moorage.gateway.ledger import Ledger
from moorage.gateway.ledger_file import LedgerFile
from moorage.store.base import Counted, StaleVersion, StoreUnavailable, Transaction
from moorage.testing.memory_store import MemoryStore

T = TypeVar("T")

SHOP = SeriesKey("us-east-1", "Shop", "config", "AllTraffic", "i-1")
SHOP_KEY = EndpointKey("us-east-1", "Shop")
START = datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC)
START_S = int(START.timestamp())
SEEDS = range(40)
STEPS = 120


class Killed(BaseException):
    """Control was killed here."""


class HandClock:
    """Stands still unless it is set. Seconds count from `START`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1000.0 + self.seconds

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class MortalStore(MemoryStore):
    """Has its caller killed just before or just after a commit, when told so."""

    def __init__(self) -> None:
        super().__init__()
        self.kill: str | None = None

    async def run(self, work: Callable[[Transaction], T]) -> T:
        if self.kill == "before commit":
            raise Killed
        answer = await super().run(work)
        if self.kill == "after commit":
            raise Killed
        return answer


class MortalLedgers(Ledgers):
    """Has its caller killed after so many acknowledgements, when told so."""

    acknowledgements: int | None = None

    def acknowledge(self, readings, taken_ns: int) -> None:
        super().acknowledge(readings[: self.acknowledgements], taken_ns)
        if self.acknowledgements is not None:
            raise Killed


class World:
    """Workers that count, a control that takes, and what was really done."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = HandClock()
        self.store = MortalStore()
        self.workers: list[Ledger] = []
        self.held: dict[tuple[int, SeriesKey], object] = {}
        self.started = 0
        self.sent: dict[SeriesKey, Tally] = {}
        self.ledgers = MortalLedgers(folder)
        self.new_control()

    def new_control(self) -> None:
        self.store.kill = None
        self.ledgers.close()  # as the kernel does for a process that was killed
        self.ledgers = MortalLedgers(self.folder)
        self.accounts = Accounts(self.store, self.ledgers, clock=self.clock)
        self.is_loaded = False

    def new_worker(self) -> None:
        self.started += 1
        self.workers.append(Ledger(LedgerFile(self.folder, f"w{self.started}")))

    def kill_worker(self, worker: Ledger) -> None:
        self.workers.remove(worker)
        self.held = {at: series for at, series in self.held.items() if at[0] != id(worker)}
        worker.close()

    def record(self, worker: Ledger, key: SeriesKey, outcome: Outcome, model_us: int) -> None:
        series = worker.series(key, instances=2)
        self.held[id(worker), key] = series
        series.begin()
        series.record(outcome, model_us, 300, 10, 20)
        sent = [int(each is outcome) for each in Outcome]
        self.sent[key] = self.sent.get(key, Tally()) + Tally(outcomes=tuple(sent), bytes_in=10)

    def forget(self, worker: Ledger, key: SeriesKey) -> None:
        self.held.pop((id(worker), key), None)

    def tick(self) -> None:
        for worker in self.workers:
            for _ in worker.tick(monotonic_ns=int(self.clock.monotonic() * 1e9), at_ms=int(self.now_s * 1000)):
                pass

    @property
    def now_s(self) -> float:
        return START_S + self.clock.seconds

    async def take(self) -> None:
        """One taking, by a control that starts if it is new, and is replaced if it is killed."""
        try:
            if not self.is_loaded:
                await self.accounts.start()
                self.accounts._task.cancel()
                self.is_loaded = True
            await self.accounts.take()
        except Killed:
            self.new_control()

    async def seconds(self) -> list[Counted]:
        return list(await self.store.run(lambda tx: tx.traffic.seconds(0, 2**62)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def counts(tallies: Tallies) -> dict[SeriesKey, tuple[tuple[int, ...], int]]:
    return {key: (tally.outcomes, tally.bytes_in) for key, tally in tallies.items()}


@pytest.mark.parametrize("seed", SEEDS)
async def test_whoever_is_killed_whenever_every_invocation_is_saved_once(world: World, seed: int) -> None:
    chance = random.Random(seed)
    keys = [SHOP._replace(instance=f"i-{number}") for number in range(4)]
    for _ in range(STEPS):
        world.clock.seconds += chance.choice([0.1, 1.0, 1.0, 1.0, 5.0, 40.0])
        if not world.workers or chance.random() < 0.1:
            world.new_worker()
        for _ in range(chance.randrange(5)):
            outcome, model_us = chance.choice(list(Outcome)), chance.randrange(10**6)
            world.record(chance.choice(world.workers), chance.choice(keys), outcome, model_us)
        if chance.random() < 0.2:
            world.forget(chance.choice(world.workers), chance.choice(keys))
        if chance.random() < 0.8:
            world.tick()
        if chance.random() < 0.1:
            world.kill_worker(chance.choice(world.workers))
        if chance.random() < 0.7:
            world.store.kill = chance.choice([None, None, None, "before commit", "after commit"])
            world.ledgers.acknowledgements = chance.choice([None, None, None, 0, 1])
            await world.take()
    for worker in list(world.workers):
        world.kill_worker(worker)
    world.store.kill = world.ledgers.acknowledgements = None
    for _ in range(3):
        world.clock.seconds += 100
        await world.take()
    seconds = await world.seconds()
    total = add_up({counted.key: counted.tally} for counted in seconds)
    assert counts(world.sent) == counts(total)
    assert all(tally.invocations == tally.model.count == tally.overhead.count for tally in total.values())
    minutes = await world.store.run(lambda tx: tx.traffic.minutes(0, 2**62, endpoint=SHOP_KEY))
    assert counts(world.sent) == counts(add_up({counted.key: counted.tally} for counted in minutes))
    assert counts(world.sent) == counts(await world.store.run(lambda tx: tx.traffic.totals()))
    assert [] == list(world.folder.iterdir())
    assert {} == await world.store.run(lambda tx: tx.traffic.images())


async def test_what_is_counted_is_saved_in_its_second_and_once(world: World) -> None:
    world.new_worker()
    for second in range(5):
        for _ in range(second):
            world.record(world.workers[0], SHOP, Outcome.SUCCESS, 5000)
        world.clock.seconds = second + 1.05
        await world.take()
        await world.take()
    assert [(START_S + second, second) for second in range(1, 5)] == [
        (counted.at_s, counted.tally.invocations) for counted in await world.seconds()
    ]


async def test_while_control_is_away_every_second_is_kept(world: World) -> None:
    world.new_worker()
    world.tick()
    await world.take()
    for second in range(60):
        for _ in range(1 + second % 3):
            world.record(world.workers[0], SHOP, Outcome.SUCCESS, 5000)
        world.clock.seconds = second + 1.0
        world.tick()
    world.new_control()
    world.clock.seconds += 0.05
    await world.take()
    found = {counted.at_s - START_S: counted.tally.invocations for counted in await world.seconds()}
    # The first page of an absence, which is noticed in the second second, is for both.
    assert {second: 1 + second % 3 for second in range(2, 60)} | {1: 3} == found


async def test_where_nothing_happens_nothing_is_saved(world: World) -> None:
    world.new_worker()
    world.record(world.workers[0], SHOP, Outcome.SUCCESS, 5000)
    await world.take()
    world.clock.seconds = 200.0
    await world.take()
    world.store.kill = "before commit"
    for _ in range(10):
        world.clock.seconds += 1
        await world.accounts.take()


async def test_a_long_request_is_in_flight_in_every_second_until_its_worker_dies(world: World) -> None:
    world.new_worker()
    series = world.workers[0].series(SHOP, instances=1)
    series.begin()
    for second in range(3):
        world.clock.seconds = second + 1.05
        await world.take()
    world.kill_worker(world.workers[0])
    for second in range(3, 5):
        world.clock.seconds = second + 1.05
        await world.take()
    assert [(START_S + second, 1) for second in range(3)] == [
        (counted.at_s, counted.tally.in_flight) for counted in await world.seconds()
    ]


async def test_a_minute_is_written_once_it_is_over_and_a_late_second_added_to_it(world: World) -> None:
    world.new_worker()
    world.record(world.workers[0], SHOP, Outcome.SUCCESS, 5000)
    world.clock.seconds = 1.0
    await world.take()
    world.clock.seconds = 61.9
    await world.take()
    assert [] == await world.store.run(lambda tx: tx.traffic.minutes(0, 2**62, endpoint=SHOP_KEY))
    world.clock.seconds = 62.0
    await world.take()

    def minutes(tx: Transaction) -> list[tuple[int, int]]:
        return [(each.at_s, each.tally.invocations) for each in tx.traffic.minutes(0, 2**62, endpoint=SHOP_KEY)]

    assert [(START_S, 1)] == await world.store.run(minutes)
    world.record(world.workers[0], SHOP, Outcome.SUCCESS, 5000)
    world.clock.seconds = 62.4  # mostly about the second before, but there may be worse
    await world.take()
    world.clock.seconds = 200.0
    await world.take()
    assert [(START_S, 1), (START_S + 60, 1)] == await world.store.run(minutes)


async def test_seconds_are_forgotten_after_three_hours(world: World) -> None:
    world.new_worker()
    for hour in range(5):
        world.clock.seconds = hour * 3600.0 + 1
        world.record(world.workers[0], SHOP, Outcome.SUCCESS, 5000)
        await world.take()
        world.clock.seconds += 120
        await world.take()
    assert START_S + world.clock.seconds - 3 * 3600 - 3600 < (await world.seconds())[0].at_s
    assert 5 == (await world.store.run(lambda tx: tx.traffic.totals()))[SHOP].invocations


async def test_of_two_controls_only_one_saves(world: World, tmp_path: Path) -> None:
    world.new_worker()
    await world.take()
    other = Accounts(world.store, Ledgers(tmp_path), clock=world.clock)
    await other.start()
    other._task.cancel()
    world.record(world.workers[0], SHOP, Outcome.SUCCESS, 5000)
    await world.take()
    with pytest.raises(StaleVersion):
        await other.take()
    assert 1 == sum(counted.tally.invocations for counted in await world.seconds())


async def test_while_the_store_is_away_nothing_is_lost(world: World) -> None:
    world.new_worker()
    await world.take()
    world.record(world.workers[0], SHOP, Outcome.SUCCESS, 5000)
    world.store.unavailable = True
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await world.accounts.take()
    world.store.unavailable = False
    await world.take()
    assert 1 == sum(counted.tally.invocations for counted in await world.seconds())


async def test_a_file_that_is_no_ledger_is_left_alone(world: World, tmp_path: Path) -> None:
    (tmp_path / "other.ledger").write_bytes(b"something else" * 1000)
    world.new_worker()
    world.record(world.workers[0], SHOP, Outcome.SUCCESS, 5000)
    for _ in range(2):
        await world.take()
    assert 1 == sum(counted.tally.invocations for counted in await world.seconds())
    assert (tmp_path / "other.ledger").exists()
