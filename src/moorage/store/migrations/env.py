"""Alembic's entry: runs the migrations on the connection that `store.schema` hands in, in its transaction."""

from __future__ import annotations

from alembic import context

from moorage.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
