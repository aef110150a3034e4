"""Scheduled actions: PutScheduledAction, DeleteScheduledAction, DescribeScheduledActions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from moorage.api.application_autoscaling.errors import invalid, limit_exceeded, no_action
from moorage.api.application_autoscaling.part import Part, check_filter, is_meant, registered
from moorage.api.service import Caller, operation
from moorage.aws.types import application_autoscaling as aws
from moorage.core.scaling.model import ScheduledAction, TargetKey
from moorage.core.scaling.schedule import WrongSchedule, check, next_time
from moorage.core.scaling.texts import action_arn
from moorage.store.base import Transaction
from moorage.store.scaling import delete_action, find_action, list_actions, save_action
from moorage.system.entropy import new_uuid

ACTIONS_MAX: Final = 200
_UTC: Final = "UTC"


class ScheduledActions(Part):
    """The operations on scheduled actions."""

    @operation("PutScheduledAction")
    async def put_scheduled_action(
        self, caller: Caller, request: aws.PutScheduledActionRequest
    ) -> aws.PutScheduledActionResponse:
        """Create a scheduled action, or change the members of one that are given; times that are not are deleted."""
        key, name, now = self._key(caller, request), request["ScheduledActionName"], self._clock.now()

        def put(tx: Transaction) -> None:
            registered(tx, key)
            known = find_action(tx, key, name)
            if known is None:
                known = self._new_action(tx, key, request)
            action = _changed(known, request)
            _check(action, now)
            save_action(tx, replace(action, done_until=now))

        await self._store.run(put)
        self._needs.changed(key)
        return {}

    @operation("DeleteScheduledAction")
    async def delete_scheduled_action(
        self, caller: Caller, request: aws.DeleteScheduledActionRequest
    ) -> aws.DeleteScheduledActionResponse:
        """Remove a scheduled action; what it has done stays."""
        key, name = self._key(caller, request), request["ScheduledActionName"]

        def delete(tx: Transaction) -> None:
            action = find_action(tx, key, name)
            if action is None:
                raise no_action(key, name)
            delete_action(tx, action)

        await self._store.run(delete)
        self._needs.changed(key)
        return {}

    @operation("DescribeScheduledActions")
    async def describe_scheduled_actions(
        self, caller: Caller, request: aws.DescribeScheduledActionsRequest
    ) -> aws.DescribeScheduledActionsResponse:
        """A page of the region's scheduled actions, by target and name."""
        check_filter(request)
        names = request.get("ScheduledActionNames")
        actions = await self._store.read(lambda tx: list_actions(tx, caller.region))
        page = self._listed(
            "DescribeScheduledActions",
            caller,
            request,
            items=[
                (f"{action.target.name}|{action.name}", action)
                for action in actions
                if is_meant(action.target, request) and (names is None or action.name in names)
            ],
        )
        answer: dict[str, Any] = {"ScheduledActions": [_described(action) for action in page.items], **page.token}
        return answer  # type: ignore[return-value]

    def _new_action(self, tx: Transaction, key: TargetKey, request: aws.PutScheduledActionRequest) -> ScheduledAction:
        if "Schedule" not in request:
            raise invalid("Schedule is required to create a scheduled action.")
        if "ScalableTargetAction" not in request:
            raise invalid("ScalableTargetAction is required to create a scheduled action.")
        if len(list_actions(tx, key.region, key)) >= ACTIONS_MAX:
            raise limit_exceeded("scheduled actions of a scalable target", ACTIONS_MAX)
        name = request["ScheduledActionName"]
        arn = action_arn(key, name, account_id=self._needs.account_id, uid=new_uuid())
        return ScheduledAction(key, name, arn, request["Schedule"], self._clock.now())


def _changed(action: ScheduledAction, request: aws.PutScheduledActionRequest) -> ScheduledAction:
    bounds = request.get("ScalableTargetAction")
    return replace(
        action,
        schedule=request.get("Schedule", action.schedule),
        timezone=request.get("Timezone", action.timezone),
        start_at=request.get("StartTime"),
        end_at=request.get("EndTime"),
        minimum=action.minimum if bounds is None else bounds.get("MinCapacity"),
        maximum=action.maximum if bounds is None else bounds.get("MaxCapacity"),
    )


def _check(action: ScheduledAction, now: datetime) -> None:
    """Raise ValidationException for what can never be done."""
    schedule = f"Schedule '{action.schedule}' in Timezone '{action.timezone}'"
    try:
        check(action.schedule, action.timezone)
    except WrongSchedule as error:
        raise invalid(f"{schedule}: {error}.") from None
    if action.start_at is not None and action.end_at is not None and action.end_at <= action.start_at:
        raise invalid("EndTime must be after StartTime.")
    if next_time(action, now) is None:
        raise invalid(f"{schedule}: no time of it is yet to come, StartTime and EndTime considered.")
    if action.minimum is None and action.maximum is None:
        raise invalid("ScalableTargetAction needs MinCapacity, MaxCapacity or both.")
    if min(action.minimum or 0, action.maximum or 0) < 0:
        raise invalid("MinCapacity and MaxCapacity must not be negative.")
    if action.minimum is not None and action.maximum is not None and action.maximum < action.minimum:
        raise invalid(f"MaxCapacity {action.maximum} must not be less than MinCapacity {action.minimum}.")


def _described(action: ScheduledAction) -> dict[str, Any]:
    bounds = {"MinCapacity": action.minimum, "MaxCapacity": action.maximum}
    optional = {
        "Timezone": action.timezone if action.timezone != _UTC else None,
        "StartTime": action.start_at,
        "EndTime": action.end_at,
    }
    return {
        "ScheduledActionName": action.name,
        "ScheduledActionARN": action.arn,
        "ServiceNamespace": "sagemaker",
        "Schedule": action.schedule,
        "ResourceId": action.target.resource_id,
        "ScalableDimension": action.target.dimension.value,
        "ScalableTargetAction": {member: value for member, value in bounds.items() if value is not None},
        "CreationTime": action.created_at,
        **{member: value for member, value in optional.items() if value is not None},
    }
