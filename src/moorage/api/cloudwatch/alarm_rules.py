"""What an alarm's definition has to be like, beyond what the service model says. Pure.

Source: CloudWatch API reference, "PutMetricAlarm"; wording as the service has it where that is known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from moorage.api.cloudwatch.alarm_errors import invalid, refused
from moorage.api.cloudwatch.metric_names import key_of
from moorage.aws.types.cloudwatch import PutMetricAlarmInput
from moorage.core.alarms.condition import Comparison, MissingData, period_of, watched_query
from moorage.core.alarms.model import ACTION_MEMBERS
from moorage.core.metrics.metric import MAGNITUDE_MAX
from moorage.core.metrics.queries import InvalidQueries, read_queries
from moorage.core.metrics.statistics import SIMPLE_STATISTICS, UnknownStatistic, parse_statistic

METRICS_MAX: Final = 10
_SHORT_PERIODS_S: Final = (10, 20, 30)
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400

_METRIC_MEMBERS: Final = (
    "Namespace",
    "MetricName",
    "Dimensions",
    "Period",
    "Unit",
    "Statistic",
    "ExtendedStatistic",
)
_UNSUPPORTED: Final = (
    "ThresholdMetricId",
    "EvaluationWindow",
    "WarmUpConfiguration",
    "EvaluationCriteria",
    "EvaluationInterval",
    "ActionConfiguration",
)
_NAME: Final = re.compile(r"[\x20-\x7e]+")
_SCALING_POLICY: Final = re.compile(r"arn:aws:autoscaling:[a-z0-9-]+:\d{12}:scalingPolicy:.+")
_TOPIC: Final = re.compile(r"arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}")


def check_metric_alarm(request: PutMetricAlarmInput, *, region: str) -> None:
    """Raises ValidationError."""
    check_name(request["AlarmName"])
    _check_supported(request)
    if "Metrics" in request:
        _check_expression(request, region)
    else:
        _check_metric(request, region)
    _check_threshold(request)
    _check_periods(request)
    _check_missing_data(request)
    check_actions(request, region=region, may_scale=True)


def check_name(name: str) -> None:
    """Raises ValidationError for anything but printable ASCII."""
    if not _NAME.fullmatch(name):
        raise invalid("AlarmName must contain only printable ASCII characters")


def check_actions(request: Mapping[str, Any], *, region: str, may_scale: bool) -> None:
    """Raises ValidationError for an action that nothing here could take, or is of another region."""
    for member in ACTION_MEMBERS.values():
        for arn in request.get(member, ()):
            if _TOPIC.fullmatch(arn) or (may_scale and _SCALING_POLICY.fullmatch(arn)):
                _check_region(arn, region)
                continue
            if not arn.startswith("arn:aws") or arn.count(":") < 5:
                raise invalid(f"Invalid arn syntax: {arn}")
            raise refused(f"the action {arn} in {member}: alarms notify SNS topics{_and_scale(may_scale)}")


def _check_region(arn: str, region: str) -> None:
    found = arn.split(":")[3]
    if found != region:
        raise invalid(f"Invalid region {found} specified. Only {region} is supported.")


def _and_scale(may_scale: bool) -> str:
    return " or carry out scaling policies" if may_scale else "; composite ones carry out no scaling policies"


def _check_supported(request: PutMetricAlarmInput) -> None:
    for member in _UNSUPPORTED:
        if member in request:
            raise refused(member)
    comparison = request.get("ComparisonOperator")
    if comparison is None:
        raise invalid("The parameter ComparisonOperator is required.")
    if comparison not in tuple(Comparison):
        raise refused(f"anomaly detection, and so not the ComparisonOperator {comparison}")


def _check_metric(request: PutMetricAlarmInput, region: str) -> None:
    for member in ("MetricName", "Namespace", "Period"):
        if member not in request:
            raise invalid(f"The parameter {member} is required unless Metrics is specified.")
    key_of(region, request)
    if "Statistic" in request and "ExtendedStatistic" in request:
        raise invalid("The parameters Statistic and ExtendedStatistic are mutually exclusive.")
    if "Statistic" in request:
        return
    if "ExtendedStatistic" not in request:
        raise invalid("Either Statistic or ExtendedStatistic must be specified.")
    _check_statistic(request["ExtendedStatistic"])


def _check_statistic(name: str) -> None:
    try:
        parse_statistic(name)
    except UnknownStatistic:
        raise invalid(f"The value {name} for parameter ExtendedStatistic is not supported.") from None
    if name in SIMPLE_STATISTICS:
        raise invalid(f"The value {name} belongs into the parameter Statistic.")


def _check_expression(request: PutMetricAlarmInput, region: str) -> None:
    for member in _METRIC_MEMBERS:
        if member in request:
            raise invalid(f"The parameters Metrics and {member} are mutually exclusive.")
    metrics = request["Metrics"]
    if sum(query.get("ReturnData", True) for query in metrics) != 1 or watched_query(request) is None:
        raise invalid("Exactly one element of the metrics list should return data.")
    counted = [query["MetricStat"] for query in metrics if "MetricStat" in query]
    if not counted:
        raise invalid("The parameter Metrics must contain at least one MetricStat.")
    if len(counted) > METRICS_MAX:
        raise invalid(f"The parameter Metrics must contain at most {METRICS_MAX} metrics, not {len(counted)}.")
    if len({each["Period"] for each in (*counted, *metrics) if "Period" in each}) > 1:
        raise invalid("Period must be the same for all metrics and expressions of an alarm.")
    try:
        read_queries(metrics, region=region).check_single_series()
    except InvalidQueries as error:
        raise invalid(str(error)) from None


def _check_threshold(request: PutMetricAlarmInput) -> None:
    threshold = request.get("Threshold")
    if threshold is None:
        raise invalid("The parameter Threshold is required.")
    if not math.isfinite(threshold) or abs(threshold) > MAGNITUDE_MAX:
        raise invalid(f"The value {threshold} for parameter Threshold must be in the range of -2^360 to 2^360.")


def _check_periods(request: PutMetricAlarmInput) -> None:
    if "EvaluationPeriods" not in request:
        raise invalid("The parameter EvaluationPeriods is required.")
    period_s, periods = period_of(request), request["EvaluationPeriods"]
    if period_s not in _SHORT_PERIODS_S and (period_s % _MINUTE_S or not period_s):
        raise invalid("Period must be 10, 20, 30 or a multiple of 60")
    if request.get("DatapointsToAlarm", 1) > periods:
        raise invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    days = 1 if period_s < _HOUR_S else 7
    if period_s * periods > days * _DAY_S:
        span, most = "a day" if days == 1 else "seven days", days * _DAY_S
        raise invalid(
            f"Metrics cannot be checked across more than {span} (EvaluationPeriods * Period must be <= {most})."
        )


def _check_missing_data(request: PutMetricAlarmInput) -> None:
    treatment = request.get("TreatMissingData", MissingData.MISSING)
    if treatment not in tuple(MissingData):
        raise invalid(f"TreatMissingData must be one of {', '.join(MissingData)}, not {treatment}.")
    low_samples = request.get("EvaluateLowSampleCountPercentile")
    if low_samples is None:
        return
    if low_samples not in ("evaluate", "ignore"):
        raise invalid(f"EvaluateLowSampleCountPercentile must be evaluate or ignore, not {low_samples}.")
    if not request.get("ExtendedStatistic", "").startswith("p"):
        raise invalid("EvaluateLowSampleCountPercentile is only for alarms on a percentile.")
