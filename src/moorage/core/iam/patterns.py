"""IAM's patterns, with `*`, `?` and policy variables, as regular expressions for `fullmatch`.

Source: IAM user guide, "IAM JSON policy elements: Resource" and "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import re
from typing import Final

from moorage.core.iam.context import Context

_TOKEN = re.compile(r"\$\{(?P<variable>[^}]*)\}|(?P<wildcard>[*?])|(?P<literal>[^*?$]+|\$)", re.DOTALL)
_DEFAULT = re.compile(r"(?P<key>[^,]*?)\s*,\s*'(?P<value>[^']*)'", re.DOTALL)
_ESCAPED: Final = frozenset({"*", "?", "$"})
"""`${*}` is a star that is meant as one."""


class Unresolved(Exception):
    """A policy variable has no single value. `is_known`: because the request does not have the key."""

    def __init__(self, key: str, *, is_known: bool) -> None:
        super().__init__(key)
        self.is_known = is_known


def expression(pattern: str, context: Context) -> str:
    """The regular expression of `pattern`, its variables filled in from `context`. Raises Unresolved.

    What stands between two stars is looked for once, where it first occurs, and never again further on: that finds
    every match there is, in a time that no pattern can blow up.
    """
    chunks = [""]
    for token in _TOKEN.finditer(pattern):
        if token["wildcard"] == "*":
            chunks.append("")
        elif token["wildcard"] == "?":
            chunks[-1] += "."
        else:
            chunks[-1] += re.escape(_value_of(token["variable"], context) if token["literal"] is None else token[0])
    if len(chunks) == 1:
        return chunks[0]
    first, *middle, last = chunks
    return first + "".join(f"(?>.*?{chunk})" for chunk in middle if chunk) + ".*" + last


def is_match(regular: str, text: str) -> bool:
    """Whether the whole of `text` matches."""
    return re.fullmatch(regular, text, re.DOTALL) is not None


def without_variables(pattern: str) -> str:
    """The pattern that takes `${` for what it is, as policies of version 2008-10-17 do."""
    return pattern.replace("${", "${$}{")


def _value_of(variable: str, context: Context) -> str:
    if variable in _ESCAPED:
        return variable
    with_default = _DEFAULT.fullmatch(variable)
    key = with_default["key"] if with_default else variable
    values = context.get(key.strip().lower())
    if values is not None and len(values) == 1:
        return values[0]
    if with_default and values == ():
        return with_default["value"]
    raise Unresolved(key, is_known=values is not None)
