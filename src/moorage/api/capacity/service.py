"""DescribeCapacity: what instances may reserve of the machine, and have."""

from __future__ import annotations

from typing import ClassVar, Protocol

from moorage.api.service import Caller, Service, operation
from moorage.aws.types.moorage import DescribeCapacityInput, DescribeCapacityOutput
from moorage.aws.types.moorage import Resources as Described
from moorage.core.capacity import Offer, Resources


class Reservations(Protocol):
    """What is asked about capacity."""

    @property
    def offer(self) -> Offer | None: ...
    @property
    def reserved(self) -> Resources: ...
    @property
    def instances(self) -> int: ...


class Capacity(Service):
    """Says what control goes by."""

    name: ClassVar[str] = "moorage"

    def __init__(self, reservations: Reservations) -> None:
        self._reservations = reservations

    @operation("DescribeCapacity")
    async def describe_capacity(self, caller: Caller, request: DescribeCapacityInput) -> DescribeCapacityOutput:
        """As of now."""
        offer = self._reservations.offer
        return {
            "Offered": _describe(offer.total if offer is not None else Resources()),
            "Reserved": _describe(self._reservations.reserved),
            "Instances": self._reservations.instances,
        }


def _describe(resources: Resources) -> Described:
    return {"VCpus": resources.vcpus, "MemoryBytes": resources.memory_bytes, "Gpus": resources.gpus}
