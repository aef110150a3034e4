"""One taking of the ledgers: all that is to be saved together, and what is to be remembered once it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from moorage.control.minutes import Minutes, due_until
from moorage.control.settlement import Account, Look, Settlement, add_up, settle
from moorage.core.metrics.resolutions import RESOLUTIONS
from moorage.core.traffic import Tallies
from moorage.store.base import Traffic, TrafficProgress, Transaction
from moorage.telemetry.ledger_images import encode_image


@dataclass(frozen=True, slots=True)
class Taken:
    """What control remembers from one taking to the next; all of it can be loaded again."""

    progress: TrafficProgress
    accounts: Mapping[str, Account]
    """By ledger."""
    minutes: Minutes
    """Those that are not written yet."""


@dataclass(frozen=True, slots=True)
class Taking:
    """What one look at the ledgers adds to what was taken before."""

    before: Taken
    after: Taken
    """But for the version of its progress, which `save` answers."""
    seconds: Mapping[int, Tallies]
    minutes: Mapping[int, Tallies]
    images: Mapping[str, Mapping[int, bytes]]
    """To be saved, by ledger and series."""
    gone: Mapping[str, frozenset[int]]
    """To be forgotten, by ledger: its recycled series."""
    absent: frozenset[str]
    """Ledgers to be forgotten: they have been deleted."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to save."""
        return not (self.seconds or self.minutes or self.images or self.gone or self.absent)

    def save(self, tx: Transaction) -> TrafficProgress:
        """Write all of it. Raises StaleVersion if anything has been saved since `before`."""
        traffic = tx.traffic
        progress = traffic.swap(self.after.progress)
        for second, tallies in self.seconds.items():
            traffic.add_second(second, tallies)
        for minute, tallies in self.minutes.items():
            traffic.add_minute(minute, tallies)
        for ledger, images in self.images.items():
            traffic.put_images(ledger, images)
        for ledger, numbers in self.gone.items():
            traffic.drop_images(ledger, numbers)
        for ledger in self.absent:
            traffic.drop_ledger(ledger)
        if self.minutes:
            _age(traffic, progress.minutes_until_s)
        return progress


def take(before: Taken, look: Look, *, at_s: float) -> Taking:
    """What `look`, at `at_s` (seconds since 1970), adds."""
    settled = {
        reading.ledger: settle(before.accounts.get(reading.ledger, Account()), reading, at_s=at_s)
        for reading in look.readings
    }
    seconds = _by_second(settled)
    minutes = before.minutes.with_seconds(seconds)
    accounts = {ledger: account for ledger, account in before.accounts.items() if ledger in look.names}
    accounts |= {ledger: settlement.account for ledger, settlement in settled.items()}
    until_s = max(before.progress.minutes_until_s, due_until(at_s))
    return Taking(
        before=before,
        after=Taken(replace(before.progress, minutes_until_s=until_s), accounts, minutes.after(at_s)),
        seconds=seconds,
        minutes=minutes.due(at_s),
        images={ledger: images for ledger, each in settled.items() if (images := _encoded(each))},
        gone={ledger: each.gone for ledger, each in settled.items() if each.gone},
        absent=frozenset(before.accounts) - look.names,
    )


def _age(traffic: Traffic, end_s: int) -> None:
    """Keep what is older by longer periods, as CloudWatch does. Whole periods are moved, and not every minute."""
    seconds, minutes, fives, hours = RESOLUTIONS
    minutes_before_s = _begin(end_s - minutes.kept_s, fives.period_s)
    traffic.archive(
        minutes_before_s=minutes_before_s,
        fives_before_s=_begin(end_s - fives.kept_s, hours.period_s),
        hours_before_s=end_s - hours.kept_s,
    )
    traffic.expire(seconds_before_s=end_s - seconds.kept_s, minutes_before_s=minutes_before_s)


def _begin(at_s: int, period_s: int) -> int:
    return at_s - at_s % period_s


def _by_second(settled: Mapping[str, Settlement]) -> Mapping[int, Tallies]:
    seconds: dict[int, Tallies] = {}
    for settlement in settled.values():
        for second, tallies in settlement.seconds.items():
            seconds[second] = add_up([seconds.get(second, {}), tallies])
    return seconds


def _encoded(settlement: Settlement) -> Mapping[int, bytes]:
    images = settlement.account.images
    return {number: encode_image(images[number]) for number in settlement.changed}
