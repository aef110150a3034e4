"""Users with their keys and policies, and the bearer keys of endpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BYTEWISE = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    for kind in ("users", "bearer_keys"):
        op.create_table(
            kind,
            sa.Column("region", _BYTEWISE, primary_key=True),
            sa.Column("folded", _BYTEWISE, primary_key=True),
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("arn", sa.Text, nullable=False),
            sa.Column("created_us", sa.BigInteger, nullable=False),
            sa.Column("modified_us", sa.BigInteger, nullable=False),
            sa.Column("body", sa.Text, nullable=False),
        )
        op.create_index(f"{kind}_by_time", kind, ["region", "created_us", "folded"])
