"""The route table: all a gateway needs to know to serve, and nothing it could ask anybody about.

A table is an immutable value. Control builds a new one for every change and publishes it whole; a gateway swaps it in
by assignment, so a request sees one table from beginning to end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from moorage.core.iam.evaluation import EVERYTHING, NOTHING, Grant
from moorage.core.model import InstanceId, RoutingStrategy


@dataclass(frozen=True, slots=True)
class InstanceRoute:
    """Where one ready instance listens: the path of its Unix socket."""

    id: InstanceId
    address: str


@dataclass(frozen=True, slots=True)
class VariantRoute:
    """A variant that may be chosen: its share is `weight` over the sum of all weights. No instances = not ready."""

    name: str
    weight: float
    instances: tuple[InstanceRoute, ...]
    routing_strategy: RoutingStrategy = RoutingStrategy.LEAST_OUTSTANDING_REQUESTS
    """AWS takes RANDOM where the config says nothing; the less busy of two is never worse for a caller."""
    concurrency_max: int | None = None
    """How many requests one instance is asked at once, over all gateway workers; None leaves it to the gateway."""
    containers: tuple[str, ...] = ()
    """The names of the containers where an instance has several."""
    is_direct: bool = False
    """Whether a request is for one of the containers, which it names, and not for all in turn."""
    is_multi_model: bool = False
    """Whether a request says which of many models it is for."""
    wakes: bool = False
    """Whether control has to be asked for an instance while there is none; else one is coming by itself."""
    fault: str = ""
    """Why no instance comes up while there is none, as a sentence: nobody waits for one then."""
    requests_max: int | None = None
    """Of a serverless variant: how many requests there may be at once, whether waiting or on its instance."""


@dataclass(frozen=True, slots=True)
class EndpointRoute:
    """One endpoint as the gateway sees it."""

    arn: str
    config_name: str
    variants: tuple[VariantRoute, ...]


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A credential the gateway can verify by itself, and who it speaks for."""

    secret: str = field(repr=False)
    principal_arn: str
    account_id: str


@dataclass(frozen=True, slots=True)
class InvokePermission:
    """Which endpoints a principal may invoke, by operation, as its policies had it when the table was published."""

    invoke: Grant = NOTHING
    invoke_async: Grant = NOTHING
    invoke_stream: Grant = NOTHING
    """InvokeEndpointWithResponseStream."""


UNRESTRICTED: Final = InvokePermission(EVERYTHING, EVERYTHING, EVERYTHING)


@dataclass(frozen=True, slots=True)
class BearerKey:
    """What invokes one endpoint over plain HTTP, without a signature."""

    id: str
    region: str
    endpoint_name: str


@dataclass(frozen=True, slots=True)
class Access:
    """Who may invoke what: everything a table has of keys and permissions."""

    keys: Mapping[str, AccessKey] = field(default_factory=dict)
    permissions: Mapping[str, InvokePermission] = field(default_factory=dict)
    bearer_keys: Mapping[str, BearerKey] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Everything published, at one moment. `endpoints` is by region, then by endpoint name (case kept).

    `keys` are by access key id, `permissions` by ARN of the principal (one without any may invoke nothing),
    `bearer_keys` by the SHA-256 of the key in hexadecimal.
    """

    version: int = 0
    account_id: str = ""
    keys: Mapping[str, AccessKey] = field(default_factory=dict)
    endpoints: Mapping[str, Mapping[str, EndpointRoute]] = field(default_factory=dict)
    permissions: Mapping[str, InvokePermission] = field(default_factory=dict)
    bearer_keys: Mapping[str, BearerKey] = field(default_factory=dict)
