"""DescribeAlarms and DescribeAlarmsForMetric: alarms, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from moorage.api.cloudwatch.alarm_descriptions import composite_alarm, metric_alarm
from moorage.api.cloudwatch.alarm_errors import invalid, no_such_alarm, wrong_token
from moorage.api.cloudwatch.metric_names import key_of
from moorage.api.cloudwatch.part import Part
from moorage.api.service import Caller, operation
from moorage.api.tokens import WrongToken
from moorage.aws.types.cloudwatch import (
    CompositeAlarm,
    DescribeAlarmsForMetricInput,
    DescribeAlarmsForMetricOutput,
    DescribeAlarmsInput,
    DescribeAlarmsOutput,
    MetricAlarm,
)
from moorage.core.alarms.composite import children_of
from moorage.core.alarms.condition import MetricWatch, watch_of
from moorage.core.alarms.model import ACTION_MEMBERS, Alarm, AlarmKey
from moorage.store.alarms import find_alarm, list_alarms
from moorage.store.base import Transaction

PAGE_MAX: Final = 100
_BINDING: Final = (
    "AlarmNames",
    "AlarmNamePrefix",
    "AlarmTypes",
    "ChildrenOfAlarmName",
    "ParentsOfAlarmName",
    "StateValue",
    "ActionPrefix",
)
_RELATIVES: Final = ("ChildrenOfAlarmName", "ParentsOfAlarmName")
_CHILD_MEMBERS: Final = ("AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp")
_PARENT_MEMBERS: Final = ("AlarmName", "AlarmArn")


class AlarmLists(Part):
    """The operations that find alarms."""

    @operation("DescribeAlarms")
    async def describe_alarms(self, caller: Caller, request: DescribeAlarmsInput) -> DescribeAlarmsOutput:
        """Alarms by name: metric alarms only unless AlarmTypes says other, but relatives of both kinds."""
        _check(request)
        bound = ["DescribeAlarms", caller.region, *(request.get(member) for member in _BINDING)]
        after = self._listed_after(bound, request.get("NextToken"))
        found = await self._store.read(lambda tx: list(_found(tx, caller.region, request)))
        rest = [alarm for alarm in found if alarm.key.name > after]
        page = rest[: request.get("MaxRecords", PAGE_MAX)]
        output: DescribeAlarmsOutput = {
            "MetricAlarms": [_metric(alarm, request) for alarm in page if not alarm.is_composite],
            "CompositeAlarms": [_composite(alarm, request) for alarm in page if alarm.is_composite],
        }
        if len(rest) > len(page):
            output["NextToken"] = self._tokens.seal(bound, page[-1].key.name)
        return output

    @operation("DescribeAlarmsForMetric")
    async def describe_alarms_for_metric(
        self, caller: Caller, request: DescribeAlarmsForMetricInput
    ) -> DescribeAlarmsForMetricOutput:
        """The alarms on exactly this metric, not those on expressions of it."""
        wanted = MetricWatch(key_of(caller.region, request))
        members = [member for member in ("Statistic", "ExtendedStatistic", "Period", "Unit") if member in request]
        found = await self._store.read(lambda tx: list(list_alarms(tx, caller.region)))
        return {
            "MetricAlarms": [
                metric_alarm(alarm)
                for alarm in found
                if not alarm.is_composite
                and watch_of(alarm.definition, caller.region) == wanted
                and all(alarm.definition.get(member) == request.get(member) for member in members)
            ]
        }

    def _listed_after(self, bound: Any, token: str | None) -> str:
        if token is None:
            return ""
        try:
            return str(self._tokens.open(bound, token))
        except WrongToken:
            raise wrong_token() from None


def _check(request: DescribeAlarmsInput) -> None:
    if "AlarmNames" in request and "AlarmNamePrefix" in request:
        raise invalid("AlarmNamePrefix and AlarmNames are mutually exclusive.")
    for member in _RELATIVES:
        others = [other for other in _BINDING if other != member and other in request]
        if member in request and others:
            raise invalid(f"{member} and {others[0]} are mutually exclusive.")


def _found(tx: Transaction, region: str, request: DescribeAlarmsInput) -> Iterable[Alarm]:
    """In order of their names."""
    if "ChildrenOfAlarmName" in request:
        return _children(tx, AlarmKey(region, request["ChildrenOfAlarmName"]))
    if "ParentsOfAlarmName" in request:
        return _parents(tx, AlarmKey(region, request["ParentsOfAlarmName"]))
    return (alarm for alarm in _named(tx, region, request.get("AlarmNames")) if _is_wanted(alarm, request))


def _named(tx: Transaction, region: str, names: Sequence[str] | None) -> Iterator[Alarm]:
    if not names:
        return list_alarms(tx, region)
    found = (find_alarm(tx, AlarmKey(region, name)) for name in sorted(set(names)))
    return (alarm for alarm in found if alarm is not None)


def _is_wanted(alarm: Alarm, request: DescribeAlarmsInput) -> bool:
    kind = "CompositeAlarm" if alarm.is_composite else "MetricAlarm"
    return (
        kind in request.get("AlarmTypes", ["MetricAlarm"])
        and alarm.key.name.startswith(request.get("AlarmNamePrefix", ""))
        and request.get("StateValue", alarm.state.value) == alarm.state.value
        and ("ActionPrefix" not in request or _has_action(alarm, request["ActionPrefix"]))
    )


def _has_action(alarm: Alarm, prefix: str) -> bool:
    return any(arn.startswith(prefix) for value in ACTION_MEMBERS for arn in alarm.actions(value))


def _children(tx: Transaction, key: AlarmKey) -> Iterator[Alarm]:
    alarm = find_alarm(tx, key)
    if alarm is None:
        raise no_such_alarm(key.name)
    return _named(tx, key.region, list(children_of(alarm.definition))) if alarm.is_composite else iter(())


def _parents(tx: Transaction, key: AlarmKey) -> Iterator[Alarm]:
    if find_alarm(tx, key) is None:
        raise no_such_alarm(key.name)
    return (alarm for alarm in list_alarms(tx, key.region) if key.name in children_of(alarm.definition))


def _metric(alarm: Alarm, request: DescribeAlarmsInput) -> MetricAlarm:
    return cast(MetricAlarm, _narrowed(metric_alarm(alarm), request))


def _composite(alarm: Alarm, request: DescribeAlarmsInput) -> CompositeAlarm:
    return cast(CompositeAlarm, _narrowed(composite_alarm(alarm), request))


def _narrowed(described: Mapping[str, Any], request: DescribeAlarmsInput) -> Mapping[str, Any]:
    """Of relatives, the service answers little more than who they are."""
    if "ChildrenOfAlarmName" in request:
        return {member: described[member] for member in _CHILD_MEMBERS}
    if "ParentsOfAlarmName" in request:
        return {member: described[member] for member in _PARENT_MEMBERS}
    return described
