"""Instances that do not run and may be wanted any moment: whose model data is kept, and until when."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from moorage.core.model import InstanceId
from moorage.system.clock import Clock


class _Lease(NamedTuple):
    digests: frozenset[str]
    until: float


class Standby:
    """What is kept for whom. It is forgotten `kept_s` after it was last asked for."""

    def __init__(self, clock: Clock, *, kept_s: float) -> None:
        self._clock = clock
        self._kept_s = kept_s
        self._leases: dict[InstanceId, _Lease] = {}

    @property
    def digests(self) -> set[str]:
        """Those of all model data that is kept."""
        return {digest for lease in self._leases.values() for digest in lease.digests}

    def renew(self, instance: InstanceId, digests: Collection[str] | None) -> None:
        """Keep the model data of these digests, or if that is not known now, what has been kept for the instance."""
        known = self._leases.get(instance)
        kept = frozenset(digests) if digests is not None else known.digests if known else frozenset()
        self._leases[instance] = _Lease(kept, self._clock.monotonic() + self._kept_s)

    def expire(self) -> bool:
        """Forget what was not asked for any more; whether there was anything."""
        now = self._clock.monotonic()
        before = len(self._leases)
        self._leases = {instance: lease for instance, lease in self._leases.items() if lease.until > now}
        return len(self._leases) < before
