"""The traffic in SQL: tallies by second and by minute, totals, and how far each ledger has been taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from moorage.core.model import EndpointKey
from moorage.core.traffic import SeriesKey, Tallies, Tally
from moorage.store.base import Counted, StaleVersion, TrafficProgress
from moorage.store.codec import decode_tally
from moorage.store.tables import (
    LEDGER_IMAGES,
    TRAFFIC_ARCHIVE,
    TRAFFIC_MINUTES,
    TRAFFIC_PROGRESS,
    TRAFFIC_SECONDS,
    TRAFFIC_SERIES,
)
from moorage.store.traffic_ageing import archive_fives, archive_minutes, merge_silent_series
from moorage.store.traffic_rows import add_rows, add_to_totals, counted, identify, is_of, key_of


@dataclass(frozen=True, slots=True)
class SqlTraffic:
    """The traffic, seen from within a transaction."""

    connection: Connection

    def progress(self) -> TrafficProgress:
        row = self.connection.execute(select(TRAFFIC_PROGRESS)).one_or_none()
        return TrafficProgress() if row is None else TrafficProgress(row.version, row.minutes_until_s)

    def swap(self, progress: TrafficProgress) -> TrafficProgress:
        saved = replace(progress, version=progress.version + 1)
        values = {"version": saved.version, "minutes_until_s": saved.minutes_until_s}
        if self.progress().version != progress.version:
            raise StaleVersion("traffic")
        if progress.version:
            self.connection.execute(update(TRAFFIC_PROGRESS).values(values))
        else:
            self.connection.execute(insert(TRAFFIC_PROGRESS).values(id=1, **values))
        return saved

    def add_second(self, at_s: int, tallies: Tallies) -> None:
        add_rows(self.connection, TRAFFIC_SECONDS, at_s, identify(self.connection, tallies), Tally.__add__)

    def add_minute(self, at_s: int, tallies: Tallies) -> None:
        by_id = identify(self.connection, tallies)
        add_rows(self.connection, TRAFFIC_MINUTES, at_s, by_id, Tally.then)
        add_to_totals(self.connection, by_id)

    def seconds(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey | None = None, latencies: bool = True
    ) -> Sequence[Counted]:
        return counted(self.connection, TRAFFIC_SECONDS, since_s, until_s, endpoint, latencies)

    def minutes(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey, latencies: bool = True
    ) -> Sequence[Counted]:
        return counted(self.connection, TRAFFIC_MINUTES, since_s, until_s, endpoint, latencies)

    def archived(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey, latencies: bool = True
    ) -> Sequence[Counted]:
        return counted(self.connection, TRAFFIC_ARCHIVE, since_s, until_s, endpoint, latencies)

    def latest(self, region: str) -> Mapping[SeriesKey, int]:
        minute, second, series = TRAFFIC_MINUTES.c, TRAFFIC_SECONDS.c, TRAFFIC_SERIES.c
        last = select(func.max(minute.at_s)).where(minute.series_id == series.id).scalar_subquery()
        rows = self.connection.execute(select(TRAFFIC_SERIES, last.label("at_s")).where(series.region == region))
        keys = {row.id: (key_of(row), row.at_s) for row in rows}
        latest = {key: at_s for key, at_s in keys.values() if at_s is not None}
        unwritten = select(second.series_id, func.max(second.at_s).label("at_s")).group_by(second.series_id)
        for row in self.connection.execute(unwritten.where(second.at_s >= self.progress().minutes_until_s)):
            if row.series_id in keys:
                latest[keys[row.series_id][0]] = row.at_s
        return latest

    def totals(self, endpoint: EndpointKey | None = None) -> Tallies:
        rows = self.connection.execute(select(TRAFFIC_SERIES).where(is_of(endpoint)))
        return {key_of(row): decode_tally(row.total) for row in rows}

    def archive(self, *, minutes_before_s: int, fives_before_s: int, hours_before_s: int) -> None:
        archive_minutes(self.connection, before_s=minutes_before_s)
        archive_fives(self.connection, before_s=fives_before_s)
        self.connection.execute(delete(TRAFFIC_ARCHIVE).where(TRAFFIC_ARCHIVE.c.at_s < hours_before_s))

    def expire(self, *, seconds_before_s: int, minutes_before_s: int) -> None:
        self.connection.execute(delete(TRAFFIC_SECONDS).where(TRAFFIC_SECONDS.c.at_s < seconds_before_s))
        self.connection.execute(delete(TRAFFIC_MINUTES).where(TRAFFIC_MINUTES.c.at_s < minutes_before_s))
        merge_silent_series(self.connection, unwritten_from_s=self.progress().minutes_until_s)

    def images(self) -> Mapping[str, Mapping[int, bytes]]:
        images: dict[str, dict[int, bytes]] = {}
        for row in self.connection.execute(select(LEDGER_IMAGES)):
            images.setdefault(row.ledger, {})[row.number] = row.image
        return images

    def put_images(self, ledger: str, images: Mapping[int, bytes]) -> None:
        self.drop_images(ledger, images)
        rows = [{"ledger": ledger, "number": number, "image": image} for number, image in images.items()]
        if rows:
            self.connection.execute(insert(LEDGER_IMAGES), rows)

    def drop_images(self, ledger: str, numbers: Collection[int]) -> None:
        if numbers:
            those = and_(LEDGER_IMAGES.c.ledger == ledger, LEDGER_IMAGES.c.number == bindparam("one"))
            self.connection.execute(delete(LEDGER_IMAGES).where(those), [{"one": number} for number in numbers])

    def drop_ledger(self, ledger: str) -> None:
        self.connection.execute(delete(LEDGER_IMAGES).where(LEDGER_IMAGES.c.ledger == ledger))
