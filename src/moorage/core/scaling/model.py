"""The nouns of Application Auto Scaling: targets, their bounds, policies and scheduled actions.

A *capacity* is what the dimension counts: instances of a variant. Everything here can be stored as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from moorage.core.model import EndpointKey
from moorage.core.scaling.activity import Progress

COOLDOWN_S: Final = 300
"""Application Auto Scaling's default for SageMaker's variants."""


class Dimension(StrEnum):
    """What of a resource is scaled."""

    INSTANCES = "sagemaker:variant:DesiredInstanceCount"


class TargetKey(NamedTuple):
    """What names a scalable target: a resource and a dimension of it, within a region."""

    region: str
    resource_id: str
    """`endpoint/<endpoint>/variant/<variant>`"""
    dimension: Dimension = Dimension.INSTANCES

    @property
    def endpoint(self) -> EndpointKey:
        """The endpoint that the variant belongs to."""
        return EndpointKey(self.region, self.resource_id.split("/")[1])

    @property
    def variant(self) -> str:
        """The variant's name."""
        return self.resource_id.split("/")[3]

    @property
    def name(self) -> str:
        """Both in one text, by which documents and activities are found."""
        return f"{self.resource_id}|{self.dimension}"


class WrongResource(ValueError):
    """A resource id that names no variant."""


def target_key(region: str, resource_id: str, dimension: Dimension = Dimension.INSTANCES) -> TargetKey:
    """The key of a variant's target. Raises WrongResource.

    >>> target_key("us-east-1", "endpoint/iris/variant/AllTraffic").variant
    'AllTraffic'
    """
    parts = resource_id.split("/")
    if len(parts) != 4 or parts[0] != "endpoint" or parts[2] != "variant" or not (parts[1] and parts[3]):
        raise WrongResource(resource_id)
    return TargetKey(region, resource_id, dimension)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which capacities a target is kept, both included."""

    minimum: int
    maximum: int

    def clamp(self, capacity: int) -> int:
        """The capacity nearest to `capacity` that is allowed."""
        return min(max(capacity, self.minimum), self.maximum)

    def limited(self, most: int) -> Bounds:
        """The same, but for what is more than there may be of anything."""
        return Bounds(min(self.minimum, most), min(self.maximum, most))


@dataclass(frozen=True, slots=True)
class Suspension:
    """What is not to be done for now."""

    scale_in: bool = False
    scale_out: bool = False
    scheduled: bool = False


@dataclass(frozen=True, slots=True)
class ScaleOut:
    """A scale-out that was begun."""

    at: datetime
    base: int
    """The capacity that it was reckoned from: of target tracking that at which the demand was measured."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What cooldowns go by."""

    scale_out: ScaleOut | None = None
    scale_in_at: datetime | None = None
    failed_at: datetime | None = None
    """When a change was taken back: it would end the same way at once."""


@dataclass(frozen=True, slots=True)
class ScalableTarget:
    """A variant whose capacity is scaled."""

    key: TargetKey
    arn: str
    role_arn: str
    endpoint_uid: str
    """So that an endpoint's namesake does not inherit its targets."""
    bounds: Bounds
    created_at: datetime
    suspension: Suspension = Suspension()
    memory: Memory = Memory()
    is_to_adjust: bool = False
    """Whether a capacity outside the bounds is to be moved inside, as soon as the endpoint lets itself be changed."""
    generation: int | None = None
    """Of the fleet that was last looked at: another one has the counts of its endpoint config."""
    progress: Progress | None = None
    not_scaled: str | None = None
    """Why the last decision came to nothing, so that it is written down once."""
    orphaned_at: datetime | None = None
    """When its endpoint was found to be gone."""


class PolicyKind(StrEnum):
    """AWS's `PolicyType`, as far as there is one here."""

    STEP = "StepScaling"
    TARGET_TRACKING = "TargetTrackingScaling"


class AlarmRef(NamedTuple):
    """An alarm that a policy owns."""

    name: str
    arn: str


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """A rule for a target's capacity."""

    target: TargetKey
    name: str
    arn: str
    kind: PolicyKind
    configuration: Mapping[str, Any]
    """StepScalingPolicyConfiguration or TargetTrackingScalingPolicyConfiguration, as it was accepted."""
    created_at: datetime
    alarms: tuple[AlarmRef, ...] = ()
    """Of target tracking: AlarmHigh and, unless scale-in is disabled, AlarmLow."""


@dataclass(frozen=True, slots=True)
class ScheduledAction:
    """New bounds at a time, or again and again."""

    target: TargetKey
    name: str
    arn: str
    schedule: str
    """`at(…)`, `rate(…)` or `cron(…)`"""
    created_at: datetime
    timezone: str = "UTC"
    start_at: datetime | None = None
    end_at: datetime | None = None
    minimum: int | None = None
    maximum: int | None = None
    done_until: datetime | None = None
    """Up to when its times have been seen to."""
