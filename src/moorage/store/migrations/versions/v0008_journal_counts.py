"""How many entries the journal has ever had of each subject."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_BYTEWISE = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "journal_counts",
        sa.Column("kind", _BYTEWISE, primary_key=True),
        sa.Column("region", _BYTEWISE, primary_key=True),
        sa.Column("subject", _BYTEWISE, primary_key=True),
        sa.Column("entries", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO journal_counts (kind, region, subject, entries)"
        " SELECT kind, region, subject, count(*) FROM journal GROUP BY kind, region, subject"
    )
