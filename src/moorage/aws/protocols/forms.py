"""The tree hidden in a form's dotted names (`Tags.member.1.Key=a`), read into parameters by shape."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from moorage.aws.errors import ServiceError
from moorage.aws.scalars import parse_scalar


@dataclass(slots=True)
class Node:
    """A dotted name's part: the text given for it, and the parts that follow it."""

    text: str | None = None
    children: dict[str, Node] = field(default_factory=dict)

    def items(self) -> list[Node]:
        """The children with numbers for names, in the order of the numbers."""
        numbered = [(int(name), node) for name, node in self.children.items() if name.isascii() and name.isdecimal()]
        return [node for _, node in sorted(numbered, key=lambda pair: pair[0])]


def tree(pairs: Iterable[tuple[str, str]]) -> Node:
    """The tree of a form's fields; of two fields with one name the later counts."""
    root = Node()
    for name, text in pairs:
        node = root
        for part in name.split("."):
            node = node.children.setdefault(part, Node())
        node.text = text
    return root


def read_structure(shape: Any, node: Node) -> dict[str, Any]:
    """The members found below `node`. Raises ServiceError MalformedInput."""
    params = {}
    for name, member in shape.members.items():
        found = _locate(member, node, member.serialization.get("name", name))
        if found is not None:
            params[name] = _read(member, found)
    return params


def _locate(member: Any, node: Node, name: str) -> Node | None:
    """Where a member stands: a flattened list goes by the name of its items, when they have one."""
    if member.type_name == "list" and member.serialization.get("flattened"):
        return node.children.get(member.member.serialization.get("name", name)) or node.children.get(name)
    return node.children.get(name)


def _read(shape: Any, node: Node) -> Any:
    match shape.type_name:
        case "structure":
            return read_structure(shape, node)
        case "list":
            return [_read(shape.member, item) for item in _items(shape, node)]
        case "map":
            return dict(_entry(shape, entry) for entry in _entries(shape, node))
        case _:
            return _read_scalar(shape, node)


def _items(shape: Any, node: Node) -> list[Node]:
    if shape.serialization.get("flattened"):
        return node.items()
    inner = node.children.get(shape.member.serialization.get("name", "member"))
    return inner.items() if inner else []


def _entries(shape: Any, node: Node) -> list[Node]:
    inner = node if shape.serialization.get("flattened") else node.children.get("entry")
    return inner.items() if inner else []


def _entry(shape: Any, node: Node) -> tuple[str, Any]:
    key = node.children.get(shape.key.serialization.get("name", "key"))
    value = node.children.get(shape.value.serialization.get("name", "value"))
    if key is None or value is None:
        raise ServiceError("MalformedInput", "A map's entry lacks its key or its value.", status=400)
    return _read_scalar(shape.key, key), _read(shape.value, value)


def _read_scalar(shape: Any, node: Node) -> Any:
    if node.text is None:
        raise ServiceError("MalformedInput", "Start of structure or map found where not expected.", status=400)
    try:
        return parse_scalar(shape, node.text)
    except ValueError as error:
        raise ServiceError("MalformedInput", f"The value '{node.text[:64]}' is {error}.", status=400) from None
