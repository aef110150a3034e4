import pytest

from moorage.core.model_cache import ModelCache, read_model_cache, violation

GIB = 1 << 30


@pytest.mark.parametrize(
    ("expected", "environment"),
    [
        (ModelCache(8 * GIB * 4 // 5), {}),
        (
            ModelCache(1000, 5, 7, ("a", "b/c")),
            {
                "MOORAGE_MODEL_CACHE_BYTES": "1000",
                "MOORAGE_MODEL_CACHE_MODELS": "5",
                "MOORAGE_MODEL_DISK_BYTES": "7",
                "MOORAGE_PINNED_MODELS": " a, b/c ,",
            },
        ),
        (ModelCache(8 * GIB * 4 // 5), {"MOORAGE_MODEL_CACHE_BYTES": "much"}),
    ],
)
def test_what_an_instance_keeps(expected: ModelCache, environment: dict[str, str]) -> None:
    assert expected == read_model_cache(environment, "ml.m5.large", machine_bytes=64 * GIB)


def test_a_small_machine_is_not_larger_for_a_large_type() -> None:
    assert 4 * GIB // 5 == read_model_cache({}, "ml.m5.4xlarge", machine_bytes=GIB).bytes_max


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "", "1 GB", "1" + 16 * "0"])
def test_values_that_are_no_numbers(value: str) -> None:
    assert "MOORAGE_MODEL_DISK_BYTES" == violation({"MOORAGE_MODEL_DISK_BYTES": value})


def test_the_largest_number() -> None:
    assert violation({"MOORAGE_MODEL_DISK_BYTES": "1" + 15 * "0"}) is None
