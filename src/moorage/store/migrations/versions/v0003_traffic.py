"""What was counted of the traffic, and how far each gateway worker's ledger has been taken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BYTEWISE = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    _create_series()
    _create_tallies("traffic_seconds", "at_s", "series_id")
    _create_tallies("traffic_minutes", "series_id", "at_s")
    op.create_index("traffic_minutes_by_time", "traffic_minutes", ["at_s"])
    _create_progress()


def _create_series() -> None:
    op.create_table(
        "traffic_series",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("region", _BYTEWISE, nullable=False),
        sa.Column("endpoint", _BYTEWISE, nullable=False),
        sa.Column("config", _BYTEWISE, nullable=False),
        sa.Column("variant", _BYTEWISE, nullable=False),
        sa.Column("instance", _BYTEWISE, nullable=False),
        sa.Column("total", sa.LargeBinary, nullable=False),
    )
    op.create_index("traffic_series_by_endpoint", "traffic_series", ["region", "endpoint"])


def _create_tallies(name: str, *key: str) -> None:
    op.create_table(
        name,
        *(sa.Column(column, sa.BigInteger, primary_key=True, autoincrement=False) for column in key),
        sa.Column("tally", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )


def _create_progress() -> None:
    op.create_table(
        "ledger_images",
        sa.Column("ledger", _BYTEWISE, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("image", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "traffic_progress",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("minutes_until_s", sa.BigInteger, nullable=False),
    )
