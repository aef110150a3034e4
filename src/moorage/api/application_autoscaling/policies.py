"""Scaling policies: PutScalingPolicy, DeleteScalingPolicy, DescribeScalingPolicies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from moorage.api.application_autoscaling.errors import limit_exceeded, no_policy
from moorage.api.application_autoscaling.part import Part, check_filter, is_meant, registered
from moorage.api.application_autoscaling.policy_rules import read_configuration, read_kind
from moorage.api.service import Caller, operation
from moorage.aws.types import application_autoscaling as aws
from moorage.core.alarms.model import AlarmKey, alarm_arn
from moorage.core.scaling.alarms import definitions
from moorage.core.scaling.model import AlarmRef, PolicyKind, ScalingPolicy, TargetKey
from moorage.core.scaling.policies import read_tracking
from moorage.core.scaling.texts import alarm_name, policy_arn
from moorage.store.alarms import delete_alarm, put_alarm
from moorage.store.base import Transaction
from moorage.store.scaling import delete_policy, find_policy, list_policies, save_policy
from moorage.system.entropy import new_uuid

POLICIES_MAX: Final = 50
_CONFIGURATION: Final[Mapping[PolicyKind, str]] = {
    PolicyKind.STEP: "StepScalingPolicyConfiguration",
    PolicyKind.TARGET_TRACKING: "TargetTrackingScalingPolicyConfiguration",
}


class Policies(Part):
    """The operations on scaling policies."""

    @operation("PutScalingPolicy")
    async def put_scaling_policy(
        self, caller: Caller, request: aws.PutScalingPolicyRequest
    ) -> aws.PutScalingPolicyResponse:
        """Create a policy, or give it another configuration, with the alarms that it owns."""
        key = self._key(caller, request)

        def put(tx: Transaction) -> ScalingPolicy:
            registered(tx, key)
            known = find_policy(tx, key, request["PolicyName"])
            kind = read_kind(request, None if known is None else known.kind)
            configuration = read_configuration(request, kind)
            if known is None:
                known = self._new_policy(tx, key, request["PolicyName"], kind)
            policy = self._with_alarms(tx, replace(known, configuration=configuration))
            save_policy(tx, policy)
            return policy

        policy = await self._store.run(put)
        self._needs.changed(key)
        self._needs.alarms_changed()
        return {"PolicyARN": policy.arn, "Alarms": _alarms(policy)}

    @operation("DeleteScalingPolicy")
    async def delete_scaling_policy(
        self, caller: Caller, request: aws.DeleteScalingPolicyRequest
    ) -> aws.DeleteScalingPolicyResponse:
        """Remove a policy and the alarms that it owns."""
        key, name, now = self._key(caller, request), request["PolicyName"], self._clock.now()

        def delete(tx: Transaction) -> None:
            policy = find_policy(tx, key, name)
            if policy is None:
                raise no_policy(key, name)
            delete_policy(tx, policy, now=now)

        await self._store.run(delete)
        self._needs.changed(key)
        self._needs.alarms_changed()
        return {}

    @operation("DescribeScalingPolicies")
    async def describe_scaling_policies(
        self, caller: Caller, request: aws.DescribeScalingPoliciesRequest
    ) -> aws.DescribeScalingPoliciesResponse:
        """A page of the region's policies, by target and name."""
        check_filter(request)
        names = request.get("PolicyNames")
        policies = await self._store.read(lambda tx: list_policies(tx, caller.region))
        page = self._listed(
            "DescribeScalingPolicies",
            caller,
            request,
            items=[
                (f"{policy.target.name}|{policy.name}", policy)
                for policy in policies
                if is_meant(policy.target, request) and (names is None or policy.name in names)
            ],
        )
        answer: dict[str, Any] = {"ScalingPolicies": [_described(policy) for policy in page.items], **page.token}
        return answer  # type: ignore[return-value]

    def _new_policy(self, tx: Transaction, key: TargetKey, name: str, kind: PolicyKind) -> ScalingPolicy:
        if len(list_policies(tx, key.region, key)) >= POLICIES_MAX:
            raise limit_exceeded("scaling policies of a scalable target", POLICIES_MAX)
        arn = policy_arn(key, name, account_id=self._needs.account_id, uid=new_uuid())
        return ScalingPolicy(key, name, arn, kind, {}, self._clock.now())

    def _with_alarms(self, tx: Transaction, policy: ScalingPolicy) -> ScalingPolicy:
        """The policy with its alarms made, made anew or removed, as its configuration wants them."""
        tracking = read_tracking(policy)
        if tracking is None:
            return policy
        known = {which: ref.name for ref in policy.alarms for which in ("AlarmHigh", "AlarmLow") if which in ref.name}
        wanted = definitions(policy, tracking)
        refs = []
        for which, definition in wanted.items():
            name = known.pop(which, None) or alarm_name(policy.target, which, uid=new_uuid())
            refs.append(self._put_alarm(tx, policy, definition | {"AlarmName": name}))
        for name in known.values():
            delete_alarm(tx, AlarmKey(policy.target.region, name), now=self._clock.now())
        return replace(policy, alarms=tuple(refs))

    def _put_alarm(self, tx: Transaction, policy: ScalingPolicy, definition: Mapping[str, Any]) -> AlarmRef:
        key, account_id = AlarmKey(policy.target.region, definition["AlarmName"]), self._needs.account_id
        put_alarm(tx, key, definition, account_id=account_id, now=self._clock.now())
        return AlarmRef(key.name, alarm_arn(key, account_id=account_id))


def _alarms(policy: ScalingPolicy) -> list[aws.Alarm]:
    return [{"AlarmName": ref.name, "AlarmARN": ref.arn} for ref in policy.alarms]


def _described(policy: ScalingPolicy) -> dict[str, Any]:
    return {
        "PolicyARN": policy.arn,
        "PolicyName": policy.name,
        "ServiceNamespace": "sagemaker",
        "ResourceId": policy.target.resource_id,
        "ScalableDimension": policy.target.dimension.value,
        "PolicyType": policy.kind.value,
        _CONFIGURATION[policy.kind]: policy.configuration,
        "Alarms": _alarms(policy),
        "CreationTime": policy.created_at,
    }
