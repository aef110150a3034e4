"""What was counted of the traffic more than fifteen days ago."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "traffic_archive",
        sa.Column("series_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at_s", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tally", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("traffic_archive_by_time", "traffic_archive", ["at_s"])
    fives = sa.text("at_s % 3600 <> 0")
    op.create_index("traffic_archive_fives", "traffic_archive", ["at_s"], sqlite_where=fives, postgresql_where=fives)
