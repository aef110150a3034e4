"""Requests and answers of secretsmanager. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class GetRandomPasswordRequest(TypedDict):
    PasswordLength: NotRequired[int]
    ExcludeCharacters: NotRequired[str]
    ExcludeNumbers: NotRequired[bool]
    ExcludePunctuation: NotRequired[bool]
    ExcludeUppercase: NotRequired[bool]
    ExcludeLowercase: NotRequired[bool]
    IncludeSpace: NotRequired[bool]
    RequireEachIncludedType: NotRequired[bool]


class GetRandomPasswordResponse(TypedDict):
    RandomPassword: NotRequired[str]
