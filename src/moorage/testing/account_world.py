"""An account with users, on a store in memory: IAM, and services that its policies hold for, as boto3 sees them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from moorage.api.iam.part import Needs
from moorage.api.iam.service import Iam
from moorage.api.server import Api
from moorage.api.service import Service
from moorage.control.access import AccessEnforcer
from moorage.control.principals import Principals
from moorage.control.publisher import Publisher
from moorage.core.routes import Access
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import ACCOUNT_ID, KEY_ID, ROOT_KEY, InProcess
from moorage.testing.fake_gateways import FakeGateways, FakeSnapshots
from moorage.testing.memory_store import MemoryStore


class AccountWorld:
    """Calls IAM and `services` with keys of the account. `gateways` confirm what they are told, unless made unsure."""

    def __init__(self, *services: Service, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.gateways = FakeGateways()
        self.snapshots = FakeSnapshots()
        clock = SystemClock()
        self._principals = Principals(self.store, root={KEY_ID: ROOT_KEY}, secret_of=_secret_of)
        publisher = Publisher(self.snapshots, self.gateways, account_id=ACCOUNT_ID, access=Access())
        self.enforcer = AccessEnforcer(self._principals, publisher, clock)
        self.iam = Iam(Needs(store=self.store, clock=clock, enforce=self.enforcer.enforce, secret_of=_secret_of))
        self._services: list[Service] = [self.iam, *services]

    def serve(self, service: Service) -> None:
        """Serve one more, which may need what this world has. Before `with`."""
        self._services.append(service)

    def __enter__(self) -> AccountWorld:
        self._aws = InProcess(Api(self._services, self._principals.find, clock=SystemClock()))
        return self

    def __exit__(self, *_: object) -> None:
        self._aws.__exit__()

    @property
    def published(self) -> Access:
        """What the gateways were last told."""
        table = self.snapshots.tables[-1]
        return Access(table.keys, table.permissions, table.bearer_keys)

    def client(self, service: str, key: dict[str, Any] | None = None, *, region: str = "us-east-1") -> Any:
        """A boto3 client with root's key, or with one that CreateAccessKey answered."""
        if key is None:
            return self._aws.client(service, region=region)
        return self._aws.client(service, region=region, key_id=key["AccessKeyId"], secret=key["SecretAccessKey"])

    def add_user(self, name: str, *statements: dict[str, Any], path: str = "/") -> dict[str, Any]:
        """A user with one inline policy of these statements; its key, as CreateAccessKey answers it."""
        iam = self.client("iam")
        iam.create_user(UserName=name, Path=path)
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        key: dict[str, Any] = iam.create_access_key(UserName=name)["AccessKey"]
        return key


def _secret_of(access_key_id: str) -> str:
    return hashlib.sha256(access_key_id.encode()).hexdigest()[:40]
