"""Bringing a database to the schema of this version, and refusing one that it cannot read."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, insert, inspect, select
from sqlalchemy.exc import DBAPIError

from moorage.store.base import StoreUnavailable, StoreUnusable
from moorage.store.tables import METADATA

HEAD: Final = "0008"
"""The newest migration in `migrations/versions`; a test holds the two together."""

# Alembic's own table. Read and written without Alembic, which takes longer to import than a database to open.
_VERSION: Final = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def bring_up_to_date(engine: Engine, *, name: str) -> None:
    """Make or migrate the database `name`. Raises StoreUnusable, StoreUnavailable."""
    try:
        with engine.begin() as connection:
            revision = _revision(connection)
            if revision is None:
                _create(connection)
            elif revision != HEAD:
                _migrate(connection, revision, name=name)
    except DBAPIError as error:
        raise _opening_failed(error, name=name) from error


def _revision(connection: Connection) -> str | None:
    """The last migration that the database has been through, None if it is new."""
    if not inspect(connection).has_table(_VERSION.name):
        return None
    return connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()


def _create(connection: Connection) -> None:
    """Make the tables as they are now, which a test holds equal to what the migrations lead to."""
    METADATA.create_all(connection)
    _VERSION.create(connection, checkfirst=True)
    connection.execute(insert(_VERSION).values(version_num=HEAD))


def _migrate(connection: Connection, revision: str, *, name: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "moorage.store:migrations")
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision not in known:
        raise StoreUnusable(
            f"{name} was written by a newer Moorage (schema {revision}; this one knows up to {HEAD}). "
            "Upgrade Moorage, or use another data directory."
        )
    command.upgrade(config, HEAD)


def _opening_failed(error: DBAPIError, *, name: str) -> Exception:
    reason = str(error.orig)
    if "not a database" in reason or "malformed" in reason:
        return StoreUnusable(f"{name} is damaged ({reason}). Restore it from a backup, or move it away to start anew.")
    return StoreUnavailable(f"{name} cannot be opened: {reason}")
