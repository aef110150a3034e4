"""SageMaker's contract for containers that serve many models, by which anything can load and ask models directly.

"Custom Containers Contract for Multi-Model Endpoints" of the developer guide. A name is opaque. Nothing is unloaded to
make room: that is for whoever sees the 507 to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote

import msgspec

from moorage.runtime.multi_model.faults import Broken, NotServed
from moorage.runtime.multi_model.invocations import refusal
from moorage.runtime.multi_model.messages import json_response, read_json
from moorage.runtime.multi_model.models import Models
from moorage.runtime.replies import failure
from moorage.wire.messages import Refused, Request, Response

PATH: Final = b"/models"
_PREFIX: Final = "/models/"
_INVOKE: Final = "/invoke"
_PAGE: Final = 100


class _Wanted(msgspec.Struct, frozen=True):
    model_name: str
    url: str


class ContainerApi:
    """`POST /models`, `GET /models`, and `GET` and `DELETE /models/{name}`."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def answer(self, request: Request) -> Response:
        """Answer one call. Raises Refused."""
        if request.path == PATH and request.method == b"POST":
            return await self._load(request)
        if request.path == PATH and request.method == b"GET":
            return self._list(request)
        name = _name_in(request.path)
        if name is None or request.method not in (b"GET", b"DELETE"):
            raise Refused(404, f"there is no {request.method.decode()} {request.path.decode('latin-1')}")
        return self._describe(name) if request.method == b"GET" else self._unload(name)

    async def _load(self, request: Request) -> Response:
        wanted = await read_json(request, _Wanted)
        if not wanted.model_name or not _is_folder(wanted.url):
            return failure(400, "model_name must be a name, and url a folder that this instance can read")
        try:
            is_new = await self._models.load(wanted.model_name, Path(wanted.url))
        except (NotServed, Broken) as error:
            return refusal(error)
        return json_response(200, {}) if is_new else failure(409, f"Model {wanted.model_name} is loaded already")

    def _list(self, request: Request) -> Response:
        token = parse_qs(request.query.decode("latin-1")).get("next_page_token", ["0"])[0]
        start = int(token) if token.isascii() and token.isdigit() else 0
        slots = sorted(self._models.shelf, key=lambda slot: slot.name)
        more = {"nextPageToken": str(start + _PAGE)} if len(slots) > start + _PAGE else {}
        page = [_described(slot.name, slot.model.folder) for slot in slots[start : start + _PAGE]]
        return json_response(200, {"models": page, **more})

    def _describe(self, name: str) -> Response:
        slot = self._models.shelf.find(name)
        return json_response(200, _described(name, slot.model.folder)) if slot is not None else not_loaded(name)

    def _unload(self, name: str) -> Response:
        return json_response(200, {}) if self._models.unload(name) else not_loaded(name)


def invoked(request: Request) -> str | None:
    """The model that `POST /models/{name}/invoke` is for; None for any other call."""
    path = request.path.decode("latin-1")
    if request.method != b"POST" or not (path.startswith(_PREFIX) and path.endswith(_INVOKE)):
        return None
    return _name_in(request.path.removesuffix(_INVOKE.encode()))


def not_loaded(name: str) -> Response:
    """There is no such model in memory."""
    return failure(404, f"Model {name} is not loaded")


def _name_in(path: bytes) -> str | None:
    text = path.decode("latin-1")
    name = unquote(text.removeprefix(_PREFIX)) if text.startswith(_PREFIX) and text.count("/") == 2 else ""
    return name or None


def _is_folder(url: str) -> bool:
    return Path(url).is_dir()


def _described(name: str, folder: Path) -> dict[str, Any]:
    return {"modelName": name, "modelUrl": str(folder)}
