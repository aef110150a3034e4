"""What a decision looks like: a plan is the endpoint to save and the actions to take, with the reason.

The order is the promise: save, then the actions one by one, and the first that fails ends the plan: the loop decides
again from the world as it then is. Within a plan Publish precedes Drain precedes Stop, so no caller is routed to an
instance on its way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from moorage.core.model import Endpoint, EndpointKey, InstanceId, InstanceSpec, Observation
from moorage.core.routes import EndpointRoute


@dataclass(frozen=True, slots=True)
class Launch:
    """Start an instance. Repeating it for one that runs changes nothing."""

    spec: InstanceSpec


@dataclass(frozen=True, slots=True)
class Publish:
    """Make every gateway use `route` for the endpoint, or forget the endpoint if None. Done when they say so."""

    key: EndpointKey
    route: EndpointRoute | None


@dataclass(frozen=True, slots=True)
class Drain:
    """Ask the gateways to say when the last request in flight on these instances is over."""

    instances: tuple[InstanceId, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Stop:
    """End an instance and forget it, whatever state it is in. Repeating it changes nothing."""

    id: InstanceId


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove the endpoint's record: nothing of it is left in the world."""

    key: EndpointKey
    uid: str


Action = Launch | Publish | Drain | Stop | Forget


@dataclass(frozen=True, slots=True)
class EndpointView:
    """All that a decision about one endpoint may depend on, but for the time."""

    endpoint: Endpoint
    instances: Mapping[InstanceId, Observation] = field(default_factory=dict)
    published: EndpointRoute | None = None
    """The route that every gateway has acknowledged."""
    settled: bool = True
    """False if a route published later was not acknowledged by all: some gateways may use that one."""
    drained: frozenset[InstanceId] = frozenset()
    """Instances out of the routes that the gateways report free of requests."""
    stopping: frozenset[InstanceId] = frozenset()
    """Instances whose stop has begun."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about one endpoint now."""

    endpoint: Endpoint
    """To be saved first, if it differs from the one decided on."""
    actions: tuple[Action, ...] = ()
    wake_at: datetime | None = None
    """When to decide again if nothing else happens. The loop has no other timer."""
    why: str = ""
    """One clause for the log and the tests."""
