"""What becomes of a target when its capacity was set, and of an activity when the endpoint has come to rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from moorage.core.model import Endpoint, EndpointStatus
from moorage.core.scaling.activity import ActivityStatus, Progress
from moorage.core.scaling.changes import RETRY_AFTER, Wanted, begun, ended, is_backing_off, remembered
from moorage.core.scaling.model import Bounds, Memory, ScalableTarget, ScaleOut, target_key
from moorage.testing.builders import KEY, T0, make_endpoint, make_variant

TARGET = ScalableTarget(
    target_key(KEY.region, "endpoint/iris/variant/AllTraffic"), "arn", "role", "u1", Bounds(1, 9), T0
)
WANTED = Wanted(3, "so it is")
PROGRESS = Progress(1, begun(WANTED, activity_id="a1", now=T0), 3)
LATER = T0 + timedelta(minutes=1)


def endpoint(count: int, status: EndpointStatus, **changes: str) -> Endpoint:
    """One that serves with so many instances."""
    made = make_endpoint(make_variant(count=count))
    return replace(made, serving=made.target, target=None, status=status, **changes)


def test_a_scale_out_ends_the_cooldown_of_scaling_in() -> None:
    before = replace(TARGET, memory=Memory(scale_in_at=T0, failed_at=T0))
    after = remembered(before, WANTED, current=2, now=LATER)

    assert Memory(scale_out=ScaleOut(LATER, base=2), failed_at=T0) == after.memory
    assert ScaleOut(LATER, base=1) == remembered(before, replace(WANTED, base=1), current=2, now=LATER).memory.scale_out


def test_a_scale_in_leaves_the_cooldown_of_scaling_out() -> None:
    out = ScaleOut(T0, base=1)
    after = remembered(replace(TARGET, memory=Memory(scale_out=out)), WANTED, current=4, now=LATER)

    assert Memory(scale_out=out, scale_in_at=LATER) == after.memory


def test_once_capacity_was_set_nothing_is_left_to_adjust_or_to_explain() -> None:
    after = remembered(replace(TARGET, is_to_adjust=True, not_scaled="why"), WANTED, current=4, now=LATER)

    assert (False, None) == (after.is_to_adjust, after.not_scaled)


@pytest.mark.parametrize("status", [EndpointStatus.UPDATING, EndpointStatus.ROLLING_BACK, EndpointStatus.CREATING])
def test_an_activity_goes_on_while_the_endpoint_changes(status: EndpointStatus) -> None:
    assert None is ended(PROGRESS, endpoint(1, status), "AllTraffic", now=LATER)


def test_an_activity_is_successful_when_the_capacity_is_there() -> None:
    activity = ended(PROGRESS, endpoint(3, EndpointStatus.IN_SERVICE), "AllTraffic", now=LATER)

    assert activity is not None
    assert (ActivityStatus.SUCCESSFUL, LATER) == (activity.status, activity.ended_at)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (endpoint(1, EndpointStatus.IN_SERVICE, failure_reason="no room"), "no room"),
        (endpoint(2, EndpointStatus.IN_SERVICE), "another change took its place"),
        (endpoint(3, EndpointStatus.FAILED, failure_reason="no room"), "no room"),
        (endpoint(3, EndpointStatus.DELETING), "the endpoint is being deleted"),
        (None, "the endpoint is being deleted"),
    ],
)
def test_an_activity_has_failed_where_something_else_has_come_of_it(found: Endpoint | None, reason: str) -> None:
    activity = ended(PROGRESS, found, "AllTraffic", now=LATER)

    assert activity is not None
    assert (ActivityStatus.FAILED, LATER) == (activity.status, activity.ended_at)
    assert f"Failed to set desired instance count to 3. Reason: {reason}" == activity.status_message


def test_after_a_failure_nothing_is_tried_for_a_while() -> None:
    failed = Memory(failed_at=T0)

    assert is_backing_off(failed, now=T0 + RETRY_AFTER - timedelta(microseconds=1))
    assert not is_backing_off(failed, now=T0 + RETRY_AFTER)
    assert not is_backing_off(Memory(), now=T0)
