"""Filter patterns: which lines they mean, what they name in them, and what is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moorage.core.log_patterns import InvalidPattern, parse_pattern
from moorage.core.log_patterns import regex as regex_module
from moorage.core.log_patterns.regex import compile_regex
from moorage.core.log_patterns.spaced_lines import split_fields

ACCESS = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 404 1534'
EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "user": {"id": 1, "e-mail": "John.Doe@example.com", "a.b": "dotted"},
        "SomeObject": None,
        "ThisFlag": True,
        "latency": 99.5,
        "code": "404",
        "huge": 123456789012345678901234567890,
    }
)


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("", "anything", True),
        ("ERROR", "[ERROR 400] BAD REQUEST", True),
        ("ERROR", "error", False),
        ("ERROR ARGUMENTS", "ERROR: MISSING ARGUMENTS", True),
        ("ERROR ARGUMENTS", "ERROR", False),
        ("?ERROR ?ARGUMENTS", "ARGUMENTS", True),
        ("?ERROR ?ARGUMENTS", "WARN", False),
        ('"INTERNAL SERVER ERROR"', "[500] INTERNAL SERVER ERROR", True),
        ('"INTERNAL SERVER ERROR"', "INTERNAL ERROR", False),
        ("ERROR -ARGUMENTS", "ERROR 401", True),
        ("ERROR -ARGUMENTS", "ERROR ARGUMENTS", False),
        ('ERROR -"NO ARGUMENTS"', "ERROR NO ARGUMENTS", False),
        ("%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", True),
        ("%ERR|WARN% -%4\\d\\d%", "ERROR 500", True),
        ("%ERR|WARN% -%4\\d\\d%", "ERROR 401", False),
    ],
)
def test_terms(pattern: str, message: str, expected: bool) -> None:
    assert expected == parse_pattern(pattern).matches(message)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", True),
        ("[ip, user, username, timestamp, request, status_code]", False),
        ("[a, b, c, d, e, f, g, h]", False),
        ("[...]", True),
        ("[ip, ..., bytes]", True),
        ("[ip, user, username, timestamp, request = *.gif*, status_code = 4*, bytes > 1000]", True),
        ("[ip, user, username, timestamp, request = *.html*, status_code = 4*, bytes]", False),
        ("[..., status_code = 404 || status_code = 410, bytes]", True),
        ("[..., status_code=4* && status_code!=404, bytes]", False),
        ("[..., (status_code >= 400 && status_code < 500) || status_code = OK, bytes <= 1.534e3]", True),
        ("[ip=%127\\.0\\.0\\.[1-9]%, ...]", True),
        ("[ip!=%127\\.0\\.0\\.[1-9]%, ...]", False),
        ('[ip, user, username = "frank", ...]', True),
        ('[ip, user, username = "fran", ...]', False),
        ("[..., request = GET*, status, bytes]", True),
        ("[ip > 1, ...]", False),
        ("[..., request=*.gif*, status_code=4*,]", True),
        ("[, user, , , request, , bytes = 1534]", True),
        ("[, user, , , request, bytes = 1534]", False),
    ],
)
def test_fields(pattern: str, expected: bool) -> None:
    assert expected == parse_pattern(pattern).matches(ACCESS)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('$.eventType = "UpdateTrail"', True),
        ('$.eventType = "updatetrail"', False),
        ("$.eventType = Update*", True),
        ('$.eventType = "*date*"', True),
        ("$.eventType != Update*", False),
        ("$.sourceIPAddress != 123.123.*", True),
        ("$.eventType = %Trail$|Recon%", True),
        ('$.arrayKey[0] = "value"', True),
        ('$.arrayKey[1] = "value"', False),
        ('$.arrayKey[7] = "value"', False),
        ('$.arrayKey[*] = "another value"', True),
        ("$.objectList[*].id = 2", True),
        ("$.objectList[*].id > 2", False),
        ("$.user.id = 1", True),
        ("$.user.id = 1.0", True),
        ("$.user['e-mail'] = *@example.com", True),
        ('$.user["a.b"] = dotted', True),
        ("$.user.a.b NOT EXISTS", True),
        ("$.latency > 99 && $.latency <= 99.5", True),
        ("$.latency < 99 || $.latency >= 1e2", False),
        ("$.code = 404", True),
        ("$.code > 403", True),
        ("$.eventType > 1", False),
        ("$.huge > 1e29", True),
        ("$.SomeObject IS NULL", True),
        ("$.SomeObject NOT EXISTS", False),
        ("$.SomeObject = *", False),
        ("$.Other IS NULL", False),
        ("$.Other NOT EXISTS", True),
        ("$.Other != x", False),
        ("$.user = *", False),  # what is no single value is not compared
        ("$.arrayKey != 1", False),
        ("$.objectList[0] = *", False),
        ("$.arrayKey NOT EXISTS", False),
        ("$.user.['a.b'] = dotted", True),
        ('$.["user"].["a.b"] = dotted', True),
        ("$.ThisFlag IS TRUE", True),
        ("$.ThisFlag IS FALSE", False),
        ("$.ThisFlag = true", True),
        ('($.user.id = 2 || $.eventType = "UpdateTrail") && ($.latency > 1)', True),
        ('$.user.id = 1 || $.user.id = 2 && $.eventType = "x"', True),
    ],
)
def test_json(condition: str, expected: bool) -> None:
    assert expected == parse_pattern(f"{{ {condition} }}").matches(EVENT)


@pytest.mark.parametrize("message", ["no JSON", "", "[1]", '"text"', "{", "[" * 100_000, '{"a": NaN}'])
def test_what_is_no_json_object_never_matches(message: str) -> None:
    assert not parse_pattern("{ $.a NOT EXISTS }").matches(message)


def test_what_a_pattern_names() -> None:
    fields = parse_pattern("[ip, identity, user_id, timestamp, request, status, size]").values(ACCESS)
    assert {
        "$ip": "127.0.0.1",
        "$identity": "-",
        "$user_id": "frank",
        "$timestamp": "10/Oct/2000:13:25:15 -0700",
        "$request": "GET /apache_pb.gif HTTP/1.0",
        "$status": "404",
        "$size": "1534",
    } == fields
    some = parse_pattern("[ip, ..., size]")
    assert {"$ip", "$2", "$3", "$4", "$5", "$6", "$size"} == some.values(ACCESS).keys()
    assert "1534" == some.value(ACCESS, "$size")
    unnamed = parse_pattern("[..., request, status,]")  # the guide's example
    assert {"$1", "$2", "$3", "$4", "$request", "$status", "$7"} == unnamed.values(ACCESS).keys()
    assert [True, False] == [unnamed.names("$status"), unnamed.names("$")]
    found = parse_pattern("{ $.latency > 1 && $.arrayKey[*] = value && $.Other NOT EXISTS }")
    assert {"$.latency": "99.5", "$.arrayKey[*]": "value"} == found.values(EVENT)
    assert "1" == found.value(EVENT, "$.user.id")
    for selector in ("$.SomeObject", "$.gone", "1", "$.user", "$.arrayKey"):
        assert found.value(EVENT, selector) is None
    assert {} == parse_pattern("ERROR").values("ERROR")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('a "b c" [d e]  f', ["a", "b c", "d e", "f"]),
        ('"a b c', ['"a', "b", "c"]),
        ("[a b] ] [c", ["a b", "]", "[c"]),
        ("", []),
    ],
)
def test_the_fields_of_a_line(message: str, expected: list[str]) -> None:
    assert expected == split_fields(message)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ('a "b', "the quoted phrase has no end at character 3"),
        ("%a", "the regular expression has no closing '%' at character 1"),
        ("%a% %b% %c%", "more than 2 regular expressions at character 9"),
        ("%%", "an empty regular expression at character 2"),
        ("%a(b)%", "'(', which is not supported in a regular expression, at character 3"),
        ("%héh%", "'é', which is not supported in a regular expression, at character 3"),
        ("%a$b%", "'$' is only supported at the end of a regular expression at character 4"),
        ("%*a%", "nothing for '*' to apply to at character 2"),
        ("%a{3,2}%", "a quantifier whose maximum is below its minimum at character 3"),
        ("%[z-a]%", "a range in brackets that has no order at character 6"),
        ("%[a%", "a regular expression that is cut off at character 4"),
        (r"%\b%", r"the unsupported escape '\b' at character 3"),
        ("%" + "a{200}" * 3 + "%", "a regular expression that is too long at character 20"),
        ("{ $.a }", "expected one of = != < > <= >= at character 7"),
        ("{ a = 1 }", "expected a property such as $.name at character 3"),
        ("{ $.a > x }", "expected a number at character 10"),
        ("{ $.a = }", "expected a value at character 9"),
        ("{ ($.a = 1 }", "expected ')' at character 12"),
        ("{ $.a = 1 } x", "something behind the last brace at character 13"),
        ("{ " + "(" * 51 + "$.a = 1", "too many parentheses at character 54"),
        ("[a, b", "expected ']' at character 6"),
        ("[]", "expected the name of a field at character 2"),
        ("[a, = 1, b]", "expected the name of a field at character 5"),
        ("[..., a, ...]", "a second '...' at character 10"),
        ("[a = 1 || b = 2]", "conditions on two fields in the place of one at character 12"),
        ("[a] x", "something behind the last bracket at character 5"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(pattern: str, message: str) -> None:
    with pytest.raises(InvalidPattern) as caught:
        parse_pattern(pattern)
    assert f"Invalid filter pattern: {message}." == str(caught.value)


ATOM = st.sampled_from(["a", "b", ".", r"\d", r"\W", "[ab]", "[^a]", "[a-c_]", r"\.", r"\x61", "1"])
QUANTIFIER = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,}", "{0,2}", "{2,3}"])
COURSE = st.lists(st.tuples(ATOM, QUANTIFIER).map("".join), max_size=5).map("".join)
EXPRESSION = st.lists(
    st.tuples(st.sampled_from(["", "", "^"]), COURSE, st.sampled_from(["", "", "$"])).map("".join),
    min_size=1,
    max_size=3,
).map("|".join)


@given(expression=EXPRESSION.filter(bool), text=st.text(alphabet="ab1._é", max_size=12))
def test_regular_expressions_mean_what_python_takes_them_for(expression: str, text: str) -> None:
    oracle = re.compile(expression.replace("$", r"\Z"), re.ASCII | re.DOTALL)
    assert (oracle.search(text) is not None) == compile_regex(expression).is_in(text)


def test_states_that_are_forgotten_are_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regex_module, "_STEPS_MAX", 3)
    regex = compile_regex("a[ab]{3}c")
    assert [True, False, True] == [regex.is_in(text) for text in ("aababbac", "abbbbbbc", "é" * 9 + "abbbc")]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("%a*a*a*a*a*a*b%", "a" * 60_000),
        ("%.*.*.*=.*%", "x" * 60_000),
        ("[..., x = *a*a*a*b]", "a" * 60_000),
        ("[a, ...]", "[ " * 30_000),
        ("[a, b]", '" ' * 30_001),
        ("{ $.a = *a*a*b }", json.dumps({"a": "a" * 60_000})),
    ],
)
def test_a_line_made_to_take_long_does_not(pattern: str, message: str) -> None:
    """By backtracking, each of them would take minutes at least."""
    matched: Any = parse_pattern(pattern).matches(message)
    assert isinstance(matched, bool)
