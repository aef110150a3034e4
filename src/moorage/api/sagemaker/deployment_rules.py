"""What a deployment config may ask for. Pure.

Until deployment guardrails are there, only the default can be honoured: all at once, no baking, no alarms.
"""

from __future__ import annotations

from moorage.api.sagemaker.errors import invalid, unsupported
from moorage.aws.types.sagemaker import BlueGreenUpdatePolicy, DeploymentConfig


def check_deployment(config: DeploymentConfig) -> None:
    """Raises ValidationException."""
    blue_green = config.get("BlueGreenUpdatePolicy")
    rolling = config.get("RollingUpdatePolicy")
    if blue_green is not None and rolling is not None:
        raise invalid("DeploymentConfig cannot have both BlueGreenUpdatePolicy and RollingUpdatePolicy.")
    if rolling is not None:
        raise unsupported("DeploymentConfig.RollingUpdatePolicy")
    if config.get("AutoRollbackConfiguration", {}).get("Alarms"):
        raise unsupported("DeploymentConfig.AutoRollbackConfiguration")
    if blue_green is not None:
        _check_blue_green(blue_green)


def _check_blue_green(policy: BlueGreenUpdatePolicy) -> None:
    routing = policy["TrafficRoutingConfiguration"]
    kind = routing["Type"]
    if "CanarySize" in routing and kind != "CANARY":
        raise invalid(f"CanarySize can only be given with traffic routing of Type CANARY, not {kind}.")
    if "LinearStepSize" in routing and kind != "LINEAR":
        raise invalid(f"LinearStepSize can only be given with traffic routing of Type LINEAR, not {kind}.")
    path = "DeploymentConfig.BlueGreenUpdatePolicy"
    if kind != "ALL_AT_ONCE":
        raise unsupported(f"{path}.TrafficRoutingConfiguration.Type {kind}")
    if routing["WaitIntervalInSeconds"]:
        raise unsupported(f"{path}.TrafficRoutingConfiguration.WaitIntervalInSeconds other than 0")
    if policy.get("TerminationWaitInSeconds"):
        raise unsupported(f"{path}.TerminationWaitInSeconds other than 0")
    if "MaximumExecutionTimeoutInSeconds" in policy:
        raise unsupported(f"{path}.MaximumExecutionTimeoutInSeconds")
