"""What the parts of Application Auto Scaling have in common: what they are given, and the small steps they share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Generic, TypeVar

from moorage.api.application_autoscaling.errors import invalid, not_registered, unscalable, unsupported, wrong_token
from moorage.api.service import Caller, Service
from moorage.api.tokens import PageTokens, WrongToken
from moorage.core.iam.principal import Requirement
from moorage.core.scaling.model import Dimension, ScalableTarget, TargetKey, WrongResource, target_key
from moorage.store.base import Store, Transaction
from moorage.store.scaling import find_target
from moorage.system.clock import Clock

T = TypeVar("T")
PAGE_MAX: Final = 50
_COMPONENT: Final = "inference-component/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the operations act through.

    `changed` is called after every save of a target or of what belongs to it, `alarms_changed` after every save of
    an alarm.
    """

    store: Store
    clock: Clock
    account_id: str
    tokens: PageTokens
    changed: Callable[[TargetKey], None]
    alarms_changed: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A page, and the token for what comes after it."""

    items: Sequence[T]
    token: Mapping[str, str]


class Part(Service):
    """Some of the operations."""

    name: ClassVar[str] = "application-autoscaling"

    def __init__(self, needs: Needs) -> None:
        self._needs = needs
        self._store = needs.store
        self._clock = needs.clock

    async def requirements(self, operation: str, caller: Caller, request: Mapping[str, Any]) -> Sequence[Requirement]:
        """The operation, on the scalable target if the request has its ARN."""
        return [Requirement(f"{self.name}:{operation}", request.get("ResourceARN", "*"))]

    def _key(self, caller: Caller, request: Mapping[str, Any]) -> TargetKey:
        """The target that a request names. Raises ValidationException."""
        resource, dimension = request["ResourceId"], request["ScalableDimension"]
        if resource.startswith(_COMPONENT):
            raise unsupported("inference components as scalable targets, only variants of endpoints")
        try:
            if request["ServiceNamespace"] != "sagemaker":
                raise unscalable()
            return target_key(caller.region, resource, Dimension(dimension))
        except WrongResource:
            raise unscalable() from None
        except ValueError:
            if dimension.startswith("sagemaker:variant:"):
                raise unsupported(f"the scalable dimension {dimension}") from None
            raise unscalable() from None

    def _listed(
        self, operation: str, caller: Caller, request: Mapping[str, Any], *, items: Iterable[tuple[str, T]]
    ) -> Listed[T]:
        """A page of `items`, which are in the order of their places; places are texts that are only compared."""
        limit, bound = page_size(request), bound_to(operation, caller, request)
        after = self._position(bound, request.get("NextToken"))
        rest = [item for item in items if after is None or item[0] > after]
        page = rest[:limit]
        token = {"NextToken": self._needs.tokens.seal(bound, page[-1][0])} if len(rest) > limit else {}
        return Listed([item for _, item in page], token)

    def _position(self, bound: Any, token: str | None) -> Any:
        """Where a page goes on. Raises InvalidNextTokenException."""
        if token is None:
            return None
        try:
            return self._needs.tokens.open(bound, token)
        except WrongToken:
            raise wrong_token() from None


_BOUND: Final = frozenset(
    {
        "IncludeNotScaledActivities",
        "PolicyNames",
        "ResourceId",
        "ResourceIds",
        "ScalableDimension",
        "ScheduledActionNames",
        "ServiceNamespace",
    }
)
"""What tells one list from another."""


def bound_to(operation: str, caller: Caller, request: Mapping[str, Any]) -> list[Any]:
    """What a token of a list is bound to."""
    return [operation, caller.region, {member: request[member] for member in sorted(request) if member in _BOUND}]


def page_size(request: Mapping[str, Any]) -> int:
    """How many items a page has at most. Raises ValidationException."""
    limit = int(request.get("MaxResults", PAGE_MAX))
    if not 1 <= limit <= PAGE_MAX:
        raise invalid(f"MaxResults must be between 1 and {PAGE_MAX}.")
    return limit


def registered(tx: Transaction, key: TargetKey) -> ScalableTarget:
    """The target. Raises ObjectNotFoundException."""
    target = find_target(tx, key)
    if target is None:
        raise not_registered(key)
    return target


def check_filter(request: Mapping[str, Any], resource: str = "ResourceId") -> None:
    """Raise ValidationException where a dimension is given without the resource that it is of."""
    if "ScalableDimension" in request and resource not in request:
        raise invalid(f"{resource} must be specified when ScalableDimension is.")


def is_meant(key: TargetKey, request: Mapping[str, Any]) -> bool:
    """Whether a Describe request asks for what belongs to `key`."""
    return (
        request["ServiceNamespace"] == "sagemaker"
        and request.get("ResourceId") in (None, key.resource_id)
        and request.get("ScalableDimension") in (None, key.dimension.value)
    )
