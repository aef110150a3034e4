"""CloudWatch's filter patterns: which log lines are meant. Pure.

A pattern is terms (`ERROR -timeout`), a JSON condition (`{ $.level = "ERROR" }`) or the fields of a line
(`[ip, ..., status = 4*]`); a value may be a regular expression (`%4\\d+%`). AWS's page is *Filter pattern syntax for
metric filters, subscription filters, filter log events, and Live Tail*. Nothing here is slower than linear in the line,
whatever the pattern and the line are.
"""

from moorage.core.log_patterns.errors import InvalidPattern
from moorage.core.log_patterns.pattern import Pattern, parse_pattern

__all__ = ["InvalidPattern", "Pattern", "parse_pattern"]
