"""Search expressions: which metrics a SEARCH in metric maths means. Pure.

    {AWS/SageMaker,EndpointName,VariantName} MetricName="Invocations" NOT EndpointName=test

Names are cut into tokens where letters turn into digits, at capitals and at anything else than letters and digits. A
term without quotation marks matches a token, or several in a row; one in quotation marks matches a whole name. Source:
"CloudWatch search expression syntax" in the user guide.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from moorage.core.metrics.maths.errors import ExpressionError
from moorage.core.metrics.metric import MetricKey

Matches = Callable[[MetricKey], bool]

SEARCH_LENGTH_MAX: Final = 1024
_NESTING_MAX: Final = 50

_SCHEMA: Final = re.compile(r"\s*\{([^}]*)\}\s*,?")
_SCHEMA_NAME: Final = re.compile(r'\s*(?:"([^"]+)"|([^",]*[^",\s]))\s*(?:,|$)')
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_BARE: Final = r'[^\s"()=]+'
_TERM: Final = re.compile(
    rf"\s*(?:(?P<parenthesis>[()])|(?:(?P<property>{_QUOTED}|{_BARE})\s*=\s*)?(?P<value>{_QUOTED}|{_BARE}))"
)
_TOKEN: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Search:
    """A search. Two are the same if they are written the same."""

    text: str
    namespace: str | None = field(compare=False)
    dimensions: frozenset[str] | None = field(compare=False)
    """The dimensions that a metric has to have, and no others; None for any."""
    terms: int = field(compare=False)
    """How many terms it may take to tell whether a metric is meant."""
    _meets_terms: Matches = field(compare=False, repr=False)

    def matches(self, key: MetricKey) -> bool:
        """Whether a metric is meant."""
        if self.namespace is not None and key.namespace != self.namespace:
            return False
        if self.dimensions is not None and self.dimensions != {name for name, _ in key.dimensions}:
            return False
        return self._meets_terms(key)


@functools.lru_cache(maxsize=256)
def parse_search(text: str) -> Search:
    """The search that is written so. Raises ExpressionError."""
    if len(text) > SEARCH_LENGTH_MAX:
        raise ExpressionError(f"A search can have {SEARCH_LENGTH_MAX} characters at most")
    namespace, dimensions, at = _schema(text)
    terms = list(_terms(text, at))
    if namespace is None and not terms:
        raise ExpressionError("A search needs a metric schema or a search term")
    return Search(text, namespace, dimensions, len(terms), _Terms(terms).parse())


def _schema(text: str) -> tuple[str | None, frozenset[str] | None, int]:
    """Namespace, dimensions, and where the terms begin."""
    schema = _SCHEMA.match(text)
    if schema is None:
        return None, None, 0
    names: list[str] = []
    at = 0
    while at < len(schema[1]) or not names:
        found = _SCHEMA_NAME.match(schema[1], at)
        if found is None:
            raise ExpressionError(f"Invalid metric schema {{{schema[1]}}} in a search")
        names.append(found[1] or found[2])
        at = found.end()
    return names[0], frozenset(names[1:]) or None, schema.end()


class _Term(NamedTuple):
    """Parenthesis, operator or term: all that it can be is in one, and what it is not is empty."""

    word: str
    about: str
    value: str


def _terms(text: str, at: int) -> Iterator[_Term]:
    end = len(text.rstrip())
    while at < end:
        found = _TERM.match(text, at)
        if found is None:
            raise ExpressionError(f"Invalid syntax in a search at {text[at : at + 10].strip()!r}")
        value, about = found["value"] or "", _unquoted(found["property"] or "")
        is_word = not about and value in {"AND", "OR", "NOT"}
        yield _Term(found["parenthesis"] or (value if is_word else ""), about, value)
        at = found.end()


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


class _Terms:
    """Reads terms in order of precedence: OR, AND (which need not be written), NOT, parentheses."""

    def __init__(self, terms: Sequence[_Term]) -> None:
        self._terms = terms
        self._at = 0
        self._nesting = 0

    def parse(self) -> Matches:
        if not self._terms:
            return lambda _: True
        matches = self._any()
        if self._at < len(self._terms):
            raise ExpressionError("Unbalanced parentheses in a search")
        return matches

    def _next_is(self, *words: str) -> bool:
        return self._at < len(self._terms) and self._terms[self._at].word in words

    def _any(self) -> Matches:
        choices = [self._all()]
        while self._next_is("OR"):
            self._at += 1
            choices.append(self._all())
        return choices[0] if len(choices) == 1 else lambda key: any(choice(key) for choice in choices)

    def _all(self) -> Matches:
        parts = [self._one()]
        while self._at < len(self._terms) and not self._next_is("OR", ")"):
            self._at += self._next_is("AND")
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda key: all(part(key) for part in parts)

    def _one(self) -> Matches:
        if self._at == len(self._terms):
            raise ExpressionError("A search ends where a term is expected")
        word, about, value = self._terms[self._at]
        self._at += 1
        if not word:
            return _matching(about, value)
        if word in {"AND", "OR", ")"}:
            raise ExpressionError(f"Invalid syntax in a search: {word} where a term is expected")
        self._nesting += 1
        if self._nesting > _NESTING_MAX:
            raise ExpressionError("A search is nested too deeply")
        matches = self._negated() if word == "NOT" else self._grouped()
        self._nesting -= 1
        return matches

    def _negated(self) -> Matches:
        matches = self._one()
        return lambda key: not matches(key)

    def _grouped(self) -> Matches:
        matches = self._any()
        if not self._next_is(")"):
            raise ExpressionError("Unbalanced parentheses in a search")
        self._at += 1
        return matches


def _matching(about: str, value: str) -> Matches:
    if value.startswith('"'):
        whole = _unquoted(value)
        return lambda key: whole in _names(key, about)
    wanted = _tokens_of(value)
    if not wanted.each:
        raise ExpressionError(f"The search term {value!r} has neither letters nor digits")
    return lambda key: any(_has(_tokens_of(name), wanted) for name in _names(key, about))


def _names(key: MetricKey, about: str) -> Sequence[str]:
    """The names of a metric that a term can be about."""
    match about:
        case "":
            return [key.namespace, key.name, *(part for dimension in key.dimensions for part in dimension)]
        case "MetricName":
            return [key.name]
        case "Namespace":
            return [key.namespace]
        case _:
            return [value for name, value in key.dimensions if name == about]


class _Tokens(NamedTuple):
    """The tokens of a name, and all of them as one."""

    each: tuple[str, ...]
    together: str


@functools.lru_cache(maxsize=16_384)
def _tokens_of(name: str) -> _Tokens:
    """
    >>> _tokens_of("SDBFailure-2trial").each
    ('sdb', 'failure', '2', 'trial')
    """
    each = tuple(token.lower() for token in _TOKEN.findall(name))
    return _Tokens(each, "".join(each))


def _has(name: _Tokens, wanted: _Tokens) -> bool:
    if name.together == wanted.together:
        return True
    each, count = name.each, len(wanted.each)
    return any(each[at : at + count] == wanted.each for at in range(len(each) - count + 1))
