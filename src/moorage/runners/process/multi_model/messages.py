"""What agent and instance say to each other, as JSON. `moorage.runtime.multi_model.messages` is the other end."""

from __future__ import annotations

import msgspec

from moorage.runners.many_models import Summary


class Want(msgspec.Struct, frozen=True):
    """A model by its name below the prefix, and the version that is there already, if one is."""

    model: str
    version: str | None
    hurry: bool
    """Whether somebody waits for it."""
    number: int
    """Another one each time something is wanted."""


class Wanted(msgspec.Struct, frozen=True):
    """Answers `GET /moorage/wants`."""

    number: int
    """Of the last want there was."""
    wants: tuple[Want, ...]


class Supply(msgspec.Struct, frozen=True, tag="supply"):
    """A model is there, in a folder that the instance can read."""

    model: str
    version: str
    """The digest of its contents."""
    folder: str
    downloading_us: int = 0
    """How long it took to get it; 0 if it was there already."""


class Unchanged(msgspec.Struct, frozen=True, tag="unchanged"):
    """The version of a model that is there already is still the one in S3."""

    model: str


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """A model cannot be had, for a reason that is a sentence."""

    model: str
    reason: str
    is_gone: bool = False
    """Whether there is no such model, or it may not be read: then it is not served from memory either."""
    is_unusable: bool = False
    """Whether what is there can never be a model."""


class LoadedModel(msgspec.Struct, frozen=True):
    """A model in memory."""

    bytes: int
    folder: str


class Statistics(msgspec.Struct, frozen=True):
    """What was counted since the instance began."""

    summaries: dict[str, Summary]
    invocations: dict[str, int]
    """By model."""


class Report(msgspec.Struct, frozen=True):
    """Answers `GET /moorage/models`."""

    loaded: dict[str, LoadedModel]
    statistics: Statistics


class Measured(msgspec.Struct, frozen=True):
    """Answers `GET /moorage/measured`."""

    number: int
    values: dict[str, tuple[tuple[int, int], ...]]
    """By metric, each value with how often it was there."""
    loaded: int
    """How many models are in memory."""
