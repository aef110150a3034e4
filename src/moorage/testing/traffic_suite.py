"""What every store must do with the traffic. Subclass `TrafficSuite` and give it a `store` fixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from moorage.core.latency import Histogram
from moorage.core.model import EndpointKey
from moorage.core.traffic import SeriesKey, Tallies, Tally
from moorage.store.base import Counted, StaleVersion, Store, TrafficProgress, Transaction

SHOP_KEY = EndpointKey("us-east-1", "Shop")
SHOP = SeriesKey("us-east-1", "Shop", "config", "AllTraffic", "i-1")
REFUSED = SHOP._replace(variant="", instance="")
BANK = SHOP._replace(endpoint="Bank")
ABROAD = SHOP._replace(region="eu-west-1")
SOME = Tally((5, 4, 3, 2, 1, 0, 9), 7, Histogram({1: 2, 1599: 4}, 2**50), Histogram({3: 1}, 3), 10, 2**40, 30)


class TrafficSuite:
    """The contract, one test a sentence."""

    async def test_of_nothing_there_is_nothing(self, store: Store) -> None:
        assert TrafficProgress(0, 0) == await store.run(lambda tx: tx.traffic.progress())
        assert ([], {}, {}) == await store.run(
            lambda tx: (list(tx.traffic.seconds(0, 10)), tx.traffic.totals(), tx.traffic.images())
        )

    async def test_what_is_added_to_a_second_is_found_in_order_of_time(self, store: Store) -> None:
        await add_second(store, 12, {SHOP: SOME})
        await add_second(store, 11, {SHOP: SOME, BANK: Tally()})
        found = await store.run(lambda tx: tx.traffic.seconds(11, 13))
        assert [11, 11, 12] == [counted.at_s for counted in found]
        assert {(11, SHOP): SOME, (11, BANK): Tally(), (12, SHOP): SOME} == {
            (counted.at_s, counted.key): counted.tally for counted in found
        }
        assert [] == await store.run(lambda tx: tx.traffic.seconds(13, 99))
        assert [] == await store.run(lambda tx: tx.traffic.seconds(0, 11))

    async def test_a_second_adds_up(self, store: Store) -> None:
        for _ in range(3):
            await add_second(store, 11, {SHOP: SOME, REFUSED: SOME})
        found = await store.run(lambda tx: tx.traffic.seconds(11, 12))
        assert {SHOP: SOME + SOME + SOME, REFUSED: SOME + SOME + SOME} == {each.key: each.tally for each in found}

    async def test_a_minute_adds_up_over_time_and_into_the_total(self, store: Store) -> None:
        later = replace(SOME, in_flight=99)
        for minute_s, tally in ((60, SOME), (60, later), (120, SOME)):
            await add_minute(store, minute_s, {SHOP: tally})
        key = EndpointKey("us-east-1", "Shop")
        found = await store.run(lambda tx: tx.traffic.minutes(0, 180, endpoint=key))
        assert [Counted(60, SHOP, SOME.then(later)), Counted(120, SHOP, SOME)] == found
        assert {SHOP: SOME.then(later).then(SOME)} == await store.run(lambda tx: tx.traffic.totals())

    async def test_endpoints_are_told_apart_by_region_and_name(self, store: Store) -> None:
        everything = {SHOP: SOME, REFUSED: SOME, BANK: SOME, ABROAD: SOME}
        await add_second(store, 11, everything)
        await add_minute(store, 0, everything)
        key = EndpointKey("us-east-1", "Shop")

        def found(tx: Transaction) -> list[set[SeriesKey]]:
            return [
                {counted.key for counted in tx.traffic.seconds(0, 99, endpoint=key)},
                {counted.key for counted in tx.traffic.minutes(0, 99, endpoint=key)},
                set(tx.traffic.totals(key)),
            ]

        assert [{SHOP, REFUSED}] * 3 == await store.run(found)

    async def test_a_thousand_series_in_one_second(self, store: Store) -> None:
        many = {SHOP._replace(instance=f"i-{number}"): replace(SOME, bytes_in=number) for number in range(1234)}
        await add_second(store, 60, many)
        await add_minute(store, 60, many)
        found = await store.run(lambda tx: tx.traffic.seconds(60, 61))
        assert many == {counted.key: counted.tally for counted in found}
        assert many == await store.run(lambda tx: tx.traffic.totals())

    async def test_what_expires_is_gone_and_still_in_the_total(self, store: Store) -> None:
        for second in (59, 60):
            await add_second(store, second, {SHOP: SOME})
        for minute_s in (60, 120):
            await add_minute(store, minute_s, {SHOP: SOME})
        await store.run(lambda tx: tx.traffic.expire(seconds_before_s=60, minutes_before_s=120))
        key = EndpointKey("us-east-1", "Shop")
        assert [60] == [each.at_s for each in await store.run(lambda tx: tx.traffic.seconds(0, 999))]
        assert [120] == [each.at_s for each in await store.run(lambda tx: tx.traffic.minutes(0, 999, endpoint=key))]
        assert {SHOP: SOME.then(SOME)} == await store.run(lambda tx: tx.traffic.totals())

    async def test_the_totals_of_series_that_expired_go_into_their_endpoints(self, store: Store) -> None:
        await store.run(lambda tx: tx.traffic.swap(TrafficProgress(0, minutes_until_s=240)))
        await add_minute(store, 60, {SHOP: SOME, REFUSED: SOME, BANK: SOME})
        await add_minute(store, 120, {BANK: SOME})
        new = SHOP._replace(instance="i-2")
        await add_second(store, 240, {new: SOME})
        for _ in range(2):
            await store.run(lambda tx: tx.traffic.expire(seconds_before_s=0, minutes_before_s=120))
        both = SOME.then(SOME)
        whole = SeriesKey("us-east-1", "Shop", config="")
        variant = SHOP._replace(instance="")
        assert {variant: SOME, whole: SOME, BANK: both, new: Tally()} == (
            await store.run(lambda tx: tx.traffic.totals())
        )
        await add_minute(store, 180, {SHOP: SOME})
        for _ in range(2):
            await store.run(lambda tx: tx.traffic.expire(seconds_before_s=0, minutes_before_s=240))
        bank = BANK._replace(config="", variant="", instance="")
        assert {variant: both, whole: SOME, bank: both, new: Tally()} == (
            await store.run(lambda tx: tx.traffic.totals())
        )

    async def test_the_sum_over_a_variant_that_goes_on_never_falls(self, store: Store) -> None:
        await store.run(lambda tx: tx.traffic.swap(TrafficProgress(0, minutes_until_s=600)))
        new = SHOP._replace(instance="i-2")
        await add_minute(store, 60, {SHOP: SOME})
        await add_minute(store, 120, {new: SOME})
        for _ in range(2):
            await store.run(lambda tx: tx.traffic.expire(seconds_before_s=0, minutes_before_s=120))
        assert {SHOP._replace(instance=""): SOME, new: SOME} == await store.run(lambda tx: tx.traffic.totals())
        for _ in range(2):
            await store.run(lambda tx: tx.traffic.expire(seconds_before_s=0, minutes_before_s=180))
        whole = SeriesKey("us-east-1", "Shop", config="")
        assert {whole: SOME.then(SOME)} == await store.run(lambda tx: tx.traffic.totals())

    async def test_old_minutes_are_joined_by_variant_first_into_five_then_into_hours(self, store: Store) -> None:
        other = SHOP._replace(instance="i-2")
        for minute_s in (3600, 3660, 3900, 7200):
            await add_minute(store, minute_s, {SHOP: SOME, other: SOME})
        await archive(store, minutes_before_s=7200)
        variant, both = SHOP._replace(instance=""), SOME.then(SOME)
        four = both.then(both)
        assert [Counted(3600, variant, four), Counted(3900, variant, both)] == await archived(store)
        assert [7200, 7200] == [
            each.at_s for each in await store.run(lambda tx: tx.traffic.minutes(0, 9999, endpoint=SHOP_KEY))
        ]
        await archive(store, minutes_before_s=7500, fives_before_s=7200)
        assert [Counted(3600, variant, four.then(both)), Counted(7200, variant, both)] == await archived(store)
        await archive(store, fives_before_s=7200, hours_before_s=7200)
        assert [Counted(7200, variant, both)] == await archived(store)

    async def test_what_is_archived_late_joins_what_is_there(self, store: Store) -> None:
        for _ in range(2):
            await add_minute(store, 60, {SHOP: SOME})
            await archive(store, minutes_before_s=300)
        assert [Counted(0, SHOP._replace(instance=""), SOME.then(SOME))] == await archived(store)

    async def test_a_variant_with_something_in_the_archive_keeps_its_total(self, store: Store) -> None:
        await add_minute(store, 60, {SHOP: SOME})
        await archive(store, minutes_before_s=300)
        await store.run(lambda tx: tx.traffic.expire(seconds_before_s=300, minutes_before_s=300))
        assert SHOP._replace(instance="") in await store.run(lambda tx: tx.traffic.totals())
        await archive(store, hours_before_s=300)
        for _ in range(2):
            await store.run(lambda tx: tx.traffic.expire(seconds_before_s=300, minutes_before_s=300))
        assert {SeriesKey("us-east-1", "Shop", config=""): SOME} == await store.run(lambda tx: tx.traffic.totals())

    async def test_without_latencies_all_else_is_the_same(self, store: Store) -> None:
        counts = replace(SOME, model=Histogram(), overhead=Histogram())
        assert counts != SOME
        await add_second(store, 60, {SHOP: SOME})
        await add_minute(store, 60, {SHOP: SOME})
        found = await store.run(
            lambda tx: [
                *tx.traffic.seconds(0, 99, latencies=False),
                *tx.traffic.minutes(0, 99, endpoint=SHOP_KEY, latencies=False),
            ]
        )
        assert [counts, counts] == [each.tally for each in found]

    async def test_the_latest_of_each_series_is_its_last_minute_or_second(self, store: Store) -> None:
        await store.run(lambda tx: tx.traffic.swap(TrafficProgress(0, minutes_until_s=180)))
        for minute_s in (60, 120):
            await add_minute(store, minute_s, {SHOP: SOME, ABROAD: SOME})
        await add_second(store, 170, {SHOP: SOME})
        await add_second(store, 190, {BANK: SOME})
        assert {SHOP: 120, BANK: 190} == await store.run(lambda tx: tx.traffic.latest("us-east-1"))

    async def test_what_is_read_is_what_was_committed(self, store: Store) -> None:
        assert [] == await store.read(lambda tx: tx.traffic.seconds(0, 99))
        await add_second(store, 60, {SHOP: SOME})
        assert [Counted(60, SHOP, SOME)] == await store.read(lambda tx: tx.traffic.seconds(0, 99))

    async def test_progress_is_saved_only_over_what_was_loaded(self, store: Store) -> None:
        first = await store.run(lambda tx: tx.traffic.swap(TrafficProgress(0, 60)))
        assert TrafficProgress(1, 60) == first
        assert first == await store.run(lambda tx: tx.traffic.progress())
        with pytest.raises(StaleVersion):
            await store.run(lambda tx: tx.traffic.swap(TrafficProgress(0, 120)))
        second = await store.run(lambda tx: tx.traffic.swap(replace(first, minutes_until_s=120)))
        assert TrafficProgress(2, 120) == second

    async def test_a_lost_swap_takes_back_what_came_with_it(self, store: Store) -> None:
        await store.run(lambda tx: tx.traffic.swap(TrafficProgress()))

        def work(tx: Transaction) -> None:
            tx.traffic.add_second(11, {SHOP: SOME})
            tx.traffic.put_images("one", {1: b"image"})
            tx.traffic.swap(TrafficProgress())

        with pytest.raises(StaleVersion):
            await store.run(work)
        assert ([], {}) == await store.run(lambda tx: (list(tx.traffic.seconds(0, 99)), tx.traffic.images()))

    async def test_images_are_replaced_and_dropped_one_by_one_or_with_their_ledger(self, store: Store) -> None:
        await store.run(lambda tx: tx.traffic.put_images("one", {1: b"a", 2: b"b", 3: b"c"}))
        await store.run(lambda tx: tx.traffic.put_images("two", {1: b"d"}))
        await store.run(lambda tx: tx.traffic.put_images("one", {2: b"e"}))
        await store.run(lambda tx: tx.traffic.drop_images("one", {1, 99}))
        assert {"one": {2: b"e", 3: b"c"}, "two": {1: b"d"}} == await store.run(lambda tx: tx.traffic.images())
        await store.run(lambda tx: tx.traffic.drop_ledger("one"))
        assert {"two": {1: b"d"}} == await store.run(lambda tx: tx.traffic.images())


async def add_second(store: Store, at_s: int, tallies: Tallies) -> None:
    """Add to a second."""
    await store.run(lambda tx: tx.traffic.add_second(at_s, tallies))


async def add_minute(store: Store, at_s: int, tallies: Tallies) -> None:
    """Add to a minute."""
    await store.run(lambda tx: tx.traffic.add_minute(at_s, tallies))


async def archive(store: Store, *, minutes_before_s: int = 0, fives_before_s: int = 0, hours_before_s: int = 0) -> None:
    """Move what is old."""
    await store.run(
        lambda tx: tx.traffic.archive(
            minutes_before_s=minutes_before_s, fives_before_s=fives_before_s, hours_before_s=hours_before_s
        )
    )


async def archived(store: Store) -> Sequence[Counted]:
    """All that the archive has of the shop."""
    return list(await store.run(lambda tx: tx.traffic.archived(0, 99_999, endpoint=SHOP_KEY)))
