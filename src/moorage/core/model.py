"""The nouns of hosting, as immutable values.

Every value here is plain data: it can be stored, compared, printed and built in a test. Behaviour that changes an
endpoint lives in `status` (which status follows which) and `reconcile` (what to do next); nothing here reads a clock.
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, NewType

InstanceId = NewType("InstanceId", str)
"""`i-` and 17 hexadecimal digits, computed by `instance_id`, never drawn at random."""


class EndpointKey(NamedTuple):
    """What names an endpoint: names are unique within a region, and regions do not see each other."""

    region: str
    name: str


class VariantKey(NamedTuple):
    """What names a production variant of an endpoint."""

    endpoint: EndpointKey
    variant: str


class EndpointStatus(enum.StrEnum):
    """SageMaker's `EndpointStatus`, as far as Moorage ever sets it."""

    CREATING = "Creating"
    UPDATING = "Updating"
    ROLLING_BACK = "RollingBack"
    IN_SERVICE = "InService"
    DELETING = "Deleting"
    FAILED = "Failed"


class RoutingStrategy(enum.Enum):
    """How an instance of a variant is chosen (AWS's names)."""

    RANDOM = "RANDOM"
    LEAST_OUTSTANDING_REQUESTS = "LEAST_OUTSTANDING_REQUESTS"


class DataForm(enum.Enum):
    """What lies at the address of model data, and so what a container finds of it."""

    ARCHIVE = "Archive"
    """One .tar.gz; a container finds what is in it."""
    OBJECT = "Object"
    """One object; a container finds a file of the last part of its key."""
    PREFIX = "Prefix"
    """Every object below the prefix; a container finds each at the rest of its key."""


@dataclass(frozen=True, slots=True)
class ModelData:
    """Where model data lies, and in which form."""

    uri: str
    """`s3://bucket/key`; of a PREFIX it ends in a slash."""
    form: DataForm = DataForm.ARCHIVE
    etag: str | None = None
    """Of the one object, if only that version of it will do."""


@dataclass(frozen=True, slots=True)
class DataChannel:
    """Further model data of a container, which finds it in a folder of this name (AdditionalModelDataSources)."""

    name: str
    data: ModelData


@dataclass(frozen=True, slots=True)
class Container:
    """What runs in an instance: an image URI, where its model data lies, and its environment."""

    image: str
    model_data: ModelData | None = None
    """Of a multi-model container, the prefix below which its models lie, one archive each."""
    environment: Mapping[str, str] = field(default_factory=dict)
    name: str = "primary"
    """How logs and error messages call it, and TargetContainerHostname among several."""
    channels: tuple[DataChannel, ...] = ()
    is_multi_model: bool = False
    keeps_models: bool = True
    """Of a multi-model container: whether models stay loaded after an invocation (ModelCacheSetting)."""


class ExecutionMode(enum.Enum):
    """How several containers of an instance share the requests (AWS's names)."""

    SERIAL = "Serial"
    """Each gets the answer of the one before it."""
    DIRECT = "Direct"
    """The caller says which one it means."""


@dataclass(frozen=True, slots=True)
class Serverless:
    """What a serverless variant may use (ServerlessConfig). It has one instance, or none while nobody asks it."""

    memory_mb: int
    concurrency_max: int
    """Beyond so many requests at once they are refused."""
    provisioned_concurrency: int = 0
    """If not 0, its instance stays."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A production variant of a fleet: a model frozen as it was when the fleet was decided on, and its capacity.

    The containers are copied from the model, because SageMaker lets a model or an endpoint config be deleted while
    endpoints use it; a replacement instance must still be the same one.
    """

    name: str
    model_name: str
    containers: tuple[Container, ...]
    """1 to 15, all in each instance."""
    instance_type: str
    desired_count: int
    desired_weight: float = 1.0
    execution_role_arn: str | None = None
    download_timeout_s: float = 3600.0
    startup_timeout_s: float = 480.0
    routing_strategy: RoutingStrategy = RoutingStrategy.LEAST_OUTSTANDING_REQUESTS
    execution_mode: ExecutionMode = ExecutionMode.SERIAL
    network_isolation: bool = False
    """Whether model code gets no network at all (EnableNetworkIsolation)."""
    serverless: Serverless | None = None
    was_woken: bool = False
    """Whether a request has given it an instance since its fleet came to be."""

    @property
    def wakes(self) -> bool:
        """Whether requests that find no instance have to ask for one. Other variants get theirs back unasked."""
        return self.desired_count == 0 or self.was_woken or self.serverless is not None


@dataclass(frozen=True, slots=True)
class Fleet:
    """All the instances of one generation of an endpoint."""

    generation: int
    config_name: str
    variants: tuple[Variant, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LaunchFailures:
    """How often one instance has failed in a row, so that a relaunch backs off. Forgotten once it is ready."""

    count: int
    last_at: datetime
    reason: str
    is_certain: bool = False
    """Whether the last of them said that another start would end the same way."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: what is wanted of it and how far it has come. Saved by compare-and-swap on `version`.

    `serving` takes the traffic; `target` is being brought up and takes over when every instance of it is ready. A
    target of the serving generation is a change of weights and capacities: what both want are the same instances.
    Instances that neither wants are on their way out, and so are all of an endpoint Failed or Deleting, which keeps
    its fleets to be described by.
    """

    key: EndpointKey
    uid: str
    arn: str
    status: EndpointStatus
    created_at: datetime
    modified_at: datetime
    serving: Fleet | None = None
    target: Fleet | None = None
    last_generation: int = 0
    """The generation last given out. None is given out twice: a failed fleet's instances may outlive it."""
    failure_reason: str | None = None
    draining: Mapping[InstanceId, datetime] = field(default_factory=dict)
    """Instances out of the routes and to be stopped once free of requests, or at the given time."""
    failures: Mapping[InstanceId, LaunchFailures] = field(default_factory=dict)
    last_deployment_config: Mapping[str, Any] = field(default_factory=dict)
    """The DeploymentConfig that a call last carried, as AWS's JSON; empty if none has."""
    version: int = 0

    @property
    def config_name(self) -> str:
        """The endpoint config in force: the serving fleet's, or the first one's while there is none yet."""
        fleet = self.serving or self.target
        return fleet.config_name if fleet else ""


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """Everything a runner needs to know to start one instance, but for the bytes of its model data."""

    id: InstanceId
    endpoint: EndpointKey
    uid: str
    generation: int
    ordinal: int
    variant: Variant


class InstanceState(enum.StrEnum):
    """What a runner can say of an instance."""

    STARTING = "starting"
    """Launched, not yet answering `/ping` with 200."""
    READY = "ready"
    """Answering `/ping`."""
    UNHEALTHY = "unhealthy"
    """Was ready, has stopped answering `/ping` for long enough to be replaced."""
    FAILED = "failed"
    """Cannot become ready, and starting it again would end the same way: a fault of the model or its data."""
    EXITED = "exited"
    """The process is gone for a reason that a new start may cure."""
    LOST = "lost"
    """The process is gone and nobody watched it end, as when all is killed or the machine restarts: no fault."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One instance as a runner sees it now. An instance that was never launched, or was stopped, has none."""

    id: InstanceId
    uid: str
    """The endpoint's uid, so that instances of a deleted namesake are told apart."""
    endpoint: EndpointKey
    state: InstanceState
    address: str | None = None
    """Path of the Unix socket it serves on, once it does."""
    reason: str | None = None
    """Unless STARTING or READY: one sentence for a person, at most 1024 characters, without a traceback."""
    since: datetime | None = None


def instance_id(uid: str, generation: int, variant: str, ordinal: int) -> InstanceId:
    """The identity of an instance: the same plan made twice names the same instance, so a launch can be repeated."""
    digest = hashlib.sha256(f"{uid}/{generation}/{variant}/{ordinal}".encode()).hexdigest()
    return InstanceId(f"i-{digest[:17]}")


def instances_of(endpoint: Endpoint, fleet: Fleet) -> tuple[InstanceSpec, ...]:
    """Every instance `fleet` ought to have, in a stable order."""
    return tuple(
        InstanceSpec(
            id=instance_id(endpoint.uid, fleet.generation, variant.name, ordinal),
            endpoint=endpoint.key,
            uid=endpoint.uid,
            generation=fleet.generation,
            ordinal=ordinal,
            variant=variant,
        )
        for variant in fleet.variants
        for ordinal in range(variant.desired_count)
    )
