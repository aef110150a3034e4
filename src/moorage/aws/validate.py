"""Parameters against the constraints of their shapes, refused in AWS's words.

What AWS says of a value is well known from its error messages: which member, where, the value, the constraint; several
at once, counted. Types have been seen to by the protocol already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from botocore.model import OperationModel

from moorage.aws.errors import ServiceError
from moorage.aws.patterns import matches
from moorage.aws.scalars import format_scalar

_CODES: Final[Mapping[str, str]] = {
    "cloudwatch": "ValidationError",
    "ecr": "InvalidParameterException",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "sagemaker-runtime": "ValidationError",
    "sts": "ValidationError",
}
"""Services whose code for this is not ValidationException."""

_REPORTED_MAX: Final = 100
_RENDERED_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Violation:
    """One constraint that one value does not satisfy. `value` is as AWS would print it; None prints nothing."""

    path: str
    constraint: str
    value: str | None

    def __str__(self) -> str:
        said = "Value" if self.value is None else f"Value {self.value}"
        return f"{said} at '{self.path}' failed to satisfy constraint: {self.constraint}"


def violations(operation: OperationModel, params: Mapping[str, Any]) -> list[Violation]:
    """What is wrong with `params`, the first hundred things, in the order of the shape's members."""
    shape = operation.input_shape
    return list(islice(_structure(shape, params, ""), _REPORTED_MAX)) if shape else []


def refusal(operation: OperationModel, found: list[Violation]) -> ServiceError:
    """The error for what `violations` found."""
    code = _CODES.get(operation.service_model.service_name, "ValidationException")
    said = "; ".join(map(str, found))
    counted = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
    return ServiceError(code, f"{counted} detected: {said}", status=400)


def _structure(shape: Any, value: Mapping[str, Any], prefix: str) -> Iterator[Violation]:
    for name, member in shape.members.items():
        path = f"{prefix}{name[:1].lower()}{name[1:]}"
        if name in value:
            yield from _value(member, value[name], path)
        elif name in shape.required_members:
            yield Violation(path, "Member must not be null", "null")


def _value(shape: Any, value: Any, path: str) -> Iterator[Violation]:
    if shape.serialization.get("streaming") or shape.serialization.get("eventstream"):
        return
    for constraint in _broken(shape, value):
        yield _violation(shape, value, path, constraint)
    match shape.type_name:
        case "structure" if not shape.is_document_type:
            yield from _structure(shape, value, f"{path}.")
        case "list":
            yield from _list(shape, value, path)
        case "map":
            yield from _map(shape, value, path)
        case _:
            return


def _list(shape: Any, value: list[Any], path: str) -> Iterator[Violation]:
    if _is_scalar(shape.member):
        if any(any(_broken(shape.member, item)) for item in value):
            yield _violation(shape, value, path, f"Member must satisfy constraint: {_all(shape.member)}")
        return
    for number, item in enumerate(value, 1):
        yield from _value(shape.member, item, f"{path}.{number}.member")


def _map(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[Violation]:
    if any(any(_broken(shape.key, key)) for key in value):
        yield _violation(shape, value, path, f"Map keys must satisfy constraint: {_all(shape.key)}")
    if _is_scalar(shape.value):
        if any(any(_broken(shape.value, item)) for item in value.values()):
            yield _violation(shape, value, path, f"Map value must satisfy constraint: {_all(shape.value)}")
        return
    for key, item in value.items():
        yield from _value(shape.value, item, f"{path}.{key}.member")


def _violation(shape: Any, value: Any, path: str, constraint: str) -> Violation:
    printed = None if shape.metadata.get("sensitive") else f"'{_render(shape, value)[:_RENDERED_MAX]}'"
    return Violation(path, constraint, printed)


def _broken(shape: Any, value: Any) -> Iterator[str]:
    """The constraints of the shape itself that `value` breaks. A text too long is not searched for its pattern."""
    metadata = shape.metadata
    match shape.type_name:
        case "string" | "character":
            if shape.enum and value not in shape.enum:
                yield _enum_text(shape)
            pattern = metadata.get("pattern")
            if pattern and len(value) <= metadata.get("max", len(value)) and not matches(pattern, value):
                yield _pattern_text(pattern)
            yield from _out_of_range("length", len(value), metadata)
        case "list" | "map" | "blob":
            yield from _out_of_range("length", len(value), metadata)
        case "integer" | "long" | "float" | "double":
            yield from _out_of_range("value", value, metadata)
        case _:
            return


def _out_of_range(kind: str, number: float, metadata: Mapping[str, Any]) -> Iterator[str]:
    # Written so that NaN is out of every range.
    if "max" in metadata and not number <= metadata["max"]:
        yield _range_text(kind, "less", metadata["max"])
    if "min" in metadata and not number >= metadata["min"]:
        yield _range_text(kind, "greater", metadata["min"])


def _all(shape: Any) -> str:
    """Every constraint of a list's or a map's scalars, as AWS lists them whichever was broken."""
    metadata = shape.metadata
    kind = "length" if shape.type_name in ("string", "blob") else "value"
    texts = [
        *([_range_text(kind, "less", metadata["max"])] if "max" in metadata else []),
        *([_range_text(kind, "greater", metadata["min"])] if "min" in metadata else []),
        *([_pattern_text(metadata["pattern"])] if "pattern" in metadata else []),
        *([_enum_text(shape)] if metadata.get("enum") else []),
    ]
    return f"[{', '.join(texts)}]"


def _range_text(kind: str, side: str, bound: float) -> str:
    return f"Member must have {kind} {side} than or equal to {bound}"


def _pattern_text(pattern: str) -> str:
    return f"Member must satisfy regular expression pattern: {pattern}"


def _enum_text(shape: Any) -> str:
    return f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"


def _is_scalar(shape: Any) -> bool:
    return shape.type_name not in ("structure", "list", "map")


def _render(shape: Any, value: Any) -> str:
    """A value as Java would print it, sensitive ones inside it left out."""
    if shape.metadata.get("sensitive"):
        return "***"
    match shape.type_name:
        case "structure" if not shape.is_document_type:
            items = (f"{name[:1].lower()}{name[1:]}={_render(shape.members[name], value[name])}" for name in value)
            return f"{shape.name}({', '.join(items)})"
        case "list":
            return f"[{', '.join(_render(shape.member, item) for item in value)}]"
        case "map":
            return f"{{{', '.join(f'{key}={_render(shape.value, item)}' for key, item in value.items())}}}"
        case "boolean" | "float" | "double":
            return format_scalar(shape, value)
        case "blob":
            return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"
        case _:
            return str(value)
