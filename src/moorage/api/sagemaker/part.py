"""What the parts of the SageMaker service have in common: what they are given, and the small steps they share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moorage.api.sagemaker.errors import Kind
from moorage.api.sagemaker.paging import PageTokens
from moorage.api.sagemaker.permissions import requirements
from moorage.api.service import Caller, Service
from moorage.core.iam.principal import Requirement
from moorage.core.model import EndpointKey
from moorage.objects.model_data import ModelDataChecks
from moorage.store.base import Document, Store
from moorage.system.clock import Clock
from moorage.system.signals import KeyedSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the handlers act through. See `SageMaker` for what each is for."""

    store: Store
    clock: Clock
    account_id: str
    wake: Callable[[EndpointKey], None]
    changed: KeyedSignal[EndpointKey]
    ready_counts: Callable[[EndpointKey], Mapping[str, int]]
    model_data: ModelDataChecks
    prepare: Callable[[str], None]
    tokens: PageTokens
    instances_max: int
    enforce_access: Callable[[], Awaitable[None]]


class Part(Service):
    """Some of the operations."""

    name = "sagemaker"

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._store = needs.store
        self._clock = needs.clock
        self._tokens = needs.tokens

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """See `permissions`."""
        return requirements(operation, request, region=caller.region, account_id=self._needs.account_id)

    def _arn(self, kind: Kind, caller: Caller, name: str) -> str:
        return kind.arn(caller.region, self._needs.account_id, name)

    def _document(self, kind: Kind, caller: Caller, *, name: str, body: Mapping[str, Any]) -> Document:
        """A new document made of an accepted request; tags are kept apart."""
        now = self._clock.now()
        kept = {member: value for member, value in body.items() if member != "Tags"}
        return Document(caller.region, name, self._arn(kind, caller, name), now, now, kept)
