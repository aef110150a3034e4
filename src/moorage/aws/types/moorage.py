"""Requests and answers of moorage. Written by tools/generate_types.py: do not edit."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict


class BearerKeySummary(TypedDict):
    KeyId: str
    CreationTime: datetime
    Description: NotRequired[str]


class CreateBearerKeyInput(TypedDict):
    EndpointName: str
    Description: NotRequired[str]


class CreateBearerKeyOutput(TypedDict):
    KeyId: str
    Key: str
    CreationTime: datetime


class DeleteBearerKeyInput(TypedDict):
    EndpointName: str
    KeyId: str


class ListBearerKeysInput(TypedDict):
    EndpointName: str


class ListBearerKeysOutput(TypedDict):
    BearerKeys: list[BearerKeySummary]
