"""Who has reserved how much of this machine: first come, first served, in the order in which launches are begun.

A reservation outlasts a relaunch: what an endpoint serves with is not given away while an instance of it is replaced.
It ends when the instance is neither wanted nor there. Nothing here is stored: a new control finds the serving fleets
in the store and what runs at the runner.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from moorage.core.capacity import Offer, Resources
from moorage.core.model import EndpointKey, InstanceId, InstanceSpec


class Listener(Protocol):
    """Who is told of reservations, as they begin and end."""

    def began(self, spec: InstanceSpec) -> None: ...

    def kept(self, key: EndpointKey, instances: Collection[InstanceId]) -> None:
        """Of an endpoint nothing but these is wanted or there, whoever has reserved for it."""
        ...


class Capacity:
    """The reservations of one machine; without an offer there is room for everything, and nothing is reserved."""

    def __init__(self, offer: Offer | None = None, listener: Listener | None = None) -> None:
        self.offer = offer
        self._listener = listener
        self._reserved: dict[EndpointKey, dict[InstanceId, Resources]] = {}

    @property
    def reserved(self) -> Resources:
        """All reservations together."""
        every = (need for needs in self._reserved.values() for need in needs.values())
        return sum(every, start=Resources())

    @property
    def instances(self) -> int:
        """How many instances there are reservations for."""
        return sum(map(len, self._reserved.values()))

    def reserve(self, spec: InstanceSpec) -> str | None:
        """Reserve what an instance needs, unless that is done; else why it cannot be had, as a FailureReason."""
        if self.offer is None or spec.id in self._reserved.get(spec.endpoint, ()):
            return None
        shortage = self.offer.shortage(spec.variant.instance_type, self.reserved)
        if shortage is None:
            self.adopt(spec)
        return shortage

    def adopt(self, spec: InstanceSpec) -> None:
        """Reserve for an instance that runs already, or serves: also where settings or machine have become smaller."""
        if self.offer is None or spec.id in self._reserved.get(spec.endpoint, ()):
            return
        self._reserved.setdefault(spec.endpoint, {})[spec.id] = self.offer.need_of(spec.variant.instance_type)
        if self._listener is not None:
            self._listener.began(spec)

    def keep(self, key: EndpointKey, instances: Collection[InstanceId]) -> None:
        """End the endpoint's reservations but for those of `instances`."""
        reserved = self._reserved.pop(key, {})
        kept = {each: need for each, need in reserved.items() if each in instances}
        if kept:
            self._reserved[key] = kept
        if self._listener is not None:
            self._listener.kept(key, instances)
