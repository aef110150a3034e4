"""What goes wrong with a pattern."""

from __future__ import annotations


class InvalidPattern(ValueError):
    """The text is no filter pattern. The message is the sentence that says what is wrong, and at which character."""

    def __init__(self, what: str, *, at: int) -> None:
        super().__init__(f"Invalid filter pattern: {what} at character {at + 1}.")
