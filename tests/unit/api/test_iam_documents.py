"""What is accepted as a policy can be evaluated, and whatever else comes is refused in IAM's words."""

from __future__ import annotations

import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st

from moorage.api.iam.documents import check_identity_policy
from moorage.aws.errors import ServiceError
from moorage.core.iam.evaluation import grant
from moorage.core.iam.policy import PolicyUnreadable, parse

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.text("a*?:${}", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["k", "aws:username"]), inner, max_size=2)
    ),
    max_leaves=4,
)


def one_or_more(*values):
    return st.sampled_from(values) | st.lists(st.sampled_from(values), min_size=1, max_size=2)


conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "ForAnyValue:ArnLike", "Null", "DateEquals", "NumericLessThanIfExists"]),
    st.dictionaries(st.sampled_from(["k", "aws:username"]), one_or_more("x", "ann", True, 3, "${aws:y}"), max_size=2),
    max_size=2,
)
resources = one_or_more("*", "arn:aws:s3:::b/${aws:username}", "arn:${", "arn:${aws:x, 'y'}", "arn:?*${*}")
statements = st.builds(
    lambda effect, action, actions, resource, named, condition: {
        "Effect": effect,
        action: actions,
        resource: named,
        **condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["Action", "NotAction"]),
    one_or_more("*", "s3:Get*", "iam:?"),
    st.sampled_from(["Resource", "NotResource"]),
    resources,
    st.fixed_dictionaries({}, optional={"Condition": conditions}),
)
documents = st.fixed_dictionaries(
    {"Statement": statements | st.lists(statements, min_size=1, max_size=3)},
    optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17"])},
)


@st.composite
def spoiled(draw):
    """A document of which one part is something else."""
    document = draw(documents)
    part = document
    while isinstance(part, dict | list) and part:
        place = draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if draw(st.booleans()) or not isinstance(part[place], dict | list):
            part[place] = draw(anything)
            break
        part = part[place]
    return document


@given(documents)
def test_what_is_accepted_can_be_evaluated(document) -> None:
    check_identity_policy(json.dumps(document))
    made = grant(parse(document), "s3:GetObject", {"aws:username": ("ann",), "k": ()})
    made.decide("arn:aws:s3:::b/ann")


@given(spoiled() | anything)
def test_what_is_spoiled_is_refused_when_written_or_can_be_evaluated(document) -> None:
    with contextlib.suppress(ServiceError):
        check_identity_policy(json.dumps(document))
        grant(parse(document), "s3:GetObject", {}).decide("arn:aws:s3:::b/ann")
    with contextlib.suppress(PolicyUnreadable):
        parse(document)
