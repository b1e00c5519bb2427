"""Slashes below one prefix are forgiven, and nowhere else."""

from collections.abc import Iterable
from typing import Any

import pytest

from scim_bridge.web.paths import ForgivingPaths


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("/scim/v2/Users", "/scim/v2/Users"),
        ("/scim/v2/Users/", "/scim/v2/Users"),
        ("//scim//v2///Users//7/", "/scim/v2/Users/7"),
        ("/scim/v2/", "/scim/v2"),
        ("/console//a/", "/console//a/"),
        ("/healthz/", "/healthz/"),
        ("", ""),
    ],
)
def test_slashes_are_forgiven_below_the_prefix(asked: str, served: str) -> None:
    seen: list[str] = []

    def app(environ: dict[str, Any], _: Any) -> Iterable[bytes]:
        seen.append(environ["PATH_INFO"])
        return []

    ForgivingPaths(app, "/scim/v2")({"PATH_INFO": asked}, lambda *_: lambda _: None)

    assert seen == [served]
