"""What a reading of a worker's ledger adds to what was taken of it before. Pure: loss and repetition are decided here.

Everything follows from counters that only grow: what is new is the difference to what was taken, and what was taken
is saved with it. So a reading may come late, twice, from before or after anybody's death, in pages or whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from moorage.core.traffic import SeriesKey, Tallies, Tally
from moorage.telemetry.ledger_images import advance, key_of
from moorage.telemetry.ledger_reader import Image, Page

_NOTHING: Final = Tally()


@dataclass(frozen=True, slots=True)
class Reading:
    """A look at one ledger: the pages kept while nobody looked, then what stands in it."""

    ledger: str
    pages: tuple[Page, ...]
    images: Mapping[int, Image]
    """The series that have changed since they were last taken, by number."""
    numbers: frozenset[int]
    """All series that are there."""
    is_finished: bool
    """The worker is gone: nothing more will come."""


@dataclass(frozen=True, slots=True)
class Look:
    """All ledgers at one moment."""

    readings: tuple[Reading, ...]
    names: frozenset[str]
    """Of the ledgers that are there, be it that they cannot be read now."""


@dataclass(frozen=True, slots=True)
class Account:
    """What has been taken of one ledger."""

    images: Mapping[int, Image] = field(default_factory=dict)
    busy: Tallies = field(default_factory=dict)
    """By series, nothing but how many requests were in flight at the last reading, where there were any."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a reading adds."""

    account: Account
    seconds: Mapping[int, Tallies]
    """What was counted, by second since 1970."""
    changed: frozenset[int]
    """The series whose images are to be saved."""
    gone: frozenset[int]
    """Those whose images are of no more use: the worker has recycled them."""


def settle(account: Account, reading: Reading, *, at_s: float) -> Settlement:
    """Add a reading, taken at `at_s` (seconds since 1970), to an account."""
    images = dict(account.images)
    busy = dict(account.busy)
    seconds: dict[int, Tallies] = {}
    looks = [(page.at_ms / 1000, page.images) for page in reading.pages]
    for looked_at_s, found in [*looks, (at_s, reading.images)]:
        counted = _take(images, found)
        busy = _still_busy(busy, counted)
        second = second_of(looked_at_s)
        seconds[second] = add_up([seconds.get(second, {}), {**busy, **counted}])
    if reading.is_finished:
        busy = {}
        seconds[second_of(at_s)] = _without_in_flight(seconds[second_of(at_s)])
    gone = frozenset(images) - reading.numbers
    return Settlement(
        account=Account({number: image for number, image in images.items() if number not in gone}, busy),
        seconds=_without_nothing(seconds),
        changed=frozenset(number for number, image in images.items() if account.images.get(number) is not image) - gone,
        gone=gone & frozenset(account.images),
    )


def add_up(several: Iterable[Tallies]) -> Tallies:
    """The tallies of several workers, or parts, over the same time."""
    total: dict[SeriesKey, Tally] = {}
    for tallies in several:
        for key, tally in tallies.items():
            known = total.get(key)
            total[key] = tally if known is None else known + tally
    return total


def second_of(at_s: float) -> int:
    """The second that a reading at `at_s` is mostly about: readings are taken close to where a second ends."""
    return int(at_s - 0.5)


def _take(images: dict[int, Image], found: Mapping[int, Image]) -> Tallies:
    """Bring `images` up to what was found; answers what that adds, and what is in flight."""
    counted: list[Tallies] = []
    for number, image in found.items():
        known = images.get(number, {})
        images[number], tally = advance(known, image)
        if images[number] is not known:
            counted.append({key_of(images[number]): tally})
    return add_up(counted)


def _still_busy(busy: Tallies, counted: Tallies) -> dict[SeriesKey, Tally]:
    in_flight = {key: tally.in_flight for key, tally in {**busy, **counted}.items()}
    return {key: Tally(in_flight=number) for key, number in in_flight.items() if number}


def _without_in_flight(tallies: Tallies) -> Tallies:
    """A dead worker has nothing in flight, whatever it had begun."""
    return {key: replace(tally, in_flight=0) for key, tally in tallies.items()}


def _without_nothing(seconds: Mapping[int, Tallies]) -> Mapping[int, Tallies]:
    some = {
        second: {key: tally for key, tally in tallies.items() if tally != _NOTHING}
        for second, tallies in seconds.items()
    }
    return {second: tallies for second, tallies in some.items() if tallies}
