"""Alarms, dashboards, topics, what scaling has, log groups, and the journal of what happened."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_BYTEWISE = sa.String().with_variant(sa.String(collation="C"), "postgresql")
_KINDS = (
    "alarms",
    "dashboards",
    "topics",
    "scalable_targets",
    "scaling_policies",
    "scheduled_actions",
    "log_groups",
)


def upgrade() -> None:
    for kind in _KINDS:
        _create_documents(kind)
    op.create_table(
        "journal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("kind", _BYTEWISE, nullable=False),
        sa.Column("region", _BYTEWISE, nullable=False),
        sa.Column("subject", _BYTEWISE, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("journal_by_subject", "journal", ["kind", "region", "subject", "at_us", "id"])
    op.create_index("journal_by_time", "journal", ["kind", "region", "at_us", "id"])


def _create_documents(kind: str) -> None:
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
