"""XML by shape, both ways: what the query protocol answers with, and REST-XML's bodies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from moorage.aws.scalars import format_scalar, parse_scalar

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'

_ENTITIES: Final = {"\r": "&#13;"}
"""A parser takes a bare carriage return for a line feed."""
_UNSPEAKABLE: Final = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""What XML 1.0 has no way to say, not even escaped."""
_PLAIN: Final = re.compile(r"[\w /.:+-]*", re.ASCII)
"""Most of what is ever written: spares it three passes of escaping."""


class _NoDoctype(ElementTree.TreeBuilder):
    """Refuses document types: nothing in AWS's protocols has one, and entities that explode are declared there."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ValueError("document types are not allowed")


def parse(body: bytes) -> ElementTree.Element:
    """The root element. Raises ValueError for what is not well-formed or has a document type."""
    try:
        return ElementTree.fromstring(body, parser=ElementTree.XMLParser(target=_NoDoctype()))
    except (ElementTree.ParseError, LookupError) as error:
        raise ValueError(str(error)) from None


def element(name: str, content: str, attributes: Mapping[str, str] | None = None) -> str:
    """An element around content that is XML already."""
    if not attributes:
        return f"<{name}>{content}</{name}>"
    written = "".join(f" {key}={quoteattr(value, _ENTITIES)}" for key, value in attributes.items())
    return f"<{name}{written}>{content}</{name}>"


def text(value: str) -> str:
    """Text as an element's content. A character that XML cannot say becomes U+FFFD."""
    if _PLAIN.fullmatch(value):
        return value
    return escape(_UNSPEAKABLE.sub("\N{REPLACEMENT CHARACTER}", value), _ENTITIES)


def write(shape: Any, value: Any, name: str) -> str:
    """The element, or for a flattened list or map the elements, that say `value`."""
    match shape.type_name:
        case "structure":
            return element(name, write_members(shape, value), {**_namespace(shape), **_attributes(shape, value)})
        case "list":
            return _write_list(shape, value, name)
        case "map":
            return _write_map(shape, value, name)
        case _:
            return element(name, text(format_scalar(shape, value)), _namespace(shape))


def write_members(shape: Any, value: Mapping[str, Any]) -> str:
    """The elements of a structure's members, those that go elsewhere (header, attribute, …) left out."""
    parts = []
    for name, item in value.items():
        member = shape.members[name]
        traits = member.serialization
        if item is not None and not traits.get("xmlAttribute") and "location" not in traits:
            parts.append(write(member, item, traits.get("name", name)))
    return "".join(parts)


def read(shape: Any, node: ElementTree.Element) -> Any:
    """The value an element says. Raises ValueError."""
    match shape.type_name:
        case "structure":
            return read_members(shape, node)
        case "list":
            name = shape.member.serialization.get("name", "member")
            return [read(shape.member, item) for item in node if local_name(item.tag) == name]
        case "map":
            return dict(_read_entry(shape, entry) for entry in node)
        case _:
            return parse_scalar(shape, node.text or "")


def read_members(shape: Any, node: ElementTree.Element) -> dict[str, Any]:
    """A structure's members, from an element's children and attributes. Raises ValueError."""
    children: dict[str, list[ElementTree.Element]] = {}
    for child in node:
        children.setdefault(local_name(child.tag), []).append(child)
    attributes = {local_name(key): value for key, value in node.attrib.items()}
    members = {}
    for name, member in shape.members.items():
        traits = member.serialization
        wire_name = traits.get("name", name)
        if "location" in traits:
            continue
        if traits.get("xmlAttribute"):
            if (found := attributes.get(wire_name.rpartition(":")[2])) is not None:
                members[name] = found
        elif nodes := children.get(_flat_name(member, wire_name)):
            members[name] = _read_flat(member, nodes) if traits.get("flattened") else read(member, nodes[0])
    return members


def local_name(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]


def _flat_name(shape: Any, name: str) -> str:
    """What a member's elements are called: items of a flattened list may have a name of their own."""
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        return str(shape.member.serialization.get("name", name))
    return name


def _read_flat(shape: Any, nodes: list[ElementTree.Element]) -> Any:
    if shape.type_name == "list":
        return [read(shape.member, node) for node in nodes]
    return dict(_read_entry(shape, node) for node in nodes)


def _read_entry(shape: Any, node: ElementTree.Element) -> tuple[str, Any]:
    found = {local_name(child.tag): child for child in node}
    key = found.get(shape.key.serialization.get("name", "key"))
    value = found.get(shape.value.serialization.get("name", "value"))
    if key is None or value is None:
        raise ValueError("a map's entry lacks its key or its value")
    return read(shape.key, key), read(shape.value, value)


def _write_list(shape: Any, value: Any, name: str) -> str:
    if shape.serialization.get("flattened"):
        item_name = shape.member.serialization.get("name", name)
        return "".join(write(shape.member, item, item_name) for item in value)
    item_name = shape.member.serialization.get("name", "member")
    return element(name, "".join(write(shape.member, item, item_name) for item in value), _namespace(shape))


def _write_map(shape: Any, value: Mapping[str, Any], name: str) -> str:
    if shape.serialization.get("flattened"):
        return "".join(element(name, pair) for pair in _pairs(shape, value))
    return element(name, "".join(element("entry", pair) for pair in _pairs(shape, value)), _namespace(shape))


def _pairs(shape: Any, value: Mapping[str, Any]) -> Iterator[str]:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    for key, item in value.items():
        yield write(shape.key, key, key_name) + write(shape.value, item, value_name)


def _namespace(shape: Any) -> dict[str, str]:
    namespace = shape.serialization.get("xmlNamespace")
    if not namespace:
        return {}
    prefix = namespace.get("prefix")
    return {f"xmlns:{prefix}" if prefix else "xmlns": namespace["uri"]}


def _attributes(shape: Any, value: Mapping[str, Any]) -> dict[str, str]:
    return {
        member.serialization["name"]: value[name]
        for name, member in shape.members.items()
        if member.serialization.get("xmlAttribute") and value.get(name) is not None
    }
