"""Programs of the kernel's classic packet filter, which seccomp's filters are: written with labels, made into bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_LOAD_WORD: Final = 0x20
_RETURN: Final = 0x06
_JUMPS: Final = {"equal": 0x15, "at least": 0x35, "any bit of": 0x45}
_INSTRUCTION: Final = struct.Struct("=HBBI")


@dataclass(frozen=True, slots=True)
class Load:
    """Take the 32-bit word at an offset of the filter's data."""

    offset: int


@dataclass(frozen=True, slots=True)
class If:
    """Go to the label if the word taken compares so with the value (`equal`, `at least`, `any bit of`); else go on."""

    comparison: str
    value: int
    label: str


@dataclass(frozen=True, slots=True)
class Unless:
    """Go to the label if the word taken is not equal to the value; else go on."""

    value: int
    label: str


@dataclass(frozen=True, slots=True)
class Label:
    """A place to go to, further down."""

    name: str


@dataclass(frozen=True, slots=True)
class Return:
    """End with a verdict."""

    verdict: int


Step = Load | If | Unless | Label | Return


def assemble(steps: list[Step]) -> bytes:
    """The program. Raises KeyError for a label that does not exist, struct.error for one that is too far or above."""
    places: dict[str, int] = {}
    count = 0
    for step in steps:
        if isinstance(step, Label):
            places[step.name] = count
        else:
            count += 1
    real = [step for step in steps if not isinstance(step, Label)]
    return b"".join(_encode(step, index + 1, places) for index, step in enumerate(real))


def _encode(step: Load | If | Unless | Return, following: int, places: dict[str, int]) -> bytes:
    if isinstance(step, Load):
        return _INSTRUCTION.pack(_LOAD_WORD, 0, 0, step.offset)
    if isinstance(step, If):
        return _INSTRUCTION.pack(_JUMPS[step.comparison], places[step.label] - following, 0, step.value)
    if isinstance(step, Unless):
        return _INSTRUCTION.pack(_JUMPS["equal"], 0, places[step.label] - following, step.value)
    return _INSTRUCTION.pack(_RETURN, 0, 0, step.verdict)
