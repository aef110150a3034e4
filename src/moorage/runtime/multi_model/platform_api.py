"""The agent's way into an instance with many models: it asks what is wanted, and brings it.

    GET  /moorage/wants?known=N&wait=S   all that is wanted, as soon as that is more than number N said, or after S s
    POST /moorage/models                 what is brought: a `messages.Hand`; answered when it is loaded
    GET  /moorage/models                 what is loaded, and what was counted
    GET  /moorage/measured?known=N       what was measured since page N, as the next page, until that is known

No caller of the endpoint gets here: the gateway knows no other path than `/invocations`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

from moorage.runtime.multi_model.faults import Broken, NoSuchModel, NotServed
from moorage.runtime.multi_model.messages import Hand, Refusal, Supply, Unchanged, json_response, read_json
from moorage.runtime.multi_model.models import Models
from moorage.wire.messages import Refused, Request, Response

_WAIT_MAX_S: Final = 60.0


class PlatformApi:
    """The calls, by method and path."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self.calls: Mapping[tuple[bytes, bytes], Callable[[Request], Awaitable[Response]]] = {
            (b"GET", b"/moorage/wants"): self._tell_wants,
            (b"POST", b"/moorage/models"): self._accept,
            (b"GET", b"/moorage/models"): self._count,
            (b"GET", b"/moorage/measured"): self._measure,
        }

    async def _tell_wants(self, request: Request) -> Response:
        known, wait = _numbers(request, "known", "wait")
        number, wants = await self._models.wants.news(known, wait_s=min(wait, _WAIT_MAX_S))
        return json_response(200, {"number": number, "wants": [asdict(want) for want in wants]})

    async def _accept(self, request: Request) -> Response:
        hand: Supply | Unchanged | Refusal = await read_json(request, Hand)  # type: ignore[arg-type]  # a union is no type to mypy
        if isinstance(hand, Supply):
            folder = Path(hand.folder)
            await self._models.supply(hand.model, hand.version, folder, downloading_us=hand.downloading_us)
        elif isinstance(hand, Unchanged):
            self._models.confirm(hand.model)
        else:
            self._models.refuse(hand.model, _error(hand), is_gone=hand.is_gone)
        return json_response(200, {})

    async def _count(self, _request: Request) -> Response:
        loaded: dict[str, Any] = {
            slot.name: {"bytes": slot.bytes, "folder": str(slot.model.folder)} for slot in self._models.shelf
        }
        return json_response(200, {"statistics": self._models.statistics.as_json(), "loaded": loaded})

    async def _measure(self, request: Request) -> Response:
        (known,) = _numbers(request, "known")
        page = self._models.statistics.collect(known)
        return json_response(200, {**asdict(page), "loaded": len(self._models.shelf)})


def _numbers(request: Request, *names: str) -> list[int]:
    asked = parse_qs(request.query.decode("latin-1"))
    texts = [asked.get(name, [""])[0] for name in names]
    if not all(map(_is_number, texts)):
        raise Refused(400, f"{' and '.join(names)} must be whole numbers")
    return list(map(int, texts))


def _is_number(text: str) -> bool:
    return text.isascii() and text.removeprefix("-").isdigit()


def _error(refusal: Refusal) -> NotServed | Broken:
    if refusal.is_unusable:
        return Broken(refusal.reason)
    return NoSuchModel(refusal.reason) if refusal.is_gone else NotServed(refusal.reason)
