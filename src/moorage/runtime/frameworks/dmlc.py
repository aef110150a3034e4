"""What XGBoost and treelite say of an error, without what their C++ puts around it."""

from __future__ import annotations

import re
from typing import Final

from moorage.runtime.failures import say

_WHERE: Final = re.compile(r"\[[\d:]+\] \S+:\d+: (?:Check failed: )?")


def explain(error: BaseException) -> str:
    """The sentence alone: no time, no line of the library's source, no stack. Of other errors, all they say."""
    text = say(error)
    if not _WHERE.search(text):
        return text
    first, _, _ = text.partition("\n")
    return _WHERE.sub("", first).rstrip(": ")
