"""Who answers which request of an instance with many models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from moorage.runtime.multi_model.container_api import ContainerApi, invoked, not_loaded
from moorage.runtime.multi_model.invocations import Invocation
from moorage.runtime.multi_model.models import Models
from moorage.runtime.multi_model.platform_api import PlatformApi
from moorage.runtime.replies import failure, render
from moorage.runtime.server import Route, Router, ping
from moorage.wire.messages import Begin, Cancellable, Reply, Request, Response
from moorage.wire.server import Tasks

TARGET_MODEL: Final = b"x-amzn-sagemaker-target-model"


def begin_requests(models: Models) -> Begin:
    """Begins every request of the instance."""
    requests = _Requests(models)
    routes: Mapping[bytes, Route] = {
        b"/ping": Route(b"GET", ping),
        b"/invocations": Route(b"POST", requests.invoke),
    }
    return Router(routes, requests.otherwise)


class _Requests:
    def __init__(self, models: Models) -> None:
        self._models = models
        self._platform = PlatformApi(models).calls
        self._container = ContainerApi(models)
        self._tasks = Tasks(self._answer, render)

    def invoke(self, request: Request, reply: Reply) -> Cancellable | None:
        target = request.fields.get(TARGET_MODEL)
        if target is None:
            reply.respond(failure(400, "The request is missing a target model header."))
            return None
        return Invocation(self._models, request, reply).begin(target.decode("latin-1"))

    def otherwise(self, request: Request, reply: Reply) -> Cancellable | None:
        name = invoked(request)
        if name is None:
            return self._tasks(request, reply)
        if self._models.shelf.find(name) is None:
            reply.respond(not_loaded(name))
            return None
        return Invocation(self._models, request, reply).begin(name)

    async def _answer(self, request: Request) -> Response:
        answer = self._platform.get((request.method, request.path), self._container.answer)
        return await answer(request)
