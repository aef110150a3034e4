"""Opening a database: new, old, newer than the code, damaged."""

from __future__ import annotations

import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import update

from moorage.store.base import StoreUnavailable, StoreUnusable
from moorage.store.codec import encode_endpoint
from moorage.store.endpoints import SqlEndpoints
from moorage.store.engine import sqlite_engine
from moorage.store.schema import HEAD, bring_up_to_date
from moorage.store.tables import ENDPOINTS, METADATA
from moorage.testing.builders import make_endpoint


def migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", "moorage.store:migrations")
    return config


def test_head_is_the_newest_migration() -> None:
    assert HEAD == ScriptDirectory.from_config(migrations()).get_current_head()


def test_the_migrations_lead_to_the_tables_of_this_version(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path / "state.db")
    with engine.begin() as connection:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        assert [] == compare_metadata(MigrationContext.configure(connection), METADATA)
    bring_up_to_date(engine, name="state.db")
    engine.dispose()


def test_a_database_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path / "state.db")
    with engine.begin() as connection:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    bring_up_to_date(engine, name="state.db")
    with engine.connect() as connection:
        assert HEAD == MigrationContext.configure(connection).get_current_revision()
        assert [] == compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()


def test_an_endpoint_of_an_older_version_is_read_with_its_container(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path / "state.db")
    endpoint = make_endpoint()
    body = json.loads(encode_endpoint(endpoint))
    (variant,) = body["target"]["variants"]
    (container,) = variant.pop("containers")
    variant["container"] = {"image": container["image"], "model_data_url": container["model_data"]["uri"]}
    with engine.begin() as connection:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        SqlEndpoints(connection).insert(endpoint)
        connection.execute(update(ENDPOINTS).values(body=json.dumps(body)))
    bring_up_to_date(engine, name="state.db")
    with engine.connect() as connection:
        assert endpoint == SqlEndpoints(connection).get(endpoint.key)
    engine.dispose()


def test_a_new_database_is_at_head_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    engine = sqlite_engine(path)
    for _ in range(2):
        bring_up_to_date(engine, name="state.db")
    with engine.connect() as connection:
        assert HEAD == MigrationContext.configure(connection).get_current_revision()
        assert [] == compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_a_database_of_a_newer_version_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    engine = sqlite_engine(path)
    bring_up_to_date(engine, name="state.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnusable, match=r"written by a newer Moorage \(schema 9999; .* Upgrade Moorage"):
        bring_up_to_date(engine, name="state.db")
    engine.dispose()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    engine = sqlite_engine(path)
    with pytest.raises(StoreUnusable, match=r"state\.db is damaged .* Restore it from a backup"):
        bring_up_to_date(engine, name=str(path))
    engine.dispose()


def test_a_folder_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    engine = sqlite_engine(tmp_path / "state.db")
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        bring_up_to_date(engine, name="state.db")
    engine.dispose()
