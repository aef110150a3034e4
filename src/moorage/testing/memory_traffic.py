"""The traffic in dictionaries, held to the same contract as the tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from moorage.core.latency import Histogram
from moorage.core.model import EndpointKey
from moorage.core.traffic import SeriesKey, Tallies, Tally, enclosing
from moorage.store.base import Counted, StaleVersion, TrafficProgress

Rows = dict[tuple[int, SeriesKey], Tally]


@dataclass(slots=True)
class MemoryTraffic:
    """Seconds, minutes, totals, and how far each ledger has been taken."""

    saved: TrafficProgress = field(default_factory=TrafficProgress)
    second_rows: Rows = field(default_factory=dict)
    minute_rows: Rows = field(default_factory=dict)
    archive_rows: Rows = field(default_factory=dict)
    total_rows: dict[SeriesKey, Tally] = field(default_factory=dict)
    image_rows: dict[str, dict[int, bytes]] = field(default_factory=dict)

    def fork(self) -> MemoryTraffic:
        """A copy whose changes do not show here."""
        return MemoryTraffic(
            self.saved,
            dict(self.second_rows),
            dict(self.minute_rows),
            dict(self.archive_rows),
            dict(self.total_rows),
            {ledger: dict(images) for ledger, images in self.image_rows.items()},
        )

    def progress(self) -> TrafficProgress:
        return self.saved

    def swap(self, progress: TrafficProgress) -> TrafficProgress:
        if progress.version != self.saved.version:
            raise StaleVersion("traffic")
        self.saved = replace(progress, version=progress.version + 1)
        return self.saved

    def add_second(self, at_s: int, tallies: Tallies) -> None:
        _add(self.second_rows, at_s, tallies, Tally.__add__)
        for key in tallies:
            self.total_rows.setdefault(key, Tally())

    def add_minute(self, at_s: int, tallies: Tallies) -> None:
        _add(self.minute_rows, at_s, tallies, Tally.then)
        for key, tally in tallies.items():
            self.total_rows[key] = self.total_rows.get(key, Tally()).then(tally)

    def seconds(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey | None = None, latencies: bool = True
    ) -> Sequence[Counted]:
        return _between(self.second_rows, since_s, until_s, endpoint, latencies)

    def minutes(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey, latencies: bool = True
    ) -> Sequence[Counted]:
        return _between(self.minute_rows, since_s, until_s, endpoint, latencies)

    def archived(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey, latencies: bool = True
    ) -> Sequence[Counted]:
        return _between(self.archive_rows, since_s, until_s, endpoint, latencies)

    def latest(self, region: str) -> Mapping[SeriesKey, int]:
        unwritten = [at for at in self.second_rows if at[0] >= self.saved.minutes_until_s]
        return {key: at_s for at_s, key in sorted([*self.minute_rows, *unwritten]) if key.region == region}

    def totals(self, endpoint: EndpointKey | None = None) -> Tallies:
        return {key: tally for key, tally in self.total_rows.items() if _is_of(key, endpoint)}

    def archive(self, *, minutes_before_s: int, fives_before_s: int, hours_before_s: int) -> None:
        for at_s, key in [at for at in self.minute_rows if at[0] < minutes_before_s]:
            self._archive(at_s, key, self.minute_rows.pop((at_s, key)), period_s=300)
        for at_s, key in [at for at in self.archive_rows if at[0] < fives_before_s and at[0] % 3600]:
            self._archive(at_s, key, self.archive_rows.pop((at_s, key)), period_s=3600)
        self.archive_rows = {at: tally for at, tally in self.archive_rows.items() if at[0] >= hours_before_s}

    def _archive(self, at_s: int, key: SeriesKey, tally: Tally, *, period_s: int) -> None:
        whole = key._replace(instance="")
        _add(self.archive_rows, at_s - at_s % period_s, {whole: tally}, Tally.then)
        self.total_rows.setdefault(whole, Tally())

    def expire(self, *, seconds_before_s: int, minutes_before_s: int) -> None:
        self.second_rows = {at: tally for at, tally in self.second_rows.items() if at[0] >= seconds_before_s}
        self.minute_rows = {at: tally for at, tally in self.minute_rows.items() if at[0] >= minutes_before_s}
        heard = {key for _, key in [*self.minute_rows, *self.archive_rows]}
        heard |= {key for at_s, key in self.second_rows if at_s >= self.saved.minutes_until_s}
        staffed = {key._replace(instance="") for key in self.total_rows if key.instance}
        for key in [key for key in self.total_rows if key.config and key not in heard and key not in staffed]:
            whole = enclosing(key)
            self.total_rows[whole] = self.total_rows.get(whole, Tally()).then(self.total_rows.pop(key))

    def images(self) -> Mapping[str, Mapping[int, bytes]]:
        return {ledger: dict(images) for ledger, images in self.image_rows.items() if images}

    def put_images(self, ledger: str, images: Mapping[int, bytes]) -> None:
        self.image_rows.setdefault(ledger, {}).update(images)

    def drop_images(self, ledger: str, numbers: Collection[int]) -> None:
        kept = {number: image for number, image in self.image_rows.get(ledger, {}).items() if number not in numbers}
        self.image_rows[ledger] = kept

    def drop_ledger(self, ledger: str) -> None:
        self.image_rows.pop(ledger, None)


def _add(rows: Rows, at_s: int, tallies: Tallies, join: Callable[[Tally, Tally], Tally]) -> None:
    for key, tally in tallies.items():
        known = rows.get((at_s, key))
        rows[at_s, key] = tally if known is None else join(known, tally)


def _between(
    rows: Rows, since_s: int, until_s: int, endpoint: EndpointKey | None, latencies: bool
) -> Sequence[Counted]:
    found = [
        Counted(at_s, key, tally if latencies else replace(tally, model=Histogram(), overhead=Histogram()))
        for (at_s, key), tally in rows.items()
        if since_s <= at_s < until_s and _is_of(key, endpoint)
    ]
    return sorted(found, key=lambda counted: counted.at_s)


def _is_of(key: SeriesKey, endpoint: EndpointKey | None) -> bool:
    return endpoint is None or (key.region, key.endpoint) == endpoint
