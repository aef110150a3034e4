"""The wire formats, side by side: each module has the same three functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.model import OperationModel

from moorage.aws.call import Call, Protocol, Target
from moorage.aws.errors import ServiceError
from moorage.aws.http import HttpRequest, HttpResponse
from moorage.aws.protocols import cbor, json, query, rest_json, rest_xml


@dataclass(frozen=True, slots=True)
class Format:
    """A wire format: parameters out of a request, an answer or an error into a response."""

    decode: Callable[[HttpRequest, OperationModel], dict[str, Any]]
    encode: Callable[[Mapping[str, Any], Call], HttpResponse]
    encode_error: Callable[[ServiceError, Target, str], HttpResponse]


FORMATS: Final = {
    Protocol.JSON: Format(json.decode, json.encode, json.encode_error),
    Protocol.QUERY: Format(query.decode, query.encode, query.encode_error),
    Protocol.REST_JSON: Format(rest_json.decode, rest_json.encode, rest_json.encode_error),
    Protocol.REST_XML: Format(rest_xml.decode, rest_xml.encode, rest_xml.encode_error),
    Protocol.CBOR: Format(cbor.decode, cbor.encode, cbor.encode_error),
}
