"""`moorage scaling`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any, Final

import click
from rich.table import Table

from moorage.app.settings import Settings
from moorage.cli.connection import connected
from moorage.cli.tables import print_table
from moorage.cli.target import on_moorage
from moorage.core.words import counted

_RECENT_S: Final = 60
_NAMESPACE: Final = {"ServiceNamespace": "sagemaker"}


@click.command("scaling")
@click.argument("endpoint")
@click.option(
    "--last", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many activities of each variant."
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@on_moorage
def command(settings: Settings, endpoint: str, last: int, as_json: bool) -> None:
    """Show how an endpoint's variants are scaled, and why they were, or were not, scaled.

    For each registered variant its bounds and its policies, where their metrics are beside their targets now, and the
    latest scaling activities with what caused them.
    """
    with connected(settings) as moorage:
        variants = moorage.client("sagemaker").describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
        traffic = moorage.client("moorage").list_traffic(EndpointName=endpoint, PeriodSeconds=_RECENT_S)["Traffic"]
        scaling = moorage.client("application-autoscaling")
        found = [_scaled(scaling, endpoint, variant, traffic, last=last) for variant in variants]
    found = [each for each in found if each]
    if as_json:
        click.echo(json.dumps(found, indent=2, default=datetime.isoformat))
    elif found:
        for each in found:
            print_variant(each)
    else:
        click.echo(f"No variant of {endpoint} is registered as a scalable target.")


def _scaled(
    scaling: Any, endpoint: str, variant: Mapping[str, Any], traffic: list[dict[str, Any]], *, last: int
) -> dict[str, Any]:
    """What there is to say of a variant; nothing if it is not scaled."""
    resource = f"endpoint/{endpoint}/variant/{variant['VariantName']}"
    targets = scaling.describe_scalable_targets(**_NAMESPACE, ResourceIds=[resource])["ScalableTargets"]
    if not targets:
        return {}
    policies = scaling.describe_scaling_policies(**_NAMESPACE, ResourceId=resource)["ScalingPolicies"]
    pages = scaling.get_paginator("describe_scaling_activities").paginate(
        **_NAMESPACE, ResourceId=resource, IncludeNotScaledActivities=True
    )
    activities = (activity for page in pages for activity in page["ScalingActivities"])
    return {
        "VariantName": variant["VariantName"],
        "CurrentInstanceCount": variant.get("CurrentInstanceCount", 0),
        "ScalableTarget": targets[0],
        "Policies": [policy | {"Now": _now(policy, variant, traffic)} for policy in policies],
        "Activities": list(islice(activities, last)),
    }


def _now(policy: Mapping[str, Any], variant: Mapping[str, Any], traffic: list[dict[str, Any]]) -> float | None:
    """The value of a predefined metric, an instance; None of any other."""
    configuration = policy.get("TargetTrackingScalingPolicyConfiguration", {})
    metric = configuration.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    instances = variant.get("CurrentInstanceCount", 0)
    rows = [row for row in traffic if row.get("VariantName") == variant["VariantName"]]
    if metric is None or not instances:
        return None
    if metric == "SageMakerVariantInvocationsPerInstance":
        return float(sum(row["Recent"]["Invocations"] for row in rows) / instances)
    return float(sum(row["InFlight"] for row in rows) / instances)


def print_variant(found: dict[str, Any]) -> None:
    """Print what was found of one variant."""
    target = found["ScalableTarget"]
    click.echo(
        f"{found['VariantName']}: {counted(found['CurrentInstanceCount'], 'instance')}, "
        f"{target['MinCapacity']} to {target['MaxCapacity']} allowed{_suspended(target)}"
    )
    if found["Policies"]:
        print_table(_policies(found["Policies"]))
    else:
        click.echo("It has no scaling policy.")
    if found["Activities"]:
        print_table(_activities(found["Activities"]), prose=("Activity", "Cause", "Details"))
    else:
        click.echo("Nothing was done to it yet.")


def _suspended(target: Mapping[str, Any]) -> str:
    suspended = [name.removesuffix("Suspended") for name, is_so in target["SuspendedState"].items() if is_so]
    return f"; suspended: {', '.join(suspended)}" if suspended else ""


def _policies(policies: list[dict[str, Any]]) -> Table:
    table = Table("Policy", "Metric", "Target", "Now", box=None, pad_edge=False)
    for policy in policies:
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
        now = "–" if policy["Now"] is None else f"{policy['Now']:.1f}"
        if tracking is None:
            table.add_row(policy["PolicyName"], "of its alarms", "steps", now)
            continue
        predefined = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType", "customised")
        table.add_row(policy["PolicyName"], predefined, f"{tracking['TargetValue']:g}", now)
    return table


def _activities(activities: list[dict[str, Any]]) -> Table:
    table = Table("Time", "Status", "Activity", "Cause", "Details", box=None, pad_edge=False)
    for activity in activities:
        reasons = ", ".join(reason["Code"] for reason in activity.get("NotScaledReasons", ()))
        table.add_row(
            f"{activity['StartTime']:%Y-%m-%d %H:%M:%S}",
            "NotScaled" if reasons else activity["StatusCode"],
            reasons or activity["Description"],
            activity["Cause"],
            activity.get("Details", "") if activity["StatusCode"] != "Failed" or reasons else activity["StatusMessage"],
        )
    return table
