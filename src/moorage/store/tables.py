"""The tables, as the code of this version sees them. Change one only together with a new migration.

A resource is a JSON document beside the columns that find, filter and sort it. `folded` is the name without its case,
where AWS's lookup disregards it; times are microseconds since 1970 (see `paging.to_micros`), for every database alike.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

METADATA: Final = MetaData()

# Names and cursors are compared byte by byte; PostgreSQL would follow the locale it was set up with.
_BYTEWISE: Final = String().with_variant(String(collation="C"), "postgresql")


FOLDS: Final = "folds"
"""Of a table's `info`: whether names that differ in case alone are the same name."""


def _documents(kind: str, *, folds: bool = True) -> Table:
    return Table(
        kind,
        METADATA,
        Column("region", _BYTEWISE, primary_key=True),
        Column("folded", _BYTEWISE, primary_key=True),
        Column("name", Text, nullable=False),
        Column("arn", Text, nullable=False),
        Column("created_us", BigInteger, nullable=False),
        Column("modified_us", BigInteger, nullable=False),
        Column("body", Text, nullable=False),
        Index(f"{kind}_by_time", "region", "created_us", "folded"),
        info={FOLDS: folds},
    )


MODELS: Final = _documents("models")
ENDPOINT_CONFIGS: Final = _documents("endpoint_configs")
ROLES: Final = _documents("roles")
POLICIES: Final = _documents("policies")
USERS: Final = _documents("users")
BEARER_KEYS: Final = _documents("bearer_keys")
ALARMS: Final = _documents("alarms", folds=False)
DASHBOARDS: Final = _documents("dashboards", folds=False)
TOPICS: Final = _documents("topics", folds=False)
SCALABLE_TARGETS: Final = _documents("scalable_targets", folds=False)
SCALING_POLICIES: Final = _documents("scaling_policies", folds=False)
SCHEDULED_ACTIONS: Final = _documents("scheduled_actions", folds=False)
LOG_GROUPS: Final = _documents("log_groups", folds=False)

JOURNAL: Final = Table(
    "journal",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("kind", _BYTEWISE, nullable=False),
    Column("region", _BYTEWISE, nullable=False),
    Column("subject", _BYTEWISE, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("journal_by_subject", "kind", "region", "subject", "at_us", "id"),
    Index("journal_by_time", "kind", "region", "at_us", "id"),
)

JOURNAL_COUNTS: Final = Table(
    "journal_counts",
    METADATA,
    Column("kind", _BYTEWISE, primary_key=True),
    Column("region", _BYTEWISE, primary_key=True),
    Column("subject", _BYTEWISE, primary_key=True),
    Column("entries", BigInteger, nullable=False),
)

USAGE: Final = Table(
    "usage",
    METADATA,
    Column("instance", _BYTEWISE, primary_key=True),
    Column("began_us", BigInteger, primary_key=True, autoincrement=False),
    Column("region", _BYTEWISE, nullable=False),
    Column("endpoint", _BYTEWISE, nullable=False),
    Column("variant", _BYTEWISE, nullable=False),
    Column("instance_type", _BYTEWISE, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Index("usage_by_time", "region", "until_us"),
    Index("usage_by_state", "is_open"),
)

ENDPOINTS: Final = Table(
    "endpoints",
    METADATA,
    Column("region", _BYTEWISE, primary_key=True),
    Column("folded", _BYTEWISE, primary_key=True),
    Column("name", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", _BYTEWISE, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("modified_us", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("endpoints_by_time", "region", "created_us", "folded"),
)

TAGS: Final = Table(
    "tags",
    METADATA,
    Column("arn", _BYTEWISE, primary_key=True),
    Column("key", _BYTEWISE, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("value", Text, nullable=False),
)

# What was counted of the traffic. A series' number is a digest of its key, so that no two writers can disagree on it.
# Seconds lie in the order of time, as they are written, minutes in the order of series, as they are read.
TRAFFIC_SERIES: Final = Table(
    "traffic_series",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("region", _BYTEWISE, nullable=False),
    Column("endpoint", _BYTEWISE, nullable=False),
    Column("config", _BYTEWISE, nullable=False),
    Column("variant", _BYTEWISE, nullable=False),
    Column("instance", _BYTEWISE, nullable=False),
    Column("total", LargeBinary, nullable=False),
    Index("traffic_series_by_endpoint", "region", "endpoint"),
)
TRAFFIC_SECONDS: Final = Table(
    "traffic_seconds",
    METADATA,
    Column("at_s", BigInteger, primary_key=True, autoincrement=False),
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("tally", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
TRAFFIC_MINUTES: Final = Table(
    "traffic_minutes",
    METADATA,
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at_s", BigInteger, primary_key=True, autoincrement=False),
    Column("tally", LargeBinary, nullable=False),
    Index("traffic_minutes_by_time", "at_s"),
    sqlite_with_rowid=False,
)
NOT_AN_HOUR: Final = "at_s % 3600 <> 0"
"""Of what is in the archive by five minutes. Spelled out, since a database finds an index by what it is told."""

# What is too old for minutes, by five minutes and later by hours. Its series have no instances.
TRAFFIC_ARCHIVE: Final = Table(
    "traffic_archive",
    METADATA,
    Column("series_id", BigInteger, primary_key=True, autoincrement=False),
    Column("at_s", BigInteger, primary_key=True, autoincrement=False),
    Column("tally", LargeBinary, nullable=False),
    Index("traffic_archive_by_time", "at_s"),
    Index("traffic_archive_fives", "at_s", sqlite_where=text(NOT_AN_HOUR), postgresql_where=text(NOT_AN_HOUR)),
    sqlite_with_rowid=False,
)

# How far each gateway worker's ledger has been taken, and by the how manieth taking (one row).
LEDGER_IMAGES: Final = Table(
    "ledger_images",
    METADATA,
    Column("ledger", _BYTEWISE, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("image", LargeBinary, nullable=False),
)
TRAFFIC_PROGRESS: Final = Table(
    "traffic_progress",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),
    Column("minutes_until_s", BigInteger, nullable=False),
)
