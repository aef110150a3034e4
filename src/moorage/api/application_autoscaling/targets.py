"""Scalable targets: RegisterScalableTarget, DeregisterScalableTarget, DescribeScalableTargets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from moorage.api.application_autoscaling.errors import invalid, limit_exceeded
from moorage.api.application_autoscaling.part import Part, check_filter, is_meant, registered
from moorage.api.application_autoscaling.tag_rules import check_tags
from moorage.api.service import Caller, operation
from moorage.aws.types import application_autoscaling as aws
from moorage.core.model import Endpoint
from moorage.core.names import sagemaker_arn
from moorage.core.scaling.model import Bounds, ScalableTarget, Suspension, TargetKey
from moorage.core.scaling.texts import target_arn
from moorage.store.base import Transaction
from moorage.store.scaling import deregister, find_target, list_targets, save_target
from moorage.system.entropy import new_uid

TARGETS_MAX: Final = 500
_ROLE: Final = (
    "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


class Targets(Part):
    """The operations on scalable targets."""

    @operation("RegisterScalableTarget")
    async def register_scalable_target(
        self, caller: Caller, request: aws.RegisterScalableTargetRequest
    ) -> aws.RegisterScalableTargetResponse:
        """Register a variant, or change its bounds or suspension. A capacity outside the bounds is moved at once.

        That also where the bounds stay, as somebody else may have set the capacity meanwhile.
        """
        key = self._key(caller, request)
        tags = check_tags(request.get("Tags", {}))
        now = self._clock.now()

        def register(tx: Transaction) -> ScalableTarget:
            endpoint = self._endpoint(tx, key)
            found = find_target(tx, key)
            if found is not None and found.endpoint_uid != endpoint.uid:
                deregister(tx, found, now=now)
                found = None
            if found is not None and tags:
                raise invalid("Tags can only be given when a scalable target is new: put them on with TagResource.")
            target = self._new_target(tx, key, endpoint, request) if found is None else _updated(found, request)
            target = replace(target, is_to_adjust=True)
            save_target(tx, target)
            if tags:
                tx.tags.put(target.arn, tags)
            return target

        target = await self._store.run(register)
        self._needs.changed(key)
        return {"ScalableTargetARN": target.arn}

    @operation("DeregisterScalableTarget")
    async def deregister_scalable_target(
        self, caller: Caller, request: aws.DeregisterScalableTargetRequest
    ) -> aws.DeregisterScalableTargetResponse:
        """Forget a target with its policies and scheduled actions. The capacity stays as it is."""
        key = self._key(caller, request)
        now = self._clock.now()
        await self._store.run(lambda tx: deregister(tx, registered(tx, key), now=now))
        self._needs.changed(key)
        self._needs.alarms_changed()
        return {}

    @operation("DescribeScalableTargets")
    async def describe_scalable_targets(
        self, caller: Caller, request: aws.DescribeScalableTargetsRequest
    ) -> aws.DescribeScalableTargetsResponse:
        """A page of the region's targets, by resource."""
        check_filter(request, "ResourceIds")
        wanted = request.get("ResourceIds")
        targets = await self._store.read(lambda tx: list(list_targets(tx, caller.region)))
        page = self._listed(
            "DescribeScalableTargets",
            caller,
            request,
            items=[
                (target.key.name, target)
                for target in targets
                if is_meant(target.key, request) and (wanted is None or target.key.resource_id in wanted)
            ],
        )
        answer: dict[str, Any] = {"ScalableTargets": [_described(target) for target in page.items], **page.token}
        return answer  # type: ignore[return-value]

    def _endpoint(self, tx: Transaction, key: TargetKey) -> Endpoint:
        """The endpoint of a variant that there is, and that has instances to be counted. Raises ValidationException."""
        endpoint = tx.endpoints.get(key.endpoint)
        arn = sagemaker_arn(key.region, self._needs.account_id, "endpoint", key.endpoint.name)
        if endpoint is None or endpoint.key != key.endpoint:
            raise invalid(f'Could not find endpoint "{arn}".')
        fleet = endpoint.serving or endpoint.target
        variant = next((each for each in fleet.variants if each.name == key.variant), None) if fleet else None
        if variant is None:
            raise invalid(f'Could not find variant "{key.variant}" of endpoint "{arn}".')
        if variant.serverless is not None:
            raise invalid(
                f'Variant "{key.variant}" of endpoint "{arn}" is serverless and has no DesiredInstanceCount to scale.'
            )
        return endpoint

    def _new_target(
        self, tx: Transaction, key: TargetKey, endpoint: Endpoint, request: aws.RegisterScalableTargetRequest
    ) -> ScalableTarget:
        if "MinCapacity" not in request or "MaxCapacity" not in request:
            raise invalid("MinCapacity and MaxCapacity are required to register a new scalable target.")
        if sum(1 for _ in list_targets(tx, key.region)) >= TARGETS_MAX:
            raise limit_exceeded("scalable targets", TARGETS_MAX)
        return ScalableTarget(
            key=key,
            arn=target_arn(key.region, self._needs.account_id, new_uid()),
            role_arn=f"arn:aws:iam::{self._needs.account_id}:{_ROLE}",
            endpoint_uid=endpoint.uid,
            bounds=_bounds(request["MinCapacity"], request["MaxCapacity"]),
            created_at=self._clock.now(),
            suspension=_suspension(Suspension(), request.get("SuspendedState", {})),
        )


def _updated(target: ScalableTarget, request: aws.RegisterScalableTargetRequest) -> ScalableTarget:
    bounds = target.bounds
    return replace(
        target,
        bounds=_bounds(request.get("MinCapacity", bounds.minimum), request.get("MaxCapacity", bounds.maximum)),
        suspension=_suspension(target.suspension, request.get("SuspendedState", {})),
    )


def _bounds(minimum: int, maximum: int) -> Bounds:
    if minimum < 0:
        raise invalid(f"MinCapacity must not be negative; it is {minimum}.")
    if maximum < minimum:
        raise invalid(f"MaxCapacity {maximum} must not be less than MinCapacity {minimum}.")
    return Bounds(minimum, maximum)


def _suspension(before: Suspension, wanted: aws.SuspendedState) -> Suspension:
    return Suspension(
        scale_in=wanted.get("DynamicScalingInSuspended", before.scale_in),
        scale_out=wanted.get("DynamicScalingOutSuspended", before.scale_out),
        scheduled=wanted.get("ScheduledScalingSuspended", before.scheduled),
    )


def _described(target: ScalableTarget) -> aws.ScalableTarget:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": target.key.resource_id,
        "ScalableDimension": target.key.dimension.value,
        "MinCapacity": target.bounds.minimum,
        "MaxCapacity": target.bounds.maximum,
        "RoleARN": target.role_arn,
        "CreationTime": target.created_at,
        "SuspendedState": {
            "DynamicScalingInSuspended": target.suspension.scale_in,
            "DynamicScalingOutSuspended": target.suspension.scale_out,
            "ScheduledScalingSuspended": target.suspension.scheduled,
        },
        "ScalableTargetARN": target.arn,
    }
