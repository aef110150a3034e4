"""What the simulated world is made of: instances, gateways and requests as they really are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from moorage.core.model import InstanceId, InstanceSpec, InstanceState, Observation
from moorage.core.routes import EndpointRoute
from moorage.testing.builders import T0


class Violation(AssertionError):
    """Something that must never be seen was seen."""


class Fault(Exception):
    """What control gets to see of an injected fault: an error, whether or not the thing was done."""


@dataclass(slots=True)
class SimulatedInstance:
    """An instance as it really is."""

    spec: InstanceSpec
    state: InstanceState
    since: datetime
    next_state: InstanceState | None = None
    next_at: datetime = T0
    is_late: bool = False
    """Begun by a command that was thought lost."""
    was_ready: bool = False
    was_down: bool = False

    def observe(self) -> Observation:
        spec = self.spec
        address = f"/run/i/{spec.id}.sock" if self.state is InstanceState.READY else None
        return Observation(
            id=spec.id,
            uid=spec.uid,
            endpoint=spec.endpoint,
            state=self.state,
            address=address,
            reason=f"It is {self.state}.",
            since=self.since,
        )


@dataclass(slots=True)
class SimulatedGateway:
    """A gateway: what it routes by, and whether it lives and answers. A silent one goes on serving."""

    table: EndpointRoute | None = None
    alive: bool = True
    silent: bool = False
    back_at: datetime = T0


@dataclass(slots=True)
class Request:
    """A request in flight."""

    gateway: SimulatedGateway
    instance: InstanceId
    uid: str
    generation: int
    began: datetime
    ends: datetime


@dataclass(slots=True)
class Held:
    """A request that waits in a gateway for its variant to wake."""

    gateway: SimulatedGateway
    variant: str
    since: datetime
