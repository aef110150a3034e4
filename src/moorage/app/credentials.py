"""The root access key and the keys that Moorage signs its own files and tokens with. Made at the first start."""

from __future__ import annotations

import base64
import hmac
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from moorage.app.settings import Settings
from moorage.core.iam.principal import KeyHolder, root
from moorage.system import entropy
from moorage.system.files import write_durably

T = TypeVar("T")
_KEY_ID_ALPHABET = string.ascii_uppercase + "234567"


class CredentialsError(Exception):
    """A key file that is missing, broken, or readable by others."""


@dataclass(frozen=True, slots=True)
class RootKey:
    """The account's root access key, as a client needs it."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    account_id: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys that never leave this Moorage."""

    snapshot_key: bytes = field(repr=False)
    token_key: bytes = field(repr=False)


def load(settings: Settings) -> RootKey:
    """The root key. Raises CredentialsError if there is none yet or the file is unsafe."""
    return _read(settings.credentials_path, RootKey)


def ensure(settings: Settings) -> RootKey:
    """The root key, made now if this is the first start."""
    if settings.credentials_path.exists():
        return load(settings)
    key = RootKey(
        access_key_id="AKIA" + _letters(entropy.new_secret(16)),
        secret_access_key=base64.b64encode(entropy.new_secret(30)).decode(),
        account_id=settings.account_id,
    )
    write_durably(settings.credentials_path, msgspec.json.encode(key))
    return key


def ensure_secrets(settings: Settings) -> Secrets:
    """The internal keys, made now if this is the first start."""
    if settings.secrets_path.exists():
        return _read(settings.secrets_path, Secrets)
    made = Secrets(snapshot_key=entropy.new_secret(32), token_key=entropy.new_secret(32))
    write_durably(settings.secrets_path, msgspec.json.encode(made))
    return made


def root_holder(key: RootKey) -> dict[str, KeyHolder]:
    """The holder of the root key, by its id."""
    return {key.access_key_id: KeyHolder(key.secret_access_key, root(key.account_id))}


def secret_of(secrets: Secrets) -> Callable[[str], str]:
    """The secrets of users' access keys: computed from the key's id, so that none is stored with the users.

    They are forty characters, as AWS's are, and change with `token_key`.
    """
    own_key = hmac.digest(secrets.token_key, b"secrets of access keys", "sha256")

    def compute(access_key_id: str) -> str:
        return base64.b64encode(hmac.digest(own_key, access_key_id.encode(), "sha256")[:30]).decode()

    return compute


def _letters(data: bytes) -> str:
    return "".join(_KEY_ID_ALPHABET[byte % 32] for byte in data)


def _read(path: Path, kind: type[T]) -> T:
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except FileNotFoundError:
        raise CredentialsError(f"There is no {path}: `moorage up` makes it at its first start") from None
    except PermissionError:
        raise CredentialsError(
            f"{path} belongs to another user: run as that user, or choose another --data-dir"
        ) from None
    if mode & 0o077:
        raise CredentialsError(
            f"{path} can be read by others: `chmod 600 {path}`, and change the key if others had access"
        )
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise CredentialsError(f"{path} is damaged ({error}): restore it, or remove it to make new keys") from None
