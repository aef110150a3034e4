"""What becomes of the traffic's rows as they age: longer periods, then nothing but totals."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Table, and_, bindparam, delete, or_, select, text
from sqlalchemy.sql.elements import ColumnElement

from moorage.core.traffic import SeriesKey, Tally, enclosing
from moorage.store.codec import decode_tally
from moorage.store.tables import NOT_AN_HOUR, TRAFFIC_ARCHIVE, TRAFFIC_MINUTES, TRAFFIC_SECONDS, TRAFFIC_SERIES
from moorage.store.traffic_rows import add_rows, add_to_totals, identify, key_of

_FIVE_MINUTES_S: Final = 300
_HOUR_S: Final = 3600


def archive_minutes(connection: Connection, *, before_s: int) -> None:
    """Move older minutes into the archive."""
    _move(connection, TRAFFIC_MINUTES, TRAFFIC_MINUTES.c.at_s < before_s, period_s=_FIVE_MINUTES_S)


def archive_fives(connection: Connection, *, before_s: int) -> None:
    """Join what is older in the archive by hours."""
    old = and_(TRAFFIC_ARCHIVE.c.at_s < before_s, text(NOT_AN_HOUR))
    _move(connection, TRAFFIC_ARCHIVE, old, period_s=_HOUR_S)


def merge_silent_series(connection: Connection, *, unwritten_from_s: int) -> None:
    """Whatever has seconds has a minute, unless these are not written yet."""
    minute, second, series = TRAFFIC_MINUTES.c, TRAFFIC_SECONDS.c, TRAFFIC_SERIES.c
    unwritten = select(second.series_id).where(second.at_s >= unwritten_from_s)
    has_minutes = select(minute.series_id).where(minute.series_id == series.id).exists()
    has_archive = select(TRAFFIC_ARCHIVE.c.series_id).where(TRAFFIC_ARCHIVE.c.series_id == series.id).exists()
    other = TRAFFIC_SERIES.alias()
    same = [other.c[name] == series[name] for name in ("region", "endpoint", "config", "variant")]
    has_instances = select(other.c.id).where(*same, other.c.instance != "").exists()
    is_last = or_(series.instance != "", ~has_instances)
    silent = and_(series.config != "", is_last, ~has_minutes, ~has_archive, series.id.not_in(unwritten))
    gone = connection.execute(select(TRAFFIC_SERIES).where(silent)).all()
    totals: dict[SeriesKey, Tally] = {}
    for row in gone:
        whole = enclosing(key_of(row))
        totals[whole] = totals.get(whole, Tally()).then(decode_tally(row.total))
    if gone:
        connection.execute(
            delete(TRAFFIC_SERIES).where(series.id == bindparam("one")), [{"one": row.id} for row in gone]
        )
        add_to_totals(connection, identify(connection, totals))


def _move(connection: Connection, table: Table, old: ColumnElement[bool], *, period_s: int) -> None:
    """Put rows into the longer periods of the archive."""
    series = TRAFFIC_SERIES
    rows = connection.execute(
        select(table.c.at_s, table.c.tally, series).join(series, series.c.id == table.c.series_id).where(old)
    ).all()
    periods: dict[int, dict[SeriesKey, Tally]] = {}
    for row in rows:
        tallies, key = periods.setdefault(row.at_s - row.at_s % period_s, {}), key_of(row)._replace(instance="")
        tallies[key] = tallies.get(key, Tally()).then(decode_tally(row.tally))
    if rows:
        connection.execute(delete(table).where(old))
    for at_s, tallies in periods.items():
        add_rows(connection, TRAFFIC_ARCHIVE, at_s, identify(connection, tallies), Tally.then)
