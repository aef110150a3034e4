"""Which operation of a REST service a method, path and query string mean, and what the path's labels say.

S3 has up to thirty operations on one path, told apart by a query parameter without a value (`?uploads`), one with
(`?list-type=2`), and by members that only one of them requires (`partNumber`, `x-amz-copy-source`). The operation
that demands most of what is there wins.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from botocore.model import OperationModel, ServiceModel

from moorage.aws.http import HttpRequest
from moorage.aws.querystring import parse_pairs

_VIRTUAL_HOST: Final = re.compile(
    r"([a-z0-9][a-z0-9.-]{1,61}?[a-z0-9])\.(?:s3[.-].*|localhost)(?::\d+)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Route:
    operation: OperationModel
    path: re.Pattern[str]
    query: Mapping[str, str]
    """Parameters of the URI template, with their values where it gives any."""
    parameters: frozenset[str]
    """Query parameters required by the input shape."""
    headers: frozenset[str]
    """Header fields required by the input shape."""

    @property
    def demands(self) -> int:
        return len(self.query) + len(self.parameters) + len(self.headers)

    def accepts(self, request: HttpRequest, parameters: Mapping[str, str]) -> bool:
        return (
            all(name in parameters and value in ("", parameters[name]) for name, value in self.query.items())
            and self.parameters <= parameters.keys()
            and all(name in request.headers for name in self.headers)
        )


def match(service: ServiceModel, request: HttpRequest) -> OperationModel | None:
    """The operation of `service` that `request` calls, or None where there is none."""
    path = _path(service, request)
    parameters = dict(parse_pairs(request.query))
    for route in _routes(service).get(request.method, ()):
        if route.accepts(request, parameters) and route.path.fullmatch(path):
            return route.operation
    return None


def labels(operation: OperationModel, request: HttpRequest) -> dict[str, str]:
    """What the labels of the operation's URI template stand for in the request's path, decoded.

    A path is taken apart before it is decoded, so `%2F` never divides it. Raises ValueError for bytes not UTF-8.
    """
    template, _, _ = operation.http["requestUri"].partition("?")
    found = _compile(template).fullmatch(_path(operation.service_model, request))
    names = re.findall(r"{([^}+]+)\+?}", template)
    texts = found.groups() if found else ()
    try:
        return {name: unquote(text, errors="strict") for name, text in zip(names, texts, strict=True)}
    except UnicodeDecodeError:
        raise ValueError("The path is not UTF-8") from None


def has_path(service: ServiceModel, request: HttpRequest) -> bool:
    """Whether any method is known for the request's path: tells a wrong method from a wrong path."""
    path = _path(service, request)
    routes = _routes(service).values()
    return any(route.path.fullmatch(path) for group in routes for route in group)


def _path(service: ServiceModel, request: HttpRequest) -> str:
    if service.service_name != "s3":
        return request.path
    bucket = bucket_in_host(request)
    return f"/{bucket}{request.path}" if bucket else request.path


def bucket_in_host(request: HttpRequest) -> str | None:
    """The bucket of a virtual-hosted request: `iris` for `iris.localhost:4566`."""
    host = _VIRTUAL_HOST.fullmatch(request.headers.get("host") or "")
    return host[1] if host else None


@functools.cache
def _routes(service: ServiceModel) -> Mapping[str, tuple[_Route, ...]]:
    routes = [_route(service.operation_model(name)) for name in service.operation_names]
    routes.sort(key=lambda route: (-route.demands, bool(route.operation.deprecated)))
    return {
        method: tuple(route for route in routes if route.operation.http["method"] == method)
        for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "PATCH")
    }


def _route(operation: OperationModel) -> _Route:
    template, _, query = operation.http["requestUri"].partition("?")
    shape = operation.input_shape
    required = [(name, shape.members[name]) for name in shape.required_members] if shape else []

    def wire_names(location: str) -> frozenset[str]:
        return frozenset(
            member.serialization.get("name", name)
            for name, member in required
            if member.serialization.get("location") == location
        )

    return _Route(
        operation=operation,
        path=_compile(template),
        query=dict(parse_pairs(query)),
        parameters=wire_names("querystring"),
        headers=wire_names("header"),
    )


@functools.cache
def _compile(template: str) -> re.Pattern[str]:
    parts = re.split(r"({[^}]+})", template)
    pattern = "".join(
        re.escape(part) if not part.startswith("{") else "(.+)" if part.endswith("+}") else "([^/]+)" for part in parts
    )
    return re.compile(pattern + ("/?" if pattern.endswith("([^/]+)") else ""), re.DOTALL)
