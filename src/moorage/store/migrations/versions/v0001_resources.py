"""Models, endpoint configs, endpoints, roles, policies and tags."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BYTEWISE = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    for kind in ("models", "endpoint_configs", "roles", "policies"):
        _create_documents(kind)
    _create_endpoints()
    _create_tags()


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


def _create_endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("region", _BYTEWISE, primary_key=True),
        sa.Column("folded", _BYTEWISE, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("uid", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", _BYTEWISE, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("modified_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("endpoints_by_time", "endpoints", ["region", "created_us", "folded"])


def _create_tags() -> None:
    op.create_table(
        "tags",
        sa.Column("arn", _BYTEWISE, primary_key=True),
        sa.Column("key", _BYTEWISE, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
