"""How long instances were there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_BYTEWISE = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("instance", _BYTEWISE, primary_key=True),
        sa.Column("began_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("region", _BYTEWISE, nullable=False),
        sa.Column("endpoint", _BYTEWISE, nullable=False),
        sa.Column("variant", _BYTEWISE, nullable=False),
        sa.Column("instance_type", _BYTEWISE, nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
        sa.Column("is_open", sa.Boolean, nullable=False),
    )
    op.create_index("usage_by_time", "usage", ["region", "until_us"])
    op.create_index("usage_by_state", "usage", ["is_open"])
