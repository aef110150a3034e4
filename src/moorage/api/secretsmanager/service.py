"""The operations of Secrets Manager."""

from __future__ import annotations

import string
from typing import ClassVar, Final, Literal

from moorage.api.secretsmanager.passwords import ImpossiblePassword, make_password
from moorage.api.service import Caller, Service, operation
from moorage.aws.errors import ServiceError
from moorage.aws.types.secretsmanager import GetRandomPasswordRequest, GetRandomPasswordResponse
from moorage.system.entropy import random_below

_Exclusion = Literal["ExcludeUppercase", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation"]

_TYPES: Final[dict[_Exclusion, str]] = {
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}
"""The character types of the API reference, by the parameter that excludes each."""

_LENGTH_DEFAULT: Final = 32


class SecretsManager(Service):
    """Makes passwords and keeps none."""

    name: ClassVar[str] = "secretsmanager"

    @operation("GetRandomPassword")
    async def get_random_password(self, _: Caller, request: GetRandomPasswordRequest) -> GetRandomPasswordResponse:
        """A random password, unless told otherwise of 32 characters with at least one of each type."""
        excluded = set(request.get("ExcludeCharacters", ""))
        types = [_without(excluded, characters) for name, characters in _TYPES.items() if not request.get(name)]
        types = [characters for characters in types if characters]
        extra = _without(excluded, " ") if request.get("IncludeSpace") else ""
        if not request.get("RequireEachIncludedType", True):
            types, extra = [], "".join(types) + extra
        length = request.get("PasswordLength", _LENGTH_DEFAULT)
        try:
            return {"RandomPassword": make_password(types, length, extra=extra, draw=random_below)}
        except ImpossiblePassword as error:
            raise ServiceError("InvalidParameterException", str(error)) from None


def _without(excluded: set[str], characters: str) -> str:
    return "".join(character for character in characters if character not in excluded)
