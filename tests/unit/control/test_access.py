"""Bringing changes of users, keys and policies into force, in virtual time."""

from __future__ import annotations

import asyncio
import json

import pytest

from moorage.control.access import AccessEnforcer
from moorage.control.principals import Principals
from moorage.control.publisher import Publisher
from moorage.core.faults import NotInForceYet
from moorage.core.iam.evaluation import NOTHING
from moorage.core.iam.principal import KeyHolder, root
from moorage.core.routes import UNRESTRICTED, Access
from moorage.store.base import Document
from moorage.testing.builders import T0
from moorage.testing.fake_gateways import FakeGateways, FakeSnapshots
from moorage.testing.memory_store import MemoryStore
from moorage.testing.virtual_clock import LoopClock

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

ACCOUNT = "123456789012"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ENDPOINTS = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:endpoint/"


class Desk:
    """The store, the gateways, and what stands between."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.gateways = FakeGateways()
        self.snapshots = FakeSnapshots()
        holder = KeyHolder("root's", root(ACCOUNT))
        self.principals = Principals(self.store, root={"AKIAROOT": holder}, secret_of="secret of {}".format)
        publisher = Publisher(self.snapshots, self.gateways, account_id=ACCOUNT, access=Access())
        self.enforcer = AccessEnforcer(self.principals, publisher, LoopClock())

    async def save(self, *statements: dict[str, object], attached: tuple[str, ...] = (), text: str = "") -> None:
        policy = text or json.dumps({"Version": "2012-10-17", "Statement": statements})
        keys = {"AKIAON": {"Status": "Active"}, "AKIAOFF": {"Status": "Inactive"}}
        body = {
            "UserId": "AIDA",
            "Tags": {},
            "AttachedPolicies": attached,
            "InlinePolicies": {"p": policy},
            "AccessKeys": keys,
        }
        user = Document("", "ann", ANN, T0, T0, body)
        await self.store.run(lambda tx: (tx.users.delete("", "ann"), tx.users.insert(user)))

    async def enforced(self) -> Access:
        await self.enforcer.enforce()
        table = self.snapshots.tables[-1]
        return Access(table.keys, table.permissions, table.bearer_keys)


async def test_keys_in_force_are_published_with_what_they_permit() -> None:
    desk = Desk()
    await desk.save(
        {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": ENDPOINTS + "${aws:username}-*"}
    )
    access = await desk.enforced()
    assert {"AKIAROOT", "AKIAON"} == access.keys.keys()
    assert ("secret of AKIAON", ANN, ACCOUNT) == (
        access.keys["AKIAON"].secret,
        access.keys["AKIAON"].principal_arn,
        access.keys["AKIAON"].account_id,
    )
    permission = access.permissions[ANN]
    assert "ALLOWED" == permission.invoke.decide(ENDPOINTS + "ann-1").name
    assert "NOT_ALLOWED" == permission.invoke.decide(ENDPOINTS + "bob-1").name
    assert (NOTHING, NOTHING) == (permission.invoke_async, permission.invoke_stream)
    assert UNRESTRICTED.invoke.decide("x") is access.permissions[f"arn:aws:iam::{ACCOUNT}:root"].invoke.decide("x")
    assert "AIDA" == desk.principals.find("AKIAON").principal.id
    assert desk.principals.find("AKIAOFF") is None


async def test_a_condition_on_the_request_allows_nothing_at_a_gateway() -> None:
    desk = Desk()
    office = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    await desk.save({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": office})
    assert NOTHING == (await desk.enforced()).permissions[ANN].invoke


@pytest.mark.parametrize(
    "policies",
    [{"text": "{"}, {"text": '{"Statement": [{"Effect": "Allow"}]}'}, {"attached": ("arn:aws:iam::1:policy/gone",)}],
)
async def test_who_has_a_policy_that_cannot_be_read_may_do_nothing(policies, caplog) -> None:
    desk = Desk()
    await desk.save({"Effect": "Allow", "Action": "*", "Resource": "*"}, **policies)
    assert NOTHING == (await desk.enforced()).permissions[ANN].invoke
    assert "user ann may do nothing" in caplog.text


async def test_changes_at_one_time_share_a_publication() -> None:
    desk = Desk()
    await asyncio.gather(*(desk.enforcer.enforce() for _ in range(20)))
    assert len(desk.snapshots.tables) <= 2


async def test_what_was_not_confirmed_is_tried_again_until_it_is() -> None:
    desk = Desk()
    desk.gateways.unsure = True
    with pytest.raises(NotInForceYet):
        await desk.enforcer.enforce()
    await asyncio.sleep(3.5)
    assert [] == desk.gateways.versions
    desk.gateways.unsure = False
    await asyncio.sleep(1)
    assert 1 == len(desk.gateways.versions)
    await asyncio.sleep(5)
    assert 1 == len(desk.gateways.versions)


async def test_what_could_not_be_read_is_tried_again_too() -> None:
    desk = Desk()
    desk.store.unavailable = True
    with pytest.raises(NotInForceYet):
        await desk.enforcer.enforce()
    desk.store.unavailable = False
    await asyncio.sleep(1.5)
    assert {"AKIAROOT"} == desk.snapshots.tables[-1].keys.keys()


async def test_closing_ends_the_trying() -> None:
    desk = Desk()
    desk.gateways.unsure = True
    with pytest.raises(NotInForceYet):
        await desk.enforcer.enforce()
    await desk.enforcer.close()
    assert 1 == len(asyncio.all_tasks())
