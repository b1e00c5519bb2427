"""ETags as clients send them back."""

import pytest
from flask import Flask

from scim_bridge.scim.versions import etag, expected_versions, is_known_already

app = Flask(__name__)


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
    with app.test_request_context(headers={} if header is None else {"If-Match": header}):
        found = expected_versions()

    assert found == (None if versions is None else frozenset(versions))


@pytest.mark.parametrize(
    ("header", "known"), [(None, False), ("*", True), ('W/"7"', True), ('"7"', True), ('W/"8"', False), ("", False)]
)
def test_a_version_is_known_when_it_is_named(header: str | None, known: bool) -> None:
    with app.test_request_context(headers={} if header is None else {"If-None-Match": header}):
        assert is_known_already(etag(7)) is known
