"""The regular expressions of filter patterns, between percent signs, see `regex_syntax`.

An expression is turned into states, and a line is read once from left to right, whatever the expression. `re` would
not do: on an expression and a line made for it, it holds the interpreter, and with it all of control, for hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from moorage.core.log_patterns.regex_syntax import Course, Item, read_courses

_STEPS_MAX: Final = 50_000
"""How many steps from state to state are remembered before all are forgotten."""


class State(dict[str, "State"]):
    """Where a reading can be, as a set of bits; by character, the state after it, worked out when first asked for."""

    __slots__ = ("_regex", "bits", "has_found", "has_found_at_end")

    def __init__(self, regex: Regex, bits: int, *, has_found: bool, has_found_at_end: bool) -> None:
        super().__init__()
        self._regex = regex
        self.bits = bits
        self.has_found = has_found
        self.has_found_at_end = has_found_at_end

    def __missing__(self, character: str) -> State:
        return self._regex.step(self, character)


class Regex:
    """A compiled expression. Bit n of a state: the n-th place of all courses' items, one behind the last included."""

    def __init__(self, courses: Sequence[Course]) -> None:
        self._items: list[Item | None] = []
        self._again = self._ends = self._ends_at_end = first = 0
        for course in courses:
            begin = 1 << len(self._items)
            self._items += [*course.items, None]
            last = 1 << (len(self._items) - 1)
            first |= begin
            self._again |= 0 if course.from_start else begin
            self._ends |= 0 if course.to_end else last
            self._ends_at_end |= last
        self._states: dict[int, State] = {}
        self._steps = 0
        self._start = self._state(self._closed(first))

    def is_in(self, text: str) -> bool:
        """Whether some part of `text` matches."""
        state = self._start
        if state.has_found:
            return True
        for character in text:
            state = state[character]
            if state.has_found:
                return True
        return state.has_found_at_end

    def step(self, state: State, character: str) -> State:
        """The state after `character`, which `state` remembers."""
        after = self._again
        for place in _bits(state.bits):
            item = self._items[place]
            if item is not None and character in item.characters:
                after |= 1 << (place if item.repeats else place + 1)
        self._steps += 1
        if self._steps > _STEPS_MAX:
            self._forget()
        found = state[character] = self._state(self._closed(after))
        return found

    def _closed(self, bits: int) -> int:
        """With every place that can be come to without a character. Optional items lead to higher bits only."""
        pending = bits
        while pending:
            lowest = pending & -pending
            item = self._items[lowest.bit_length() - 1]
            if item is not None and item.is_optional:
                pending |= lowest << 1
                bits |= lowest << 1
            pending ^= lowest
        return bits

    def _state(self, bits: int) -> State:
        state = self._states.get(bits)
        if state is None:
            has_found, at_end = bool(bits & self._ends), bool(bits & self._ends_at_end)
            state = self._states[bits] = State(self, bits, has_found=has_found, has_found_at_end=at_end)
        return state

    def _forget(self) -> None:
        for state in self._states.values():
            state.clear()
        self._states = {self._start.bits: self._start}
        self._steps = 0


def compile_regex(text: str, offset: int = 0) -> Regex:
    """The expression `text`, which begins at the position `offset` of its pattern. Raises InvalidPattern."""
    return Regex(read_courses(text, offset))


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
