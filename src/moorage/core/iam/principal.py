"""Principals: who an access key speaks for, what is known of them, and what they are allowed.

Of a request, a gateway knows who sends it and whom it is for; control adds what the call itself says. Condition keys
that neither can tell are left out of the context, so that no policy is read in the caller's favour for lack of them.
Source: IAM user guide, "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from moorage.core.iam.context import Context
from moorage.core.iam.evaluation import Decision, Grant, grant
from moorage.core.iam.policy import Statement, parse

_NEVER_PRESENT: Final[Context] = dict.fromkeys(
    (
        "aws:calledvia",
        "aws:calledviafirst",
        "aws:calledvialast",
        "aws:federatedprovider",
        "aws:multifactorauthage",
        "aws:multifactorauthpresent",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceidentity",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:tokenissuetime",
        "aws:vpcsourceip",
    ),
    (),
)
"""Keys that a request signed with a long-term key does not have: no session, no organisation, no VPC."""

_FULL_ACCESS: Final = parse({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


@dataclass(frozen=True, slots=True)
class Requirement:
    """Something a caller must be allowed to do for a call to be carried out."""

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)
    """Condition keys of this action."""
    shown_as: str = ""
    """What a refusal calls the resource, where its ARN would tell whether it exists."""


class Refused(NamedTuple):
    """What is not allowed, and why."""

    requirement: Requirement
    decision: Decision


@dataclass(frozen=True, slots=True)
class Principal:
    """A user of the account, or the account itself (root). `id` is what STS calls `UserId`."""

    arn: str
    id: str
    account_id: str
    context: Context
    statements: tuple[Statement, ...]
    user_name: str = ""
    """Empty for root."""

    def grant(self, action: str) -> Grant:
        """What `action` is allowed on, as far as it can be told before any request."""
        return grant(self.statements, action, self.context)

    def first_refused(self, required: Iterable[Requirement], request: Context) -> Refused | None:
        """What a request of which `request` is known may not do of all that it requires; None if it may do it all.

        A call on a thousand objects has a thousand requirements of one action: its grant is made once.
        """
        grants: dict[Any, Grant] = {}
        for each in required:
            kind = (each.action, *each.context.items())
            if kind not in grants:
                grants[kind] = grant(self.statements, each.action, {**self.context, **request, **each.context})
            decision = grants[kind].decide(each.resource)
            if decision is not Decision.ALLOWED:
                return Refused(each, decision)
        return None


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Who holds an access key, and the secret that proves it."""

    secret: str = field(repr=False)
    principal: Principal


def root(account_id: str) -> Principal:
    """The account itself, which may do everything."""
    arn = f"arn:aws:iam::{account_id}:root"
    context = {**_common(arn, account_id, kind="Account"), "aws:userid": (account_id,), "aws:username": ()}
    return Principal(arn, account_id, account_id, context, _FULL_ACCESS)


def user(
    arn: str, id_: str, *, account_id: str, name: str, tags: Mapping[str, str], statements: tuple[Statement, ...]
) -> Principal:
    """A user, with the statements of all of its policies."""
    tagged = {f"aws:principaltag/{key.lower()}": (value,) for key, value in tags.items()}
    own = {**_common(arn, account_id, kind="User"), "aws:userid": (id_,), "aws:username": (name,)}
    return Principal(arn, id_, account_id, {**tagged, **own}, statements, user_name=name)


def request_context(*, region: str, user_agent: str | None, now: datetime) -> Context:
    """What is known of a call beside its caller."""
    return {
        "aws:currenttime": (now.isoformat(),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:requestedregion": (region,),
        "aws:useragent": () if user_agent is None else (user_agent,),
    }


def _common(arn: str, account_id: str, *, kind: str) -> Context:
    return {
        **_NEVER_PRESENT,
        "aws:principalaccount": (account_id,),
        "aws:principalarn": (arn,),
        "aws:principalisawsservice": ("false",),
        "aws:principaltype": (kind,),
        "aws:viaawsservice": ("false",),
    }
