"""One transaction's view of the tables."""

from __future__ import annotations

from sqlalchemy import Connection

from moorage.store.documents import SqlDocuments
from moorage.store.endpoints import SqlEndpoints
from moorage.store.tables import BEARER_KEYS, ENDPOINT_CONFIGS, MODELS, POLICIES, ROLES, USERS
from moorage.store.tags import SqlTags
from moorage.store.traffic import SqlTraffic


class SqlTransaction:
    """Every table, on one connection. See `base.Transaction`."""

    def __init__(self, connection: Connection) -> None:
        self.models = SqlDocuments(connection, MODELS)
        self.endpoint_configs = SqlDocuments(connection, ENDPOINT_CONFIGS)
        self.roles = SqlDocuments(connection, ROLES)
        self.policies = SqlDocuments(connection, POLICIES)
        self.users = SqlDocuments(connection, USERS)
        self.bearer_keys = SqlDocuments(connection, BEARER_KEYS)
        self.endpoints = SqlEndpoints(connection)
        self.tags = SqlTags(connection)
        self.traffic = SqlTraffic(connection)
