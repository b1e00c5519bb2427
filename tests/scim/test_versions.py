"""ETags as clients send them back."""

import pytest

from scim_bridge.scim.versions import etag, expected_versions, is_known_already


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        (None, None),
        ("*", None),
        (" * ", None),
        ('W/"7"', {7}),
        ('"7"', {7}),
        ("7", {7}),
        ('W/"7", "8",W/"x"', {7, 8}),
        ("", set()),
        ("nonsense", set()),
        ('W/"٧"', set()),
        ('W/"' + "9" * 30 + '"', set()),
    ],
)
def test_only_versions_of_ours_are_expected(header: str | None, versions: set[int] | None) -> None:
    found = expected_versions(header)

    assert found == (None if versions is None else frozenset(versions))


@pytest.mark.parametrize(
    ("header", "known"), [(None, False), ("*", True), ('W/"7"', True), ('"7"', True), ('W/"8"', False), ("", False)]
)
def test_a_version_is_known_when_it_is_named(header: str | None, known: bool) -> None:
    assert is_known_already(header, etag(7)) is known
