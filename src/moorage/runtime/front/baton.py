"""What is handed from container to container beside the body: header fields. Pure.

The answer's content type becomes the next request's. The caller's Accept is for the last container, whose answer it
gets: those before it answer in the type that their environment names (SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT), as
SageMaker's do (aws/amazon-sagemaker-examples#729: with Accept text/csv, the second of two got the first's JSON). Custom
attributes go to every container as the last one that set them has left them. A target model is for the multi-model one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from moorage.runtime.front.parts import FrontContainer
from moorage.wire.messages import HeaderList, Request

CONTENT_TYPE: Final = b"content-type"
ACCEPT: Final = b"accept"
ATTRIBUTES: Final = b"x-amzn-sagemaker-custom-attributes"
TARGET_MODEL: Final = b"x-amzn-sagemaker-target-model"

_FOR_ALL: Final = frozenset(
    {
        b"x-amzn-sagemaker-inference-id",
        b"x-amzn-sagemaker-session-id",
        b"x-amzn-requestid",
        b"traceparent",
        b"tracestate",
    }
)
_RETURNED: Final = (ATTRIBUTES, b"x-amzn-sagemaker-new-session-id", b"x-amzn-sagemaker-closed-session-id")
_HOST: Final = (b"Host", b"localhost:8080")


class Said(Protocol):
    """What is looked at of an answer."""

    fields: Mapping[bytes, bytes]


class Baton:
    """The fields on their way. To be shown each container's answer, in order, by `take`."""

    __slots__ = ("_accept", "_attributes", "_content_type", "_for_all", "_returned", "_target_model")

    def __init__(self, request: Request) -> None:
        fields = request.fields
        self._for_all = [_HOST, *((name, value) for name, value in request.headers if name in _FOR_ALL)]
        self._accept = [field for field in request.headers if field[0] == ACCEPT]
        self._content_type = fields.get(CONTENT_TYPE)
        self._attributes = fields.get(ATTRIBUTES)
        self._target_model = fields.get(TARGET_MODEL)
        self._returned: dict[bytes, bytes] = {}

    def request_fields(self, container: FrontContainer, *, is_last: bool) -> HeaderList:
        """The head of the request to a container."""
        fields = list(self._for_all)
        if self._content_type is not None:
            fields.append((CONTENT_TYPE, self._content_type))
        if self._attributes is not None:
            fields.append((ATTRIBUTES, self._attributes))
        if is_last:
            fields += self._accept
        if container.is_multi_model and self._target_model is not None:
            fields.append((TARGET_MODEL, self._target_model))
        return fields

    def take(self, answer: Said) -> None:
        """Note what a container says beside its body."""
        self._content_type = answer.fields.get(CONTENT_TYPE)
        self._attributes = answer.fields.get(ATTRIBUTES, self._attributes)
        self._returned.update((name, answer.fields[name]) for name in _RETURNED if name in answer.fields)

    def answer_fields(self) -> HeaderList:
        """The head of the answer to the caller: of what containers have set, the last of each."""
        fields = list(self._returned.items())
        if self._content_type is not None:
            fields.append((CONTENT_TYPE, self._content_type))
        return fields
