"""Keys of the page that Prometheus scrapes: CreateMetricsKey, ListMetricsKeys, DeleteMetricsKey."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from moorage.api.bearer_keys.keys import NO_REGION, add_key, make_key, remove_key, summaries
from moorage.api.service import Caller, Service, operation
from moorage.aws.types.moorage import (
    CreateMetricsKeyInput,
    CreateMetricsKeyOutput,
    DeleteMetricsKeyInput,
    ListMetricsKeysInput,
    ListMetricsKeysOutput,
)
from moorage.core.names import METRICS_KEYS_NAME
from moorage.store.base import Document, Store, Transaction
from moorage.system.clock import Clock

_WHOSE: Final = "The metrics page"


def find_metrics_keys(tx: Transaction) -> Document | None:
    """All of them in one document, as of the keys of an endpoint; None if there are none."""
    return tx.bearer_keys.get(NO_REGION, METRICS_KEYS_NAME)


class MetricsKeys(Service):
    """Keeps them. They are in force with the answer, since only control serves the page."""

    name: ClassVar[str] = "moorage"

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @operation("CreateMetricsKey")
    async def create_metrics_key(self, caller: Caller, request: CreateMetricsKeyInput) -> CreateMetricsKeyOutput:
        """Make a key. It is told here, and never again."""
        now = self._clock.now()
        made = make_key(request.get("Description"), now=now)
        await self._store.run(lambda tx: add_key(tx, find_metrics_keys(tx) or _no_keys(now), made, of=_WHOSE, now=now))
        return {"KeyId": made.id, "Key": made.key, "CreationTime": now}

    @operation("ListMetricsKeys")
    async def list_metrics_keys(self, caller: Caller, request: ListMetricsKeysInput) -> ListMetricsKeysOutput:
        """The keys, the oldest first."""
        return {"BearerKeys": summaries(await self._store.run(find_metrics_keys))}

    @operation("DeleteMetricsKey")
    async def delete_metrics_key(self, caller: Caller, request: DeleteMetricsKeyInput) -> None:
        """Withdraw a key."""
        key_id, now = request["KeyId"], self._clock.now()
        await self._store.run(lambda tx: remove_key(tx, find_metrics_keys(tx), key_id, of=_WHOSE, now=now))


def _no_keys(now: datetime) -> Document:
    return Document(NO_REGION, METRICS_KEYS_NAME, METRICS_KEYS_NAME, now, now, {"Keys": {}})
