"""Asking the instances with many models of this machine what they have and what they measured."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from moorage.core.model import InstanceSpec
from moorage.runners.many_models import LoadedModel, Page, Report, Shop
from moorage.runners.process.multi_model.channel import Channel, InstanceAway
from moorage.runners.process.place import Places

T = TypeVar("T")

_UNKNOWN = -1


def shops_of(spec: InstanceSpec, places: Places) -> Iterable[tuple[Shop, Path]]:
    """The containers of an instance that have many models, each with the socket that it answers on."""
    for container, place in zip(spec.variant.containers, places.containers, strict=True):
        if container.is_multi_model:
            yield Shop(spec.endpoint, spec.variant.name, spec.id, container.name), place.socket


async def report(shops: Iterable[tuple[Shop, Path]]) -> tuple[Report, ...]:
    """What each has to say. One that does not answer is left out."""
    return await _of_each(shops, _report)


async def measure(shops: Iterable[tuple[Shop, Path]], known: Mapping[Shop, int]) -> tuple[Page, ...]:
    """The page of each after the one that is known. One that does not answer is left out."""

    async def next_page(shop: Shop, channel: Channel) -> Page:
        said = await channel.measured(known.get(shop, _UNKNOWN))
        return Page(shop, said.number, said.values, said.loaded)

    return await _of_each(shops, next_page)


async def _report(shop: Shop, channel: Channel) -> Report:
    said = await channel.report()
    invocations = said.statistics.invocations
    models = (LoadedModel(name, each.bytes, invocations.get(name, 0)) for name, each in sorted(said.loaded.items()))
    return Report(shop, tuple(models), said.statistics.summaries)


async def _of_each(shops: Iterable[tuple[Shop, Path]], ask: Callable[[Shop, Channel], Awaitable[T]]) -> tuple[T, ...]:
    async def try_to_ask(shop: Shop, socket: Path) -> T | None:
        with closing(Channel(socket)) as channel:
            try:
                return await ask(shop, channel)
            except InstanceAway:
                return None

    answers = await asyncio.gather(*(try_to_ask(shop, socket) for shop, socket in shops))
    return tuple(answer for answer in answers if answer is not None)
