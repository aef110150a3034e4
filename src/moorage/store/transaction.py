"""One transaction's view of the tables."""

from __future__ import annotations

from sqlalchemy import Connection

from moorage.store.documents import SqlDocuments
from moorage.store.endpoints import SqlEndpoints
from moorage.store.journal import SqlJournal
from moorage.store.tables import (
    ALARMS,
    BEARER_KEYS,
    DASHBOARDS,
    ENDPOINT_CONFIGS,
    LOG_GROUPS,
    MODELS,
    POLICIES,
    ROLES,
    SCALABLE_TARGETS,
    SCALING_POLICIES,
    SCHEDULED_ACTIONS,
    TOPICS,
    USERS,
)
from moorage.store.tags import SqlTags
from moorage.store.traffic import SqlTraffic
from moorage.store.usage import SqlUsages


class SqlTransaction:
    """Every table, on one connection. See `base.Transaction`."""

    def __init__(self, connection: Connection) -> None:
        self.models = SqlDocuments(connection, MODELS)
        self.endpoint_configs = SqlDocuments(connection, ENDPOINT_CONFIGS)
        self.roles = SqlDocuments(connection, ROLES)
        self.policies = SqlDocuments(connection, POLICIES)
        self.users = SqlDocuments(connection, USERS)
        self.bearer_keys = SqlDocuments(connection, BEARER_KEYS)
        self.alarms = SqlDocuments(connection, ALARMS)
        self.dashboards = SqlDocuments(connection, DASHBOARDS)
        self.topics = SqlDocuments(connection, TOPICS)
        self.scalable_targets = SqlDocuments(connection, SCALABLE_TARGETS)
        self.scaling_policies = SqlDocuments(connection, SCALING_POLICIES)
        self.scheduled_actions = SqlDocuments(connection, SCHEDULED_ACTIONS)
        self.log_groups = SqlDocuments(connection, LOG_GROUPS)
        self.endpoints = SqlEndpoints(connection)
        self.tags = SqlTags(connection)
        self.traffic = SqlTraffic(connection)
        self.journal = SqlJournal(connection)
        self.usages = SqlUsages(connection)
