"""The keys of a Moorage: who holds the root key, and where users' secrets come from."""

from __future__ import annotations

import base64
import hmac

from moorage.app import credentials
from moorage.app.credentials import RootKey, Secrets
from moorage.core.iam.principal import Requirement

SECRETS = Secrets(snapshot_key=b"s" * 32, token_key=b"t" * 32)


def test_a_secret_follows_from_the_keys_id_and_nothing_else() -> None:
    compute = credentials.secret_of(SECRETS)
    assert 40 == len(compute("AKIAONE"))
    assert compute("AKIAONE") == credentials.secret_of(SECRETS)("AKIAONE")
    assert compute("AKIAONE") != compute("AKIATWO")
    other = Secrets(snapshot_key=SECRETS.snapshot_key, token_key=b"u" * 32)
    assert compute("AKIAONE") != credentials.secret_of(other)("AKIAONE")


def test_what_is_authenticated_under_the_token_key_tells_no_secret() -> None:
    shown = hmac.digest(SECRETS.token_key, b"AKIAONE", "sha256")
    assert credentials.secret_of(SECRETS)("AKIAONE") != base64.b64encode(shown[:30]).decode()


def test_the_root_key_is_held_by_the_account() -> None:
    key = RootKey(access_key_id="AKIA", secret_access_key="secret", account_id="123456789012")
    holder = credentials.root_holder(key)["AKIA"]
    assert ("secret", "arn:aws:iam::123456789012:root") == (holder.secret, holder.principal.arn)
    assert holder.principal.first_refused([Requirement("iam:CreateUser", "arn:aws:iam::1:user/x")], {}) is None
    assert "secret" not in repr(holder)
