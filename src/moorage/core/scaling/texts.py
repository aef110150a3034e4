"""What scaling activities say, in the service's words, and the names of what a policy makes.

Sources: observed activities of SageMaker variants; the examples of `aws application-autoscaling
describe-scaling-activities` in the AWS CLI's reference; the CloudWatch console's names of target-tracking alarms.
"""

from __future__ import annotations

from typing import Final

from moorage.core.scaling.model import Bounds, TargetKey

ATTEMPTING: Final = "Attempting to scale due to alarm triggered"
"""The description of what was not scaled."""


def setting(capacity: int) -> str:
    """The description of a change of capacity."""
    return f"Setting desired instance count to {capacity}."


def waiting(capacity: int) -> str:
    """The status of a change that is under way."""
    return f"Successfully set desired instance count to {capacity}. Waiting for change to be fulfilled by sagemaker."


def fulfilled(capacity: int) -> str:
    """The status of a change that came to its end."""
    return f"Successfully set desired instance count to {capacity}. Change successfully fulfilled by sagemaker."


def abandoned(capacity: int) -> str:
    """The status of a change whose end nobody looks at any more. Ours: the service's is not known."""
    return f"Successfully set desired instance count to {capacity}. The scalable target was deregistered meanwhile."


def failed(capacity: int, reason: str) -> str:
    """The status of a change that was taken back."""
    return f"Failed to set desired instance count to {capacity}. Reason: {reason}"


def by_alarm(alarm: str, policy: str) -> str:
    """The cause of what an alarm led to."""
    return f"monitor alarm {alarm} in state ALARM triggered policy {policy}"


def by_signal(policy: str) -> str:
    """The cause of what the signal of one second led to, where the service would have waited for an alarm."""
    return f"one-second signal triggered policy {policy}"


def by_bounds(before: int, after: int) -> str:
    """The cause of a change into the bounds."""
    return f"{'minimum' if after > before else 'maximum'} capacity was set to {after}"


def by_schedule(action: str) -> str:
    """The cause of what a scheduled action did."""
    return f"scheduled action name {action} was triggered"


def setting_bounds(bounds: Bounds, *, is_done: bool = False) -> str:
    """The description of what a scheduled action does, and its status once it is done."""
    verb = "Successfully set" if is_done else "Setting"
    return f"{verb} minimum capacity to {bounds.minimum} and maximum capacity to {bounds.maximum}"


def target_arn(region: str, account_id: str, uid: str) -> str:
    """The ARN of a scalable target; `uid` has letters and digits only."""
    return f"arn:aws:application-autoscaling:{region}:{account_id}:scalable-target/{uid}"


def policy_arn(key: TargetKey, name: str, *, account_id: str, uid: str) -> str:
    """The ARN of a policy; `uid` is a UUID."""
    resource = f"resource/sagemaker/{key.resource_id}"
    return f"arn:aws:autoscaling:{key.region}:{account_id}:scalingPolicy:{uid}:{resource}:policyName/{name}"


def action_arn(key: TargetKey, name: str, *, account_id: str, uid: str) -> str:
    """The ARN of a scheduled action; `uid` is a UUID."""
    resource = f"resource/sagemaker/{key.resource_id}"
    scheme = f"arn:aws:autoscaling:{key.region}:{account_id}:scheduledAction:{uid}"
    return f"{scheme}:{resource}:scheduledActionName/{name}"


def alarm_name(key: TargetKey, which: str, *, uid: str) -> str:
    """The name of one of a policy's alarms: `which` is AlarmHigh or AlarmLow, `uid` a UUID."""
    return f"TargetTracking-{key.resource_id}-{which}-{uid}"
