"""What instances of many models tell of themselves, by way of a runner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from moorage.core.model import EndpointKey, InstanceId


@dataclass(frozen=True, slots=True)
class Shop:
    """One container of one instance that serves many models."""

    endpoint: EndpointKey
    variant: str
    instance: InstanceId
    container: str


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory."""

    name: str
    """That of its object below the prefix."""
    bytes: int
    """What it takes of memory, as far as that is known."""
    invocations: int
    """Since the instance began."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Values of one metric since the instance began; times in microseconds."""

    count: int
    total: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Report:
    """All there is to say of a shop, by what CloudWatch calls the metrics."""

    shop: Shop
    models: tuple[LoadedModel, ...]
    statistics: Mapping[str, Summary]


@dataclass(frozen=True, slots=True)
class Page:
    """What was measured in a shop since the page before, and how many models are loaded now."""

    shop: Shop
    number: int
    values: Mapping[str, tuple[tuple[int, int], ...]]
    """By metric, each value with how often it was there."""
    loaded: int


class ManyModels(Protocol):
    """The shops of this machine. One that does not answer is left out."""

    async def report(self, endpoint: EndpointKey) -> Sequence[Report]:
        """Of one endpoint. Raises RunnerError."""
        ...

    async def measure(self, known: Mapping[Shop, int]) -> Sequence[Page]:
        """A page of every shop: the one after the page that is `known`, else the last there was. Raises RunnerError."""
        ...
