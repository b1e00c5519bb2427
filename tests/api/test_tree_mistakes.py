"""What nobody should send to the rooms of the tree: answered as a mistake of theirs, on both databases."""

from typing import Any

import pytest

from tests.api.rest import Person, problem

MISTAKES = (400, 403, 404, 409, 422)


@pytest.mark.parametrize(
    "path",
    [
        "/clusters/%00",
        "/clusters/a%00b/status",
        "/projects/%00/services",
        "/clusters/%ff",
        "/projects/%f0%9f%98%80/services",
    ],
)
def test_an_address_that_names_nothing_is_no_failure(owner: Person, path: str) -> None:
    assert problem(owner.inside("GET", path))[0] in MISTAKES


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/units/%00", {"name": "a"}),
        ("DELETE", "/units/a%00", None),
        ("PATCH", "", {"name": "a\u0000"}),
        ("PATCH", "", {"slug": "\u0000"}),
        ("POST", "/units", {"path": "\u0000"}),
        ("POST", "/projects", {"name": "a", "unit": "\u0000"}),
        ("POST", "/projects", {"name": "a", "selectors": ["\u0000=\u0000"]}),
        ("POST", "/projects", {"name": "a", "clusters": ["\u0000"]}),
        ("DELETE", "/clusters/%00", None),
        ("PATCH", "/clusters/%00", {"name": "x"}),
        ("POST", "/clusters", {"name": "x", "kubeconfig": "\u0000"}),
        ("PUT", "/clusters/%00/credential", {"kubeconfig": "x"}),
        ("POST", "/passes", {"cluster": "\u0000"}),
        ("POST", "/clusters/%00/approve", {"plan": "0" * 12}),
        ("POST", "/clusters/%00/first-plan", None),
        (
            "POST",
            "/document/plan",
            {"document": {"grants": [{"scope": "\u0000", "person": "\u0000", "api_role": "\u0000"}]}},
        ),
        (
            "POST",
            "/document/plan",
            {
                "document": {
                    "grants": [{"scope": "organization", "person": "owner@acme.example", "api_role": "nothing"}]
                }
            },
        ),
        ("POST", "/document/plan", {"document": {"groups": [{"name": "x" * 200, "members": []}]}}),
        ("POST", "/document/plan", {"document": {"roles": [{"name": "x", "permissions": ["nope"]}]}}),
        ("POST", "/document/plan", {"document": {"organization": {"slug": "acme", "name": ""}}}),
        ("POST", "/document/plan", {"document": {"organization": {"slug": "acme", "contact": 5}}}),
        ("POST", "/document/plan", {"document": {"units": [{"path": "a/b"}]}}),
        ("POST", "/document/plan", {"document": {"units": [{"path": ""}]}}),
        (
            "POST",
            "/document/plan",
            {"document": {"projects": [{"name": "", "services": [{"name": "", "namespace": ""}]}]}},
        ),
        (
            "POST",
            "/document/plan",
            {"document": {"clusters": [{"name": "\u0000", "kubeconfig": {"env": "x"}}]}, "kubeconfigs": {"x": "y"}},
        ),
        ("POST", "/document/plan", {"document": {"clusters": [{"name": 5}]}}),
        ("POST", "/document/plan", {"document": {"clusters": 5}}),
        ("POST", "/document/plan", {"document": {"rules": 5}}),
        ("POST", "/document/plan", {"document": {"prune": 5, "units": []}}),
        ("POST", "/document/drift", {"document": {"units": 5}}),
        ("POST", "/document/apply", {"document": {"units": [{"path": "x"}]}, "plan": "00000000"}),
    ],
)
def test_a_request_that_makes_no_sense_is_no_failure(owner: Person, method: str, path: str, body: Any) -> None:
    before = [owner.items(noun) for noun in ("/units", "/projects", "/clusters", "/grants")]

    answer = owner.inside(method, path, body)

    assert problem(answer)[0] in MISTAKES, answer.text
    assert [owner.items(noun) for noun in ("/units", "/projects", "/clusters", "/grants")] == before
