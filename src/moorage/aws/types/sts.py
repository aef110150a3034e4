"""Requests and answers of sts. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class GetCallerIdentityRequest(TypedDict):
    pass


class GetCallerIdentityResponse(TypedDict):
    UserId: NotRequired[str]
    Account: NotRequired[str]
    Arn: NotRequired[str]
