"""A variant has several containers, and model data has a form beside its address."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ENDPOINTS = sa.table("endpoints", sa.column("region"), sa.column("folded"), sa.column("body"))


def upgrade() -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(_ENDPOINTS)).all():
        endpoint = json.loads(row.body)
        for fleet in (endpoint.get("serving"), endpoint.get("target")):
            for variant in fleet["variants"] if fleet else ():
                variant["containers"] = [_renewed(variant.pop("container"))]
        which = sa.and_(_ENDPOINTS.c.region == row.region, _ENDPOINTS.c.folded == row.folded)
        connection.execute(sa.update(_ENDPOINTS).where(which).values(body=json.dumps(endpoint)))


def _renewed(container: dict[str, Any]) -> dict[str, Any]:
    url = container.pop("model_data_url", None)
    return {**container, "model_data": {"uri": url, "form": "Archive"} if url else None}
