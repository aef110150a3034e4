"""The rules of composite alarms: reading, evaluating, and refusing what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.alarms.composite import children_of, find_cycle
from moorage.core.alarms.model import StateValue
from moorage.core.alarms.rule import InvalidRule, alarms_of, holds, parse_rule

STATES = {"ringing": StateValue.ALARM, "calm": StateValue.OK, "unsure": StateValue.INSUFFICIENT_DATA}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TRUE", True),
        ("false", False),
        ("ALARM(ringing)", True),
        ('ALARM("ringing")', True),
        ("alarm( ringing )", True),
        ("OK(ringing)", False),
        ("INSUFFICIENT_DATA(unsure)", True),
        ("ALARM(gone)", False),
        ("NOT ALARM(gone)", True),
        ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:ringing)", False),
        ("ALARM(ringing) AND OK(calm)", True),
        ("ALARM(calm) OR OK(calm)", True),
        ("TRUE OR FALSE AND FALSE", True),
        ("(TRUE OR FALSE) AND FALSE", False),
        ("NOT TRUE OR TRUE", True),
        ("NOT (TRUE OR TRUE)", False),
        ("NOT NOT TRUE", True),
        ("ALARM(ringing)AND(OK(calm))", True),
    ],
)
def test_rules(text: str, expected: bool) -> None:
    assert expected is holds(parse_rule(text), STATES.get)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "ALARM",
        "ALARM()",
        "ALARM(a",
        "ALARM(a) ALARM(b)",
        "ALARM(a) AND",
        "AND ALARM(a)",
        "(ALARM(a)",
        "ALARM(a))",
        "NOT",
        "RINGING(a)",
        "TRUE XOR FALSE",
        "ALARM(a) & ALARM(b)",
        "TRUEISH",
        "(" * 60 + "TRUE" + ")" * 60,
        "NOT " * 10_000 + "TRUE",
        " OR ".join(["TRUE"] * 501),
        " OR ".join(f"ALARM(a{number})" for number in range(101)),
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(InvalidRule):
        parse_rule(text)


@given(st.text('ALRMOK()"\\ NDTUEFS', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        rule = parse_rule(text)
    except InvalidRule:
        return
    assert isinstance(holds(rule, STATES.get), bool)


def test_names_may_be_quoted_and_contain_anything() -> None:
    assert ["a (b) AND", 'c"d'] == list(alarms_of(parse_rule(r'ALARM("a (b) AND") OR OK("c\"d")')))


def test_children_are_named_once_and_without_their_arns() -> None:
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
    definition = {"AlarmRule": f"ALARM({arn}a) OR OK(a) OR ALARM(TargetTracking-endpoint/e/variant/v-AlarmHigh-1)"}
    assert ("a", "TargetTracking-endpoint/e/variant/v-AlarmHigh-1") == children_of(definition)
    assert () == children_of({"MetricName": "m"})


def test_a_rule_that_leads_back_is_found() -> None:
    rules = {"a": {"AlarmRule": "ALARM(b)"}, "b": {"AlarmRule": "ALARM(c)"}, "c": {"AlarmRule": "OK(b) OR OK(metric)"}}
    assert find_cycle("b", ["c"], rules.get)
    assert find_cycle("a", ["a"], rules.get)
    assert not find_cycle("a", ["b"], rules.get)
