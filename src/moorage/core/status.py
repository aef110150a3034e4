"""Which status follows which: the only place where an endpoint's status changes.

The table is the specification, and `docs/endpoint-status.md` is drawn from it by `tools/status_picture.py`. A rule that
is not a row here does not exist; conditions on *when* a trigger is pulled belong to `endpoint` and `reconcile`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from moorage.core.model import EndpointStatus


class Trigger(enum.StrEnum):
    """What makes a status change: a call that was accepted, or a fact about the fleets."""

    CREATE = "CreateEndpoint"
    UPDATE = "UpdateEndpoint"
    RESIZE = "UpdateEndpointWeightsAndCapacities"
    DELETE = "DeleteEndpoint"
    SETTLED = "wanted fleet serves alone"
    """The wanted fleet takes the traffic, every gateway has said so, and no other instance is left."""
    LAUNCH_FAILED = "first fleet fails to launch"
    UPDATE_FAILED = "new fleet fails to launch"
    RESIZE_FAILED = "added instance fails to launch"


_S = EndpointStatus

TRANSITIONS: Final[Mapping[tuple[EndpointStatus | None, Trigger], EndpointStatus]] = {
    (None, Trigger.CREATE): _S.CREATING,
    (_S.CREATING, Trigger.SETTLED): _S.IN_SERVICE,
    (_S.CREATING, Trigger.LAUNCH_FAILED): _S.FAILED,
    (_S.IN_SERVICE, Trigger.UPDATE): _S.UPDATING,
    (_S.IN_SERVICE, Trigger.RESIZE): _S.UPDATING,
    (_S.UPDATING, Trigger.SETTLED): _S.IN_SERVICE,
    # SageMaker stays Updating while it removes the failed fleet, and then reports InService on the old config with a
    # FailureReason (hashicorp/terraform-provider-aws#39099); only a failed change of capacity shows as RollingBack.
    (_S.UPDATING, Trigger.UPDATE_FAILED): _S.UPDATING,
    (_S.UPDATING, Trigger.RESIZE_FAILED): _S.ROLLING_BACK,
    (_S.ROLLING_BACK, Trigger.SETTLED): _S.IN_SERVICE,
    (_S.IN_SERVICE, Trigger.DELETE): _S.DELETING,
    (_S.FAILED, Trigger.DELETE): _S.DELETING,
}


class IllegalTransition(Exception):
    """The endpoint is in a status in which this must not happen: an answer to an API call, a bug in a loop."""

    def __init__(self, status: EndpointStatus | None, trigger: Trigger) -> None:
        super().__init__(f"{trigger.value} in status {status.value if status else 'none'}")
        self.status = status
        self.trigger = trigger


def follow(status: EndpointStatus | None, trigger: Trigger) -> EndpointStatus:
    """The status after `trigger`. Raises IllegalTransition."""
    try:
        return TRANSITIONS[status, trigger]
    except KeyError:
        raise IllegalTransition(status, trigger) from None
