"""The traffic in SQL: tallies by second and by minute, totals, and how far each ledger has been taken.

A statement takes all rows of a second at once: hundreds of series may be written every second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, bindparam, delete, func, insert, or_, select, true, update
from sqlalchemy.sql.elements import ColumnElement

from moorage.core.model import EndpointKey
from moorage.core.traffic import SeriesKey, Tallies, Tally, enclosing
from moorage.store.base import Counted, StaleVersion, TrafficProgress
from moorage.store.codec import decode_counts, decode_tally, encode_tally
from moorage.store.tables import (
    LEDGER_IMAGES,
    TRAFFIC_ARCHIVE,
    TRAFFIC_MINUTES,
    TRAFFIC_PROGRESS,
    TRAFFIC_SECONDS,
    TRAFFIC_SERIES,
)

_IDS_PER_STATEMENT: Final = 500
_FIVE_MINUTES_S: Final = 300
_HOUR_S: Final = 3600
_NOTHING: Final = encode_tally(Tally())


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
        self._add(TRAFFIC_SECONDS, at_s, self._identify(tallies), Tally.__add__)

    def add_minute(self, at_s: int, tallies: Tallies) -> None:
        by_id = self._identify(tallies)
        self._add(TRAFFIC_MINUTES, at_s, by_id, Tally.then)
        self._add_to_totals(by_id)

    def seconds(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey | None = None, latencies: bool = True
    ) -> Sequence[Counted]:
        return self._counted(TRAFFIC_SECONDS, since_s, until_s, endpoint, latencies)

    def minutes(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey, latencies: bool = True
    ) -> Sequence[Counted]:
        return self._counted(TRAFFIC_MINUTES, since_s, until_s, endpoint, latencies)

    def archived(
        self, since_s: int, until_s: int, *, endpoint: EndpointKey, latencies: bool = True
    ) -> Sequence[Counted]:
        return self._counted(TRAFFIC_ARCHIVE, since_s, until_s, endpoint, latencies)

    def latest(self, region: str) -> Mapping[SeriesKey, int]:
        minute, second, series = TRAFFIC_MINUTES.c, TRAFFIC_SECONDS.c, TRAFFIC_SERIES.c
        last = select(func.max(minute.at_s)).where(minute.series_id == series.id).scalar_subquery()
        rows = self.connection.execute(select(TRAFFIC_SERIES, last.label("at_s")).where(series.region == region))
        keys = {row.id: (_key(row), row.at_s) for row in rows}
        latest = {key: at_s for key, at_s in keys.values() if at_s is not None}
        unwritten = select(second.series_id, func.max(second.at_s).label("at_s")).group_by(second.series_id)
        for row in self.connection.execute(unwritten.where(second.at_s >= self.progress().minutes_until_s)):
            if row.series_id in keys:
                latest[keys[row.series_id][0]] = row.at_s
        return latest

    def totals(self, endpoint: EndpointKey | None = None) -> Tallies:
        rows = self.connection.execute(select(TRAFFIC_SERIES).where(_of(endpoint)))
        return {_key(row): decode_tally(row.total) for row in rows}

    def archive(self, *, minutes_before_s: int, fives_before_s: int, hours_before_s: int) -> None:
        minute, archived = TRAFFIC_MINUTES.c, TRAFFIC_ARCHIVE.c
        old = minute.at_s < minutes_before_s
        self._move(TRAFFIC_MINUTES, old, period_s=_FIVE_MINUTES_S)
        self._move(
            TRAFFIC_ARCHIVE, and_(archived.at_s < fives_before_s, archived.at_s % _HOUR_S != 0), period_s=_HOUR_S
        )
        self.connection.execute(delete(TRAFFIC_ARCHIVE).where(archived.at_s < hours_before_s))

    def expire(self, *, seconds_before_s: int, minutes_before_s: int) -> None:
        self.connection.execute(delete(TRAFFIC_SECONDS).where(TRAFFIC_SECONDS.c.at_s < seconds_before_s))
        self.connection.execute(delete(TRAFFIC_MINUTES).where(TRAFFIC_MINUTES.c.at_s < minutes_before_s))
        self._merge_silent_series()

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

    def _identify(self, tallies: Tallies) -> Mapping[int, Tally]:
        """The tallies by the ids of their series, whose rows are made if they are not there yet."""
        ids = {_id(key): key for key in tallies}
        id_column = TRAFFIC_SERIES.c.id
        queries = (select(id_column).where(id_column.in_(some)) for some in _chunks(ids))
        known = {row.id for query in queries for row in self.connection.execute(query)}
        new = [{"id": id_, "total": _NOTHING, **key._asdict()} for id_, key in ids.items() if id_ not in known]
        if new:
            self.connection.execute(insert(TRAFFIC_SERIES), new)
        return {id_: tallies[key] for id_, key in ids.items()}

    def _add(self, table: Table, at_s: int, by_id: Mapping[int, Tally], join: Callable[[Tally, Tally], Tally]) -> None:
        rows = self.connection.execute(select(table.c.series_id, table.c.tally).where(table.c.at_s == at_s))
        known = {row.series_id: row.tally for row in rows if row.series_id in by_id}
        new = [
            {"at_s": at_s, "series_id": id_, "tally": encode_tally(tally)}
            for id_, tally in by_id.items()
            if id_ not in known
        ]
        if new:
            self.connection.execute(insert(table), new)
        changed = [
            {"one": id_, "tally": encode_tally(join(decode_tally(tally), by_id[id_]))} for id_, tally in known.items()
        ]
        if changed:
            that = and_(table.c.at_s == at_s, table.c.series_id == bindparam("one"))
            self.connection.execute(update(table).where(that).values(tally=bindparam("tally")), changed)

    def _move(self, table: Table, old: ColumnElement[bool], *, period_s: int) -> None:
        """Put rows into the longer periods of the archive."""
        series = TRAFFIC_SERIES
        rows = self.connection.execute(
            select(table.c.at_s, table.c.tally, series).join(series, series.c.id == table.c.series_id).where(old)
        ).all()
        periods: dict[int, dict[SeriesKey, Tally]] = {}
        for row in rows:
            tallies, key = periods.setdefault(row.at_s - row.at_s % period_s, {}), _key(row)._replace(instance="")
            tallies[key] = tallies.get(key, Tally()).then(decode_tally(row.tally))
        if rows:
            self.connection.execute(delete(table).where(old))
        for at_s, tallies in periods.items():
            self._add(TRAFFIC_ARCHIVE, at_s, self._identify(tallies), Tally.then)

    def _add_to_totals(self, by_id: Mapping[int, Tally]) -> None:
        series = TRAFFIC_SERIES.c
        totals = [
            {"one": row.id, "total": encode_tally(decode_tally(row.total).then(by_id[row.id]))}
            for some in _chunks(by_id)
            for row in self.connection.execute(select(series.id, series.total).where(series.id.in_(some)))
        ]
        if totals:
            statement = update(TRAFFIC_SERIES).where(series.id == bindparam("one")).values(total=bindparam("total"))
            self.connection.execute(statement, totals)

    def _merge_silent_series(self) -> None:
        """Whatever has seconds has a minute, unless these are not written yet."""
        minute, second, series = TRAFFIC_MINUTES.c, TRAFFIC_SECONDS.c, TRAFFIC_SERIES.c
        unwritten = select(second.series_id).where(second.at_s >= self.progress().minutes_until_s)
        has_minutes = select(minute.series_id).where(minute.series_id == series.id).exists()
        has_archive = select(TRAFFIC_ARCHIVE.c.series_id).where(TRAFFIC_ARCHIVE.c.series_id == series.id).exists()
        other = TRAFFIC_SERIES.alias()
        same = [other.c[name] == series[name] for name in ("region", "endpoint", "config", "variant")]
        has_instances = select(other.c.id).where(*same, other.c.instance != "").exists()
        is_last = or_(series.instance != "", ~has_instances)
        silent = and_(series.config != "", is_last, ~has_minutes, ~has_archive, series.id.not_in(unwritten))
        gone = self.connection.execute(select(TRAFFIC_SERIES).where(silent)).all()
        totals: dict[SeriesKey, Tally] = {}
        for row in gone:
            whole = enclosing(_key(row))
            totals[whole] = totals.get(whole, Tally()).then(decode_tally(row.total))
        if gone:
            self.connection.execute(
                delete(TRAFFIC_SERIES).where(series.id == bindparam("one")), [{"one": row.id} for row in gone]
            )
            self._add_to_totals(self._identify(totals))

    def _counted(
        self, table: Table, since_s: int, until_s: int, endpoint: EndpointKey | None, latencies: bool
    ) -> Sequence[Counted]:
        decode = decode_tally if latencies else decode_counts
        statement = (
            select(table.c.at_s, table.c.tally, TRAFFIC_SERIES)
            .join(TRAFFIC_SERIES, TRAFFIC_SERIES.c.id == table.c.series_id)
            .where(table.c.at_s >= since_s, table.c.at_s < until_s, _of(endpoint))
            .order_by(table.c.at_s)
        )
        return [Counted(row.at_s, _key(row), decode(row.tally)) for row in self.connection.execute(statement)]


def _id(key: SeriesKey) -> int:
    """63 bits, which a database's integer can hold."""
    digest = hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _chunks(ids: Collection[int]) -> Iterator[Sequence[int]]:
    """Databases limit how many values a statement may have."""
    everything = list(ids)
    for start in range(0, len(everything), _IDS_PER_STATEMENT):
        yield everything[start : start + _IDS_PER_STATEMENT]


def _of(endpoint: EndpointKey | None) -> ColumnElement[bool]:
    if endpoint is None:
        return true()
    return and_(TRAFFIC_SERIES.c.region == endpoint.region, TRAFFIC_SERIES.c.endpoint == endpoint.name)


def _key(row: Any) -> SeriesKey:
    return SeriesKey(row.region, row.endpoint, row.config, row.variant, row.instance)
