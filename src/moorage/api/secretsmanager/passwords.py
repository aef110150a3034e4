"""Random passwords by the rules of GetRandomPassword: every password that keeps them is as likely as any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence


class ImpossiblePassword(Exception):
    """No password keeps the rules. The message says why."""


def make_password(types: Sequence[str], length: int, *, extra: str, draw: Callable[[int], int]) -> str:
    """A password of `length` characters, at least one out of each of `types`, others out of `types` or `extra`.

    `draw(n)` answers a number below `n`, uniformly. A password that lacks a type is thrown away whole: mending it would
    make some passwords likelier than others. Raises ImpossiblePassword.
    """
    alphabet = "".join(types) + extra
    if not alphabet:
        raise ImpossiblePassword("All characters are excluded.")
    if length < len(types):
        raise ImpossiblePassword(f"Password length {length} is too short based on the required types.")
    while True:
        password = "".join([alphabet[draw(len(alphabet))] for _ in range(length)])
        if all(not set(characters).isdisjoint(password) for characters in types):
            return password
