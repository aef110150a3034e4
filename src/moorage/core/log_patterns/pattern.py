"""What a filter pattern can be asked, and which of the three kinds a text is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from moorage.core.log_patterns.json_lines import parse_json_pattern
from moorage.core.log_patterns.scanner import Scanner
from moorage.core.log_patterns.spaced_lines import parse_spaced_pattern
from moorage.core.log_patterns.terms import parse_terms


class Pattern(Protocol):
    """A filter pattern."""

    def matches(self, message: str) -> bool:
        """Whether a line is meant."""
        ...

    def values(self, message: str) -> Mapping[str, str]:
        """What the pattern names in a line that it matches, as TestMetricFilter shows it: `$status`, `$.latency`."""
        ...

    def names(self, selector: str) -> bool:
        """Whether a selector such as `$status` or `$.latency` is one that it may find something by."""
        ...

    def value(self, message: str, selector: str) -> str | None:
        """What a selector stands for in a line that the pattern matches."""
        ...


def parse_pattern(text: str) -> Pattern:
    """The pattern that `text` stands for; an empty one matches every line. Raises InvalidPattern."""
    scanner = Scanner(text)
    match scanner.peek():
        case "{":
            return parse_json_pattern(scanner)
        case "[":
            return parse_spaced_pattern(scanner)
        case _:
            return parse_terms(scanner)
