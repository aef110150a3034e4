"""Java's patterns, matched by Python: the same answers, and never for long."""

import signal
import warnings
from collections.abc import Callable, Iterator

import pytest

from moorage.aws import services
from moorage.aws.patterns import matches


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"[a-z]+", "abc", True),
        (r"[a-z]+", "abc\n", False),
        (r"[a-z]", "abc", False),
        (r"\d+", "٣", False),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "Straße 5/ключ", True),
        (r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*", "a;b", False),
        (r"[\p{L}]+", "a1", False),
        (r"[\p{P}]+", "—!", True),
        (r"\p{ASCII}*", "caf\u00e9", False),
        (r"\A\S[\p{Print}]*\z", "model.tar.gz", True),
        (r"\A\S[\p{Print}]*\z", " model", False),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*", "😀 ok\t", True),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*", "\x00", False),
        (r"[\w-_]*", "a-b_c", True),
        (r"([\p{L}]*)${1,128}", "no Python pattern is not enforced", True),
    ],
)
def test_patterns_match_as_java_would(pattern: str, text: str, expected: bool) -> None:
    assert expected == matches(pattern, text)


def _models_patterns() -> dict[str, int]:
    found: dict[str, int] = {}
    for name in services.NAMES:
        service = services.service(name)
        for shape_name in service.shape_names:
            metadata = service.shape_for(shape_name).metadata
            if "pattern" in metadata:
                found[metadata["pattern"]] = max(metadata.get("max", 2048), found.get(metadata["pattern"], 0))
    return found


@pytest.fixture
def alarm() -> Iterator[Callable[[float], object]]:
    """Sets the time of the processor's in which the next thing must be done. The matcher itself looks for signals."""

    def ring(number: int, frame: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, ring)
    yield lambda seconds: signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


def test_no_enforced_pattern_takes_long_over_a_hostile_text(alarm: Callable[[float], object]) -> None:
    for pattern, longest in _models_patterns().items():
        for piece in ("a", "-", "a-", "/a", "a.", " ", "arn:aws:"):
            for start in ("", "https://"):
                alarm(2.0)
                matches(pattern, start + (piece * 2048)[: min(longest, 2048)] + "\x00")


def test_no_pattern_of_the_models_makes_python_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for pattern in _models_patterns():
            matches(pattern, "x")
