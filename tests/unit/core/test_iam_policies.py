"""Identity policies: what they allow, case by case and as properties."""

from __future__ import annotations

import functools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.iam.conditions import is_operator, make_condition
from moorage.core.iam.evaluation import EVERYTHING, NOTHING, Decision, grant, refusal
from moorage.core.iam.patterns import expression, is_match
from moorage.core.iam.policy import PolicyUnreadable, parse

INVOKE = "sagemaker:InvokeEndpoint"
ENDPOINT = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/"
CONTEXT = {"aws:username": ("ann",), "aws:principaltag/team": (), "aws:groups": ("red", "blue")}


def allow(resource="*", action=INVOKE, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(resource="*", action=INVOKE, **more):
    return {**allow(resource, action, **more), "Effect": "Deny"}


def decide(*statements, arn=ENDPOINT + "iris", action=INVOKE, context=CONTEXT, version="2012-10-17") -> Decision:
    return grant(parse({"Version": version, "Statement": list(statements)}), action, context).decide(arn)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], Decision.NOT_ALLOWED),
        ([allow()], Decision.ALLOWED),
        ([allow(), deny(ENDPOINT + "other")], Decision.ALLOWED),
        ([deny(ENDPOINT + "iris"), allow()], Decision.DENIED),
        ([deny()], Decision.DENIED),
        ([allow(ENDPOINT + "ir?s")], Decision.ALLOWED),
        ([allow(ENDPOINT + "ir?")], Decision.NOT_ALLOWED),
        ([allow("arn:aws:sagemaker:*:*:endpoint/i*s")], Decision.ALLOWED),
        ([allow(ENDPOINT + "IRIS")], Decision.NOT_ALLOWED),
        ([allow(action="SAGEMAKER:invokeendpoint")], Decision.ALLOWED),
        ([allow(action="sagemaker:Invoke*")], Decision.ALLOWED),
        ([allow(action="sagemaker:InvokeEndpoin?")], Decision.ALLOWED),
        ([allow(action="sagemaker:InvokeEndpointAsync")], Decision.NOT_ALLOWED),
        ([allow(action=["s3:*", "*"])], Decision.ALLOWED),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], Decision.ALLOWED),
        ([{"Effect": "Allow", "NotAction": "sagemaker:*", "Resource": "*"}], Decision.NOT_ALLOWED),
        ([{"Effect": "Allow", "Action": INVOKE, "NotResource": ENDPOINT + "other"}], Decision.ALLOWED),
        ([{"Effect": "Allow", "Action": INVOKE, "NotResource": ["x", ENDPOINT + "i*"]}], Decision.NOT_ALLOWED),
        ([allow(), {"Effect": "Deny", "Action": INVOKE, "NotResource": ENDPOINT + "i*"}], Decision.ALLOWED),
        ([allow(), {"Effect": "Deny", "Action": INVOKE, "NotResource": ENDPOINT + "x*"}], Decision.DENIED),
    ],
)
def test_statements_decide(statements, expected) -> None:
    assert expected is decide(*statements)


@pytest.mark.parametrize(
    ("resource", "allowed", "denied"),
    [
        (ENDPOINT + "${aws:username}-*", "ann-1", "bob-1"),
        (ENDPOINT + "${AWS:UserName}", "ann", "bob"),
        (ENDPOINT + "${aws:PrincipalTag/team, 'red'}", "red", "blue"),
        (ENDPOINT + "${*}", "*", "x"),
        (ENDPOINT + "${$}", "$", "x"),
    ],
)
def test_variables_are_filled_in(resource: str, allowed: str, denied: str) -> None:
    assert Decision.ALLOWED is decide(allow(resource), arn=ENDPOINT + allowed)
    assert Decision.NOT_ALLOWED is decide(allow(resource), arn=ENDPOINT + denied)


def test_variables_of_old_policies_are_plain_text() -> None:
    assert Decision.NOT_ALLOWED is decide(
        allow(ENDPOINT + "${aws:username}"), arn=ENDPOINT + "ann", version="2008-10-17"
    )
    assert Decision.ALLOWED is decide(allow("${aws:username}"), arn="${aws:username}", version="2008-10-17")


@pytest.mark.parametrize("variable", ["${aws:PrincipalTag/team}", "${aws:groups}", "${sagemaker:unheard-of}"])
def test_a_variable_without_one_value_never_allows(variable: str) -> None:
    assert Decision.NOT_ALLOWED is decide(allow([ENDPOINT + variable, variable + "*"]))
    everything_but = {"Effect": "Allow", "Action": INVOKE, "NotResource": [ENDPOINT + "x", "${sagemaker:unheard-of}"]}
    assert Decision.NOT_ALLOWED is decide(everything_but)


def test_a_denied_resource_that_cannot_be_told_is_every_resource() -> None:
    assert Decision.DENIED is decide(allow(), deny(ENDPOINT + "${sagemaker:unheard-of}"))
    assert Decision.ALLOWED is decide(allow(), deny(ENDPOINT + "${aws:PrincipalTag/team}"))


def holds(operator: str, *values: str, actual: tuple[str, ...] | None = ("a",)):
    context = {"aws:username": ("ann",)} if actual is None else {"aws:username": ("ann",), "k": actual}
    return make_condition(operator, "K", values).holds(context)


@pytest.mark.parametrize(
    ("operator", "values", "actual", "expected"),
    [
        ("StringEquals", ("a", "b"), "b", True),
        ("StringEquals", ("a*",), "ab", False),
        ("StringEquals", ("a*",), "a*", True),
        ("StringEquals", ("A",), "a", False),
        ("StringEquals", ("${aws:username}",), "ann", True),
        ("StringNotEquals", ("a", "b"), "c", True),
        ("StringNotEquals", ("a", "b"), "b", False),
        ("StringEqualsIgnoreCase", ("AbC",), "aBc", True),
        ("StringNotEqualsIgnoreCase", ("AbC",), "aBc", False),
        ("StringLike", ("a*c",), "abc", True),
        ("StringLike", ("a?c",), "abbc", False),
        ("StringNotLike", ("a*",), "b", True),
        ("ArnLike", ("arn:aws:s3:*:*:b/*",), "arn:aws:s3:::b/k", True),
        ("ArnEquals", ("arn:aws:iam::1:user/*",), "arn:aws:iam::1:user/a/b:c", True),
        ("ArnLike", ("arn:aws:iam:*/x",), "arn:aws:iam::1:user/x", False),
        ("ArnNotLike", ("arn:aws:iam::1:user/${aws:username}",), "arn:aws:iam::1:user/ann", False),
        ("Bool", ("true",), "True", True),
        ("Bool", ("false",), "true", False),
        ("NumericEquals", ("3",), "3.0", True),
        ("NumericNotEquals", ("3",), "4", True),
        ("NumericLessThan", ("3",), "3", False),
        ("NumericLessThanEquals", ("3",), "3", True),
        ("NumericGreaterThan", ("3",), "10", True),
        ("NumericGreaterThanEquals", ("11",), "10", False),
        ("DateLessThan", ("2026-01-01T00:00:00Z",), "2025-12-31T23:59:59Z", True),
        ("DateGreaterThan", ("1767225600",), "2026-01-01T00:00:01Z", True),
        ("DateEquals", ("2026-01-01",), "1767225600", True),
        ("DateNotEquals", ("2026-01-01",), "1767225600", False),
        ("IpAddress", ("10.0.0.0/8", "::1"), "10.2.3.4", True),
        ("IpAddress", ("10.0.0.0/8",), "::1", False),
        ("NotIpAddress", ("10.0.0.0/8",), "11.2.3.4", True),
        ("BinaryEquals", ("QQ==",), "QQ==", True),
        ("Null", ("false",), "a", True),
        ("Null", ("true",), "a", False),
        ("StringEqualsIfExists", ("a",), "b", False),
        ("Bool", ("perhaps",), "true", None),
        ("NumericEquals", ("three",), "3", None),
        ("IpAddress", ("ten",), "10.0.0.1", None),
        ("StringResembles", ("a",), "a", None),
    ],
)
def test_operators(operator: str, values: tuple[str, ...], actual: str, expected: bool | None) -> None:
    assert expected is holds(operator, *values, actual=(actual,))


@pytest.mark.parametrize(
    ("operator", "absent", "unknown"),
    [
        ("StringEquals", False, None),
        ("StringNotEquals", True, None),
        ("StringEqualsIfExists", True, None),
        ("BoolIfExists", True, None),
        ("ForAllValues:StringEquals", True, None),
        ("ForAnyValue:StringEquals", False, None),
        ("ForAnyValue:StringNotEquals", False, None),
    ],
)
def test_a_key_that_is_absent_is_not_one_that_cannot_be_told(operator: str, absent: bool, unknown: None) -> None:
    assert absent is holds(operator, "a", actual=())
    assert unknown is holds(operator, "a", actual=None)


def test_null_asks_whether_a_key_is_absent() -> None:
    assert (True, False, None) == (
        holds("Null", "true", actual=()),
        holds("Null", "false", actual=()),
        holds("Null", "true", actual=None),
    )


@pytest.mark.parametrize(
    ("operator", "actual", "expected"),
    [
        ("ForAllValues:StringEquals", ("a", "b"), True),
        ("ForAllValues:StringEquals", ("a", "c"), False),
        ("ForAnyValue:StringEquals", ("c", "a"), True),
        ("ForAnyValue:StringEquals", ("c", "d"), False),
        ("ForAllValues:StringNotEquals", ("c", "d"), True),
        ("ForAllValues:StringNotEquals", ("c", "a"), False),
        ("ForAnyValue:StringNotEquals", ("c", "a"), True),
        ("StringEquals", ("c", "a"), True),
        ("StringNotEquals", ("c", "a"), False),
    ],
)
def test_several_values(operator: str, actual: tuple[str, ...], expected: bool) -> None:
    assert expected is holds(operator, "a", "b", actual=actual)


def test_every_key_of_a_condition_block_must_hold() -> None:
    block = {"StringEquals": {"aws:username": "ann"}, "ForAnyValue:StringEquals": {"aws:groups": ["green", "red"]}}
    assert Decision.ALLOWED is decide(allow(Condition=block))
    assert Decision.NOT_ALLOWED is decide(allow(Condition={**block, "Bool": {"aws:username": True}}))


@pytest.mark.parametrize(
    "condition",
    [{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"StringResembles": {"aws:username": "ann"}}],
    ids=["an unknown key", "an unknown operator"],
)
def test_what_cannot_be_told_is_never_taken_in_the_callers_favour(condition) -> None:
    assert Decision.NOT_ALLOWED is decide(allow(Condition=condition))
    assert Decision.DENIED is decide(allow(), deny(Condition=condition))


def test_what_one_key_settles_needs_no_other() -> None:
    both = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "StringEquals": {"aws:username": "bob"}}
    assert Decision.ALLOWED is decide(allow(), deny(Condition=both))


def test_operators_are_known_by_name() -> None:
    for operator in ("StringEquals", "ForAllValues:ArnLikeIfExists", "Null", "bool"):
        assert is_operator(operator)
    for operator in ("StringResembles", "ForSome:StringEquals", "NullIfExists", ""):
        assert not is_operator(operator)


def test_the_refusal_says_why() -> None:
    said = [refusal(each, principal_arn="P", action=INVOKE, resource="R") for each in Decision]
    start = "User: P is not authorized to perform: sagemaker:InvokeEndpoint on resource: R "
    assert [
        start + "because an identity-based policy allows the sagemaker:InvokeEndpoint action",
        start + "because no identity-based policy allows the sagemaker:InvokeEndpoint action",
        start + "with an explicit deny in an identity-based policy",
    ] == said


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"Statement": "x"},
        {"Statement": [allow(), {"Effect": "Perhaps", "Action": "*", "Resource": "*"}]},
        {"Statement": {"Effect": "Allow", "Action": "*"}},
        {"Statement": allow(resource=[1])},
        {"Statement": allow(Condition={"StringEquals": "x"})},
        {"Statement": allow(Condition={"StringEquals": {"k": None}})},
    ],
)
def test_half_a_policy_is_no_policy(document) -> None:
    with pytest.raises(PolicyUnreadable):
        parse(document)


# -- properties --------------------------------------------------------------------------------------------------------

texts = st.text("ab:", max_size=8)
patterns = st.text("ab:*?", max_size=8)
statements = st.builds(
    lambda effect, resources, action, is_exclusion: {
        "Effect": effect,
        "Action": action,
        "NotResource" if is_exclusion else "Resource": resources,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.lists(patterns.filter(bool), min_size=1, max_size=3),
    st.sampled_from([INVOKE, "sagemaker:*", "s3:GetObject", "*"]),
    st.booleans(),
)


@functools.cache
def plainly(pattern: str, text: str) -> bool:
    """What a pattern means, as slowly as it can be said."""
    if not pattern or not text:
        return not pattern.strip("*") and not text
    if pattern[0] == "*":
        return plainly(pattern[1:], text) or plainly(pattern, text[1:])
    return pattern[0] in ("?", text[0]) and plainly(pattern[1:], text[1:])


@given(patterns, texts)
def test_patterns_match_what_they_mean(pattern: str, text: str) -> None:
    assert plainly(pattern, text) is is_match(expression(pattern, {}), text)


def test_no_pattern_takes_long() -> None:
    assert not is_match(expression("*a" * 60 + "b", {}), "a" * 5000)


def read_plainly(some, arn: str) -> Decision:
    """What statements come to, one after the other and each by its words."""
    effects = set()
    for one in some:
        is_about = one["Action"] in (INVOKE, "sagemaker:*", "*")
        listed = any(plainly(pattern, arn) for pattern in one.get("Resource", one.get("NotResource")))
        if is_about and listed is ("Resource" in one):
            effects.add(one["Effect"])
    if "Deny" in effects:
        return Decision.DENIED
    return Decision.ALLOWED if "Allow" in effects else Decision.NOT_ALLOWED


@given(st.lists(statements, max_size=4), texts)
def test_a_grant_decides_what_the_statements_say(some, arn: str) -> None:
    assert read_plainly(some, arn) is decide(*some, arn=arn)


@given(st.lists(statements, max_size=4), texts)
def test_a_deny_wins_whatever_is_beside_it(others, arn: str) -> None:
    assert Decision.DENIED is decide(*others, deny(), arn=arn)


@given(st.lists(statements, max_size=4), texts)
def test_the_order_of_statements_means_nothing(some, arn: str) -> None:
    assert decide(*some, arn=arn) is decide(*reversed(some), arn=arn)


@given(st.lists(statements, max_size=4), statements, texts)
def test_more_is_never_less_and_a_denial_never_more(some, one, arn: str) -> None:
    before = decide(*some, arn=arn) is Decision.ALLOWED
    after = decide(*some, one, arn=arn) is Decision.ALLOWED
    assert before or one["Effect"] == "Allow" or not after
    assert after or one["Effect"] == "Deny" or not before


@given(st.lists(statements, max_size=4), texts)
def test_nothing_is_allowed_that_no_statement_allows(some, arn: str) -> None:
    denials = [one for one in some if one["Effect"] == "Deny"]
    assert decide(*denials, arn=arn) is not Decision.ALLOWED


@given(texts)
def test_everything_and_nothing(arn: str) -> None:
    assert (Decision.ALLOWED, Decision.NOT_ALLOWED) == (EVERYTHING.decide(arn), NOTHING.decide(arn))


@given(st.lists(statements, max_size=3))
def test_a_grant_is_made_of_expressions_that_can_be_read_again(some) -> None:
    made = grant(parse({"Version": "2012-10-17", "Statement": some}), INVOKE, CONTEXT)
    for each in (*made.allowed, *made.denied):
        re.compile(each)


FOR_CONTAINERS = {"StringLike": {"sagemaker:TargetContainerHostname": ["customIps*", "common*"]}}
"""The condition of the guide's "Security with multi-container endpoints with direct invocation"."""


def decide_request(*statements, asked: dict[str, tuple[str, ...]], context=CONTEXT) -> Decision:
    """What a grant that was made before there was a request comes to for one."""
    made = grant(parse({"Version": "2012-10-17", "Statement": list(statements)}), INVOKE, context)
    return made.decide(ENDPOINT + "iris", asked)


@pytest.mark.parametrize(
    ("allowed", "denied", "asked"),
    [
        (Decision.ALLOWED, Decision.DENIED, {"sagemaker:targetcontainerhostname": ("customIps1",)}),
        (Decision.NOT_ALLOWED, Decision.ALLOWED, {"sagemaker:targetcontainerhostname": ("other",)}),
        (Decision.NOT_ALLOWED, Decision.ALLOWED, {"sagemaker:targetcontainerhostname": ()}),
        (Decision.NOT_ALLOWED, Decision.DENIED, {}),
    ],
)
def test_what_a_request_asks_for_is_looked_at_when_there_is_one(allowed, denied, asked) -> None:
    assert allowed is decide_request(allow(Condition=FOR_CONTAINERS), asked=asked)
    assert denied is decide_request(allow(), deny(Condition=FOR_CONTAINERS), asked=asked)
    elsewhere = {"Resource": ENDPOINT + "other", "Condition": FOR_CONTAINERS}
    assert Decision.ALLOWED is decide_request(allow(), deny() | elsewhere, asked=asked)


@pytest.mark.parametrize(
    ("allowed", "denied", "condition"),
    [
        (Decision.ALLOWED, Decision.DENIED, {"StringEquals": {"aws:username": "ann"}}),
        (Decision.NOT_ALLOWED, Decision.ALLOWED, {"StringEquals": {"aws:username": "bob"}}),
        (Decision.NOT_ALLOWED, Decision.DENIED, {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    ],
)
def test_a_proviso_holds_beside_all_else_that_a_statement_asks(allowed, denied, condition) -> None:
    asked = {"sagemaker:targetcontainerhostname": ("common",)}
    both = {"Condition": FOR_CONTAINERS | condition}
    assert allowed is decide_request(allow() | both, asked=asked)
    assert denied is decide_request(allow(), deny() | both, asked=asked)


@given(
    effects=st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "*"])), max_size=4),
    value=st.sampled_from([(), ("a",), ("b",)]),
)
def test_a_grant_made_before_decides_as_one_made_for_the_request(effects, value) -> None:
    key = "sagemaker:TargetModel"
    statements = [
        (allow if is_allow else deny)(Condition={"StringLike": {key: pattern}}) for is_allow, pattern in effects
    ]
    asked = {key.lower(): value}
    assert decide(*statements, context=CONTEXT | asked) is decide_request(*statements, asked=asked)
