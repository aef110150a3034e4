"""GetRandomPassword with all its options."""

from __future__ import annotations

import string
from collections import Counter

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from moorage.api.secretsmanager.passwords import make_password
from moorage.api.secretsmanager.service import SecretsManager
from moorage.api.server import Api
from moorage.system.clock import SystemClock
from moorage.testing.asgi_client import InProcess, root_key_ring


@pytest.fixture(scope="module")
def client():
    with InProcess(Api([SecretsManager()], root_key_ring, clock=SystemClock())) as aws:
        yield aws.client("secretsmanager")


def password(client, **options) -> str:
    return client.get_random_password(**options)["RandomPassword"]


TYPES = {
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}


def test_by_default_it_has_32_characters_of_every_type_and_no_space(client) -> None:
    made = password(client)
    assert 32 == len(made)
    assert all(set(characters) & set(made) for characters in TYPES.values())
    assert " " not in made


@given(
    st.sets(st.sampled_from(sorted(TYPES)), max_size=3),
    st.text("abcABC123!? ", max_size=6),
    st.booleans(),
    st.integers(4, 64),
)
def test_what_is_excluded_does_not_occur_and_each_type_left_does(client, exclude, characters, space, length) -> None:
    options = dict.fromkeys(exclude, True)
    made = password(client, PasswordLength=length, ExcludeCharacters=characters, IncludeSpace=space, **options)
    allowed = [set(group) - set(characters) for name, group in TYPES.items() if name not in exclude]
    assert length == len(made)
    assert set(made) <= set().union(*allowed) | ({" "} - set(characters) if space else set())
    assert all(group & set(made) for group in allowed)


@pytest.mark.parametrize("length", [1, 4096])
def test_the_extremes_of_length(client, length: int) -> None:
    assert length == len(password(client, PasswordLength=length, RequireEachIncludedType=False))


def test_one_letter_types_are_found_in_time(client) -> None:
    others = (string.ascii_letters + string.digits + string.punctuation).translate({ord(c): None for c in "aB3!"})
    assert set("aB3!") == set(password(client, PasswordLength=4, ExcludeCharacters=others))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"PasswordLength": 3}, "Password length 3 is too short based on the required types."),
        (dict.fromkeys(TYPES, True), "All characters are excluded."),
    ],
)
def test_impossible_passwords_are_refused(client, options, message) -> None:
    with pytest.raises(ClientError) as caught:
        client.get_random_password(**options)
    assert ("InvalidParameterException", message) == (
        caught.value.response["Error"]["Code"],
        caught.value.response["Error"]["Message"],
    )


def test_every_password_that_keeps_the_rules_is_as_likely() -> None:
    """Counted out: with every draw of two numbers once, each of the passwords comes up once."""
    draws = iter(number for first in range(3) for second in range(3) for number in (first, second))
    made = Counter(make_password(["a", "b"], 2, extra=" ", draw=lambda _: next(draws)) for _ in range(2))
    assert {"ab": 1, "ba": 1} == made
