"""Rows of tallies by series, as all tables of the traffic have them.

A statement takes all rows of a period at once: hundreds of series may be written every second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Table, and_, bindparam, insert, select, true, update
from sqlalchemy.sql.elements import ColumnElement

from moorage.core.model import EndpointKey
from moorage.core.traffic import SeriesKey, Tallies, Tally
from moorage.store.base import Counted
from moorage.store.codec import decode_counts, decode_tally, encode_tally
from moorage.store.tables import TRAFFIC_SERIES

_IDS_PER_STATEMENT: Final = 500
_NOTHING: Final = encode_tally(Tally())


def identify(connection: Connection, tallies: Tallies) -> Mapping[int, Tally]:
    """The tallies by the ids of their series, whose rows are made if they are not there yet."""
    ids = {_id(key): key for key in tallies}
    id_column = TRAFFIC_SERIES.c.id
    queries = (select(id_column).where(id_column.in_(some)) for some in _chunks(ids))
    known = {row.id for query in queries for row in connection.execute(query)}
    new = [{"id": id_, "total": _NOTHING, **key._asdict()} for id_, key in ids.items() if id_ not in known]
    if new:
        connection.execute(insert(TRAFFIC_SERIES), new)
    return {id_: tallies[key] for id_, key in ids.items()}


def add_rows(
    connection: Connection, table: Table, at_s: int, by_id: Mapping[int, Tally], join: Callable[[Tally, Tally], Tally]
) -> None:
    """Add to the period of a table that begins at `at_s`, by `join` where a series has something there."""
    rows = connection.execute(select(table.c.series_id, table.c.tally).where(table.c.at_s == at_s))
    known = {row.series_id: row.tally for row in rows if row.series_id in by_id}
    new = [
        {"at_s": at_s, "series_id": id_, "tally": encode_tally(tally)}
        for id_, tally in by_id.items()
        if id_ not in known
    ]
    if new:
        connection.execute(insert(table), new)
    changed = [
        {"one": id_, "tally": encode_tally(join(decode_tally(tally), by_id[id_]))} for id_, tally in known.items()
    ]
    if changed:
        that = and_(table.c.at_s == at_s, table.c.series_id == bindparam("one"))
        connection.execute(update(table).where(that).values(tally=bindparam("tally")), changed)


def add_to_totals(connection: Connection, by_id: Mapping[int, Tally]) -> None:
    """Add to all that was ever counted of some series."""
    series = TRAFFIC_SERIES.c
    totals = [
        {"one": row.id, "total": encode_tally(decode_tally(row.total).then(by_id[row.id]))}
        for some in _chunks(by_id)
        for row in connection.execute(select(series.id, series.total).where(series.id.in_(some)))
    ]
    if totals:
        statement = update(TRAFFIC_SERIES).where(series.id == bindparam("one")).values(total=bindparam("total"))
        connection.execute(statement, totals)


def counted(
    connection: Connection, table: Table, since_s: int, until_s: int, endpoint: EndpointKey | None, latencies: bool
) -> Sequence[Counted]:
    """What a table has of an endpoint, or of all, in order of time."""
    decode = decode_tally if latencies else decode_counts
    series = TRAFFIC_SERIES.c
    statement = (
        select(table.c.at_s, table.c.series_id, table.c.tally)
        .join(TRAFFIC_SERIES, series.id == table.c.series_id)
        .where(table.c.at_s >= since_s, table.c.at_s < until_s, is_of(endpoint))
        .order_by(table.c.at_s)
    )
    rows = connection.execute(statement).all()
    keys = {row.id: key_of(row) for row in connection.execute(select(TRAFFIC_SERIES).where(is_of(endpoint)))}
    # Rows are unpacked, and keys made once a series: of hundreds of minutes that is half of the time.
    return [Counted(at_s, keys[series_id], decode(tally)) for at_s, series_id, tally in rows]


def _id(key: SeriesKey) -> int:
    """63 bits, which a database's integer can hold."""
    digest = hashlib.blake2b("\0".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _chunks(ids: Collection[int]) -> Iterator[Sequence[int]]:
    """Databases limit how many values a statement may have."""
    everything = list(ids)
    for start in range(0, len(everything), _IDS_PER_STATEMENT):
        yield everything[start : start + _IDS_PER_STATEMENT]


def is_of(endpoint: EndpointKey | None) -> ColumnElement[bool]:
    """Whether a series is one of the endpoint's."""
    if endpoint is None:
        return true()
    return and_(TRAFFIC_SERIES.c.region == endpoint.region, TRAFFIC_SERIES.c.endpoint == endpoint.name)


def key_of(row: Any) -> SeriesKey:
    """Of a row of the table of series."""
    return SeriesKey(row.region, row.endpoint, row.config, row.variant, row.instance)
