"""PutMetricAlarm and PutCompositeAlarm: what is to be watched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from moorage.api.cloudwatch.alarm_errors import invalid, refused, too_many_alarms
from moorage.api.cloudwatch.alarm_rules import check_actions, check_metric_alarm, check_name
from moorage.api.cloudwatch.part import Part
from moorage.api.cloudwatch.tag_rules import read_tags
from moorage.api.service import Caller, operation
from moorage.aws.types.cloudwatch import PutCompositeAlarmInput, PutMetricAlarmInput
from moorage.core.alarms.composite import children_of, find_cycle
from moorage.core.alarms.model import Alarm, AlarmKey, alarm_arn
from moorage.core.alarms.rule import InvalidRule, alarms_of, name_in, parse_rule
from moorage.store.alarms import find_alarm, put_alarm
from moorage.store.base import Transaction

ALARMS_MAX: Final = 5000
_SuppressorPeriod = Literal["ActionsSuppressorWaitPeriod", "ActionsSuppressorExtensionPeriod"]
_SUPPRESSOR_PERIODS: Final[tuple[_SuppressorPeriod, ...]] = (
    "ActionsSuppressorWaitPeriod",
    "ActionsSuppressorExtensionPeriod",
)
_SUPPRESSOR_S_MAX: Final = 3600


class AlarmDefinitions(Part):
    """The operations that define alarms."""

    @operation("PutMetricAlarm")
    async def put_metric_alarm(self, caller: Caller, request: PutMetricAlarmInput) -> None:
        """Create an alarm on a metric or on an expression, or give one another definition; its state stays."""
        check_metric_alarm(request, region=caller.region)
        key = AlarmKey(caller.region, request["AlarmName"])

        def put(tx: Transaction) -> None:
            self._put(tx, key, request)

        await self._store.run(put)
        self._needs.wake_alarms()

    @operation("PutCompositeAlarm")
    async def put_composite_alarm(self, caller: Caller, request: PutCompositeAlarmInput) -> None:
        """Create an alarm on the states of others, or give one another definition."""
        check_name(request["AlarmName"])
        check_actions(request, region=caller.region, may_scale=False)
        _check_suppressor(request)
        key = AlarmKey(caller.region, request["AlarmName"])

        def put(tx: Transaction) -> None:
            _check_children(tx, key, request, account_id=self._needs.account_id)
            self._put(tx, key, request)

        await self._store.run(put)
        self._needs.wake_alarms()

    def _put(self, tx: Transaction, key: AlarmKey, request: Mapping[str, Any]) -> None:
        definition = {member: value for member, value in request.items() if member != "Tags"}
        tags = read_tags(request.get("Tags", ()))
        found = find_alarm(tx, key)
        if found is None:
            _check_room(tx, key.region)
        else:
            _check_kind(found, definition)
        alarm = put_alarm(tx, key, definition, account_id=self._needs.account_id, now=self._clock.now())
        if found is None and tags:  # those of an alarm that is there are changed by TagResource alone
            tx.tags.put(alarm.arn, dict(tags))


def _check_room(tx: Transaction, region: str) -> None:
    if tx.alarms.count(region) >= ALARMS_MAX:
        raise too_many_alarms(ALARMS_MAX)


def _check_kind(found: Alarm, definition: Mapping[str, Any]) -> None:
    if found.is_composite != ("AlarmRule" in definition):
        kind = "a composite" if found.is_composite else "a metric"
        raise invalid(f"{found.key.name} is the name of {kind} alarm: an alarm cannot become one of another kind.")


def _check_children(tx: Transaction, key: AlarmKey, request: PutCompositeAlarmInput, *, account_id: str) -> None:
    """Raises ValidationError if the rule cannot be read or leads back to the alarm, or names what is not there."""
    try:
        named = dict.fromkeys(alarms_of(parse_rule(request["AlarmRule"])), "the alarm rule")
    except InvalidRule as error:
        raise invalid(f"{error}.") from None
    if "ActionsSuppressor" in request:
        named.setdefault(request["ActionsSuppressor"], "ActionsSuppressor")
    for reference, where in named.items():
        other = AlarmKey(key.region, name_in(reference))
        if reference.startswith("arn:") and reference != alarm_arn(other, account_id=account_id):
            raise invalid(f"The alarm {reference} in {where} is of another account or region than the composite alarm.")
        if other != key and find_alarm(tx, other) is None:
            raise invalid(f"Could not save the composite alarm as alarm {other.name} in {where} does not exist.")

    def definition_of(name: str) -> Mapping[str, Any] | None:
        alarm = find_alarm(tx, AlarmKey(key.region, name))
        return None if alarm is None else alarm.definition

    if find_cycle(key.name, children_of(request), definition_of):
        raise invalid("AlarmRule leads back to the alarm itself: alarms that go by one another would never settle.")


def _check_suppressor(request: PutCompositeAlarmInput) -> None:
    if "ActionConfiguration" in request:
        raise refused("ActionConfiguration")
    for member in _SUPPRESSOR_PERIODS:
        if (member in request) != ("ActionsSuppressor" in request):
            raise invalid(f"ActionsSuppressor and {member} must be specified together.")
        if not 0 <= request.get(member, 0) <= _SUPPRESSOR_S_MAX:
            raise invalid(f"{member} must be between 0 and {_SUPPRESSOR_S_MAX} seconds.")
