import pytest

from moorage.runtime.media import CSV, JSON, NPY, first_choice, is_text, media_type, negotiate

SUPPORTED = (JSON, CSV, NPY)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("Text/CSV; charset=utf-8", CSV),
        ("text/*", CSV),
        ("application/x-npy, text/csv;q=0.5", NPY),
        ("text/csv;q=0.5, application/x-npy", NPY),
        ("image/png, */*;q=0.1", JSON),
        ("text/html,application/xhtml+xml,text/csv;q=0.9", CSV),
        ("application/json;q=0", None),
        ("image/png", None),
        ("text/csv;q=nonsense", None),
    ],
)
def test_the_answer_type_is_what_accept_likes_best(accept, chosen):
    assert chosen == negotiate(accept, SUPPORTED, default=JSON)


def test_a_range_means_the_default_first():
    assert CSV == negotiate("*/*", SUPPORTED, default=CSV)
    assert NPY == negotiate("application/*", SUPPORTED, default=NPY)


@pytest.mark.parametrize(
    ("accept", "told"),
    [("", "x/default"), ("*/*", "x/default"), ("text/csv", CSV), ("image/png;q=0.2, x/y", "x/y"), ("a/*, b/c", "b/c")],
)
def test_a_script_is_told_one_type_whoever_can_make_it(accept, told):
    assert told == first_choice(accept, default="x/default")


def test_what_a_script_gets_as_text():
    assert [True, True, True, True, False, False] == [
        is_text(media_type(header))
        for header in (
            "application/json; charset=utf-8",
            "text/csv",
            "application/vnd.x+json",
            "application/jsonlines",
            "application/x-npy",
            "image/png",
        )
    ]
