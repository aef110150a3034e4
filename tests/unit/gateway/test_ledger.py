"""The ledger from both ends: whatever is recorded is read once, in whatever order and however often one looks."""

from __future__ import annotations

import errno
import gc
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moorage.core.latency import BITS_MAX, Histogram, bucket_of
from moorage.core.traffic import SHARE, Outcome, SeriesKey, Tally
from moorage.gateway import ledger_pages
from moorage.gateway.ledger import Ledger
from moorage.gateway.ledger_file import SEGMENT_BLOCKS, LedgerFile
from moorage.telemetry.ledger_images import advance, decode_image, encode_image, key_of
from moorage.telemetry.ledger_reader import Image, LedgerReader

SHOP = SeriesKey("us-east-1", "Shop", "Shop-config", "AllTraffic", "i-0123456789abcdef0")
SECOND_NS = 1_000_000_000

LATENCIES = st.integers(0, 2**BITS_MAX - 1) | st.integers(0, 200)
INVOCATIONS = st.tuples(st.sampled_from(Outcome), LATENCIES, LATENCIES, st.integers(0, 2**30), st.integers(0, 2**30))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(LedgerFile(tmp_path, "one"))
    yield ledger
    ledger.close()


@pytest.fixture
def reader(tmp_path: Path, ledger: Ledger):
    reader = LedgerReader(tmp_path / "one.ledger")
    yield reader
    reader.close()


def tick(ledger: Ledger, *, monotonic_ns: int, at_ms: int) -> None:
    for _ in ledger.tick(monotonic_ns=monotonic_ns, at_ms=at_ms):
        pass


class Taker:
    """Reads as control does, and remembers what it has taken."""

    def __init__(self, reader: LedgerReader) -> None:
        self.reader = reader
        self.taken: dict[int, Image] = {}

    def take(self) -> dict[SeriesKey, Tally]:
        return self._take(self.reader.changes(self.taken))

    def pages(self) -> list[tuple[int, dict[SeriesKey, Tally]]]:
        return [(page.at_ms, self._take(page.images)) for page in self.reader.pages()]

    def _take(self, images) -> dict[SeriesKey, Tally]:
        tallies = {}
        for number, image in images.items():
            self.taken[number], tally = advance(self.taken.get(number, {}), image)
            tallies[key_of(self.taken[number])] = tally
        return tallies


def tally_of(invocations: list[tuple[Outcome, int, int, int, int]]) -> Tally:
    """What ought to be counted, the plain way."""
    outcomes, model, overhead, bytes_in, bytes_out = zip(*invocations, strict=True)
    return Tally(
        outcomes=tuple(Counter(outcomes)[outcome] for outcome in Outcome),
        per_instance_shares=SHARE * len(invocations),
        model=Histogram(Counter(map(bucket_of, model)), sum(model)),
        overhead=Histogram(Counter(map(bucket_of, overhead)), sum(overhead)),
        bytes_in=sum(bytes_in),
        bytes_out=sum(bytes_out),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(st.lists(st.lists(INVOCATIONS, min_size=1), min_size=1, max_size=4))
def test_what_is_recorded_is_read_and_only_what_is_new(tmp_path_factory, bursts) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    series = Ledger(LedgerFile(folder, "one")).series(SHOP, instances=1)
    reader = LedgerReader(folder / "one.ledger")
    taker = Taker(reader)
    taker.take()
    for burst in bursts:
        for invocation in burst:
            series.record(*invocation)
        assert {SHOP: tally_of(burst)} == taker.take()
        assert {} == taker.take()
    reader.close()


def test_a_refusal_counts_and_has_no_latency(ledger: Ledger, reader: LedgerReader) -> None:
    variant = SHOP._replace(instance="")
    ledger.series(variant, instances=3).count(Outcome.REFUSED, 100)
    tally = Taker(reader).take()[variant]
    assert (1, 0, 0, 0, 100) == (
        tally.outcomes[Outcome.REFUSED],
        tally.model_errors,
        tally.model.count,
        tally.in_flight,
        tally.bytes_in,
    )
    assert SHARE // 3 == tally.per_instance_shares


def test_in_flight_is_what_has_begun_and_is_neither_over_nor_taken_back(ledger: Ledger, reader: LedgerReader) -> None:
    series = ledger.series(SHOP, instances=1)
    for _ in range(5):
        series.begin()
    series.take_back()
    series.record(Outcome.SUCCESS, 1, 1, 1, 1)
    series.count(Outcome.ABANDONED, 1)
    assert 2 == Taker(reader).take()[SHOP].in_flight


def test_each_invocation_counts_for_the_instances_of_its_moment(ledger: Ledger, reader: LedgerReader) -> None:
    series = ledger.series(SHOP, instances=1)
    series.count(Outcome.REFUSED, 0)
    assert series is ledger.series(SHOP, instances=4)
    series.count(Outcome.REFUSED, 0)
    assert 1.25 == Taker(reader).take()[SHOP].per_instance


def test_the_file_grows_with_the_series_in_use(ledger: Ledger, reader: LedgerReader, tmp_path: Path) -> None:
    kept = {}
    for number in range(SEGMENT_BLOCKS):
        key = SHOP._replace(instance=f"i-{number}")
        kept[key] = ledger.series(key, instances=1)
        kept[key].record(Outcome.SUCCESS, number, 7, 1, 2)
    found = Taker(reader).take()
    assert {key: (1, number) for number, key in enumerate(kept)} == {
        key: (tally.invocations, tally.model.sum_us) for key, tally in found.items()
    }
    assert 3 * SEGMENT_BLOCKS < (tmp_path / "one.ledger").stat().st_size / 576


def test_a_series_nobody_holds_is_recycled_once_its_last_counts_are_taken(
    ledger: Ledger, reader: LedgerReader, tmp_path: Path
) -> None:
    taker = Taker(reader)
    for cycle in range(3 * SEGMENT_BLOCKS):
        key = SHOP._replace(instance=f"i-{cycle}")
        ledger.series(key, instances=1).record(Outcome.SUCCESS, 1000, 100, 1, 1)
        gc.collect(0)
        at_ns = (cycle + 1) * SECOND_NS
        tick(ledger, monotonic_ns=at_ns, at_ms=0)
        assert 1 == taker.take()[key].invocations
        reader.stamp(at_ns + 1)
    assert SEGMENT_BLOCKS * 576 == (tmp_path / "one.ledger").stat().st_size
    gc.collect()  # also what the collector had a look at while it was in use
    tick(ledger, monotonic_ns=10**15, at_ms=0)
    taker.take()
    assert frozenset() == reader.numbers()


def test_a_closed_series_stays_until_it_was_read(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.series(SHOP, instances=1).count(Outcome.REFUSED, 1)
    for second in range(1, 4):
        tick(ledger, monotonic_ns=second * SECOND_NS, at_ms=0)
    assert 1 == Taker(reader).take()[SHOP].invocations


def test_unread_for_long_a_ledger_keeps_what_happened_in_which_second(ledger: Ledger, reader: LedgerReader) -> None:
    series, other = ledger.series(SHOP, instances=1), ledger.series(SHOP._replace(instance="i-2"), instances=1)
    for second in range(1, 11):
        for _ in range(second):
            series.record(Outcome.SUCCESS, 5000 * second, 300, 10, 20)
        if second == 7:
            other.count(Outcome.REFUSED, 1)
        tick(ledger, monotonic_ns=second * SECOND_NS, at_ms=second * 1000)
    taker = Taker(reader)
    pages = taker.pages()
    # Nobody had read from the first tick on, and it takes two seconds to know that nobody does.
    assert [(3000, 6), (4000, 4), (5000, 5), (6000, 6), (7000, 7), (8000, 8), (9000, 9), (10000, 10)] == [
        (at_ms, tallies[SHOP].invocations) for at_ms, tallies in pages
    ]
    assert [7000] == [
        at_ms for at_ms, tallies in pages if tallies.get(SHOP._replace(instance="i-2"), Tally()).invocations
    ]
    assert {} == taker.take()


def test_pages_are_dropped_once_the_ledger_is_read_again(ledger: Ledger, reader: LedgerReader, tmp_path: Path) -> None:
    series = ledger.series(SHOP, instances=1)
    for second in range(1, 8):
        series.count(Outcome.REFUSED, 1)
        tick(ledger, monotonic_ns=second * SECOND_NS, at_ms=0)
    assert (tmp_path / "one.pages").exists()
    reader.stamp(8 * SECOND_NS)
    tick(ledger, monotonic_ns=9 * SECOND_NS, at_ms=0)
    assert not (tmp_path / "one.pages").exists()


def test_old_pages_read_again_add_nothing(ledger: Ledger, reader: LedgerReader) -> None:
    series = ledger.series(SHOP, instances=1)
    for second in range(1, 8):
        series.record(Outcome.SUCCESS, 1, 1, 1, 1)
        tick(ledger, monotonic_ns=second * SECOND_NS, at_ms=0)
    taker = Taker(reader)
    assert 7 == taker.take()[SHOP].invocations
    assert {0} == {tally.invocations for _, tallies in taker.pages() for tally in tallies.values()}
    assert {} == taker.take()


def test_half_a_page_is_as_none(ledger: Ledger, reader: LedgerReader, tmp_path: Path) -> None:
    series = ledger.series(SHOP, instances=1)
    for second in range(1, 8):
        series.count(Outcome.REFUSED, 1)
        tick(ledger, monotonic_ns=second * SECOND_NS, at_ms=second)
    path = tmp_path / "one.pages"
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert [3, 4, 5, 6, 7][: 5 * length // len(whole)] == [page.at_ms for page in reader.pages()]


def test_pages_come_more_seldom_and_end(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_pages, "BYTES_PER_PACE", 5_000)
    monkeypatch.setattr(ledger_pages, "BYTES_MAX", 40_000)
    series = ledger.series(SHOP, instances=1)
    for second in range(1, 5_000):
        series.count(Outcome.REFUSED, 1)
        tick(ledger, monotonic_ns=second * SECOND_NS, at_ms=0)
    assert 40_000 < (tmp_path / "one.pages").stat().st_size < 42_000


def test_on_a_full_disk_counting_goes_on_and_is_read_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(LedgerFile(tmp_path, "one"))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "posix_fallocate", full)
        disk.setattr(os, "pwrite", full)
        series = [ledger.series(SHOP._replace(instance=f"i-{n}"), instances=1) for n in range(SEGMENT_BLOCKS + 9)]
        for each in series:
            each.count(Outcome.REFUSED, 1)
        tick(ledger, monotonic_ns=SECOND_NS, at_ms=0)
    tick(ledger, monotonic_ns=2 * SECOND_NS, at_ms=0)
    reader = LedgerReader(tmp_path / "one.ledger")
    taker = Taker(reader)
    assert len(series) == sum(tally.invocations for tally in taker.take().values())
    series[-1].count(Outcome.REFUSED, 1)
    tick(ledger, monotonic_ns=3 * SECOND_NS, at_ms=0)
    assert [1] == [tally.invocations for tally in taker.take().values()]
    reader.close()


def test_a_ledger_begun_on_a_full_disk_is_read_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "posix_fallocate", full)
        ledger = Ledger(LedgerFile(tmp_path, "one"))
    reader = LedgerReader(tmp_path / "one.ledger")
    taker = Taker(reader)
    series = ledger.series(SHOP, instances=1)
    series.record(Outcome.SUCCESS, 1, 1, 1, 1)
    assert {} == taker.take()
    tick(ledger, monotonic_ns=SECOND_NS, at_ms=0)
    whole = (tmp_path / "one.ledger").read_bytes()
    os.truncate(tmp_path / "one.ledger", 0)
    for size in (0, 100, 1000, 100_001):  # there is room for so much of it
        (tmp_path / "one.ledger").write_bytes(whole[:size])
        taker.take()
    tick(ledger, monotonic_ns=2 * SECOND_NS, at_ms=0)
    taker.take()
    assert [1] == [advance({}, image)[1].invocations for image in taker.taken.values()]
    reader.stamp(3 * SECOND_NS)
    tick(ledger, monotonic_ns=4 * SECOND_NS, at_ms=0)
    assert not (tmp_path / "one.pages").exists()  # the stamp was not written over
    reader.close()


CELLS = st.binary(min_size=512, max_size=512)
IMAGES = st.fixed_dictionaries({0: CELLS}, optional={1: CELLS, 70: CELLS})


@settings(deadline=None)
@given(IMAGES, IMAGES)
def test_what_is_known_depends_on_neither_order_nor_repetition(one, other) -> None:
    both, _ = advance(one, other)
    assert both == advance(other, one)[0]
    for again in (one, other, both):
        known, tally = advance(both, again)
        assert known is both
        assert Tally(in_flight=tally.in_flight) == tally


@settings(deadline=None)
@given(IMAGES)
def test_an_image_survives_being_stored(image) -> None:
    assert image == decode_image(encode_image(image))
