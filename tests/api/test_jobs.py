"""The scheduler's jobs over REST: they are the installation's, and no organization's people come in."""

import pytest

from tests.api.rest import Rest, problem


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/jobs"), ("GET", "/jobs/post/runs"), *(("POST", f"/jobs/post/{v}") for v in ("run", "pause", "resume"))],
)
def test_no_grant_in_an_organization_is_about_jobs(rest: Rest, method: str, path: str) -> None:
    owner = rest.with_role("admin")

    assert problem(owner.request(method, path, {} if method == "POST" else None)) == (403, "refused")
