"""What an HTTP request turned out to mean: first its target, then, once the body is read, the call."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moorage.aws.http import HttpRequest

if TYPE_CHECKING:  # botocore takes a tenth of a second to import, and a gateway worker 14 MB more: it has no use for it
    from botocore.model import OperationModel, ServiceModel


class Protocol(enum.StrEnum):
    """AWS's wire protocols, by botocore's names for them."""

    JSON = "json"
    QUERY = "query"
    REST_JSON = "rest-json"
    REST_XML = "rest-xml"
    CBOR = "smithy-rpc-v2-cbor"


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is for, as far as it can be told. Without a service or an operation it still says how to refuse.

    A form-encoded request names its operation in the body, so its `operation` is None until the body has been read.
    """

    request: HttpRequest
    protocol: Protocol
    service: ServiceModel | None = None
    operation: OperationModel | None = None

    @property
    def streams_body(self) -> bool:
        """Whether the handler reads the request's body itself, from `HttpRequest.stream`."""
        if self.operation is None or self.operation.input_shape is None:
            return False
        shape = self.operation.input_shape
        payload = shape.serialization.get("payload")
        return payload is not None and bool(shape.members[payload].serialization.get("streaming"))


@dataclass(frozen=True, slots=True)
class Call:
    """A request decoded and validated: `params` has the form of the operation's input shape."""

    request: HttpRequest
    request_id: str
    protocol: Protocol
    service: ServiceModel
    operation: OperationModel
    params: dict[str, Any]
