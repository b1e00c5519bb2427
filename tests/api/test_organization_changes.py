"""An organization as a whole over the REST door, and as one document."""

from typing import Any

import pytest

from tests.api.rest import Person, Rest, document, fields, problem

DOCUMENT: dict[str, Any] = {
    "organization": "acme",
    "units": [{"path": "production", "environment": "production"}],
    "projects": [{"name": "shop", "unit": "production", "namespaces": ["shop-web"]}],
    "grants": [{"scope": "unit:production", "person": "owner@acme.example", "kubernetes_role": "edit"}],
}


def test_an_organization_gets_another_name_and_settings(owner: Person) -> None:
    done = owner.ok("PATCH", "", {"name": "Acme Corporation", "contact": "it@acme.example"})
    taken = owner.ok("PATCH", "", {"contact": None})

    assert (done["name"], done["settings"]["contact"]) == ("Acme Corporation", "it@acme.example")
    assert taken["settings"]["contact"] is None
    assert owner.ok("GET", "")["name"] == "Acme Corporation"


def test_another_slug_is_the_organizations_address_from_then_on(owner: Person) -> None:
    owner.ok("PATCH", "", {"slug": "acme-corp"})

    assert problem(owner.inside("GET", "")) == (404, "not-found")
    assert owner.request("GET", "/organizations/acme-corp").status_code == 200


def test_somebodys_organizations_say_which_may_be_opened(rest: Rest, owner: Person) -> None:
    (found,) = document(owner.request("GET", "/organizations"))["items"]

    assert (found["slug"], found["state"], found["why_not"]) == ("acme", "active", None)


def test_an_organization_ends_only_empty_and_by_its_name(owner: Person) -> None:
    owner.ok("POST", "/units", {"path": "lab"})

    assert problem(owner.inside("DELETE", "?repeated=acme")) == (403, "refused")
    owner.ok("DELETE", "/units/lab")
    wrong = owner.inside("DELETE", "?repeated=other")
    assert (problem(wrong), fields(wrong)) == ((422, "invalid"), {"repeated"})
    assert problem(owner.inside("DELETE", "")) == (422, "invalid")
    assert owner.ok("DELETE", "?repeated=acme")["slug"] == "acme"
    assert owner.request("GET", "/organizations/acme").status_code in (401, 404)


def test_a_developer_neither_renames_nor_deletes_an_organization(rest: Rest) -> None:
    developer = rest.with_role("developer")

    assert problem(developer.inside("PATCH", "", {"name": "Mine"})) == (403, "refused")
    assert problem(developer.inside("DELETE", "?repeated=acme")) == (403, "refused")


def test_a_document_is_planned_applied_and_then_needs_no_plan(owner: Person) -> None:
    planned = owner.ok("POST", "/document/plan", {"document": DOCUMENT})
    done = owner.ok("POST", "/document/apply", {"document": DOCUMENT, "plan": planned["hash"]})
    again = owner.ok("POST", "/document/plan", {"document": DOCUMENT})

    assert [(each["operation"], each["key"]) for each in planned["changes"]][:2] == [
        ("add", "production"),
        ("add", "shop"),
    ]
    assert done == planned
    assert (again["changes"], again["kept"]) == ([], False)
    assert owner.ok("POST", "/document/drift", {})["changes"] == []


def test_a_plan_that_is_not_so_any_more_is_a_conflict_with_the_new_one(owner: Person) -> None:
    planned = owner.ok("POST", "/document/plan", {"document": DOCUMENT})
    owner.ok("POST", "/units", {"path": "production", "environment_type": "production"})

    answer = owner.inside("POST", "/document/apply", {"document": DOCUMENT, "plan": planned["hash"]})

    assert problem(answer) == (409, "conflict")
    assert "production" not in [each["key"] for each in document(answer)["preview"]["changes"]]
    assert owner.items("/projects") == []


def test_drift_is_told_and_unknown_before_the_first_document(owner: Person) -> None:
    assert problem(owner.inside("POST", "/document/drift", {})) == (404, "not-found")
    planned = owner.ok("POST", "/document/plan", {"document": DOCUMENT})
    owner.ok("POST", "/document/apply", {"document": DOCUMENT, "plan": planned["hash"]})
    owner.ok("PATCH", "/projects/shop", {"name": "store"})

    found = owner.ok("POST", "/document/drift", {})

    assert [(each["operation"], each["key"]) for each in found["changes"]] == [("add", "shop")]


def test_an_export_plans_nothing(owner: Person) -> None:
    planned = owner.ok("POST", "/document/plan", {"document": DOCUMENT})
    owner.ok("POST", "/document/apply", {"document": DOCUMENT, "plan": planned["hash"]})

    exported = owner.ok("GET", "/document")

    assert exported["projects"][0]["namespaces"] == ["shop-web"]
    assert owner.ok("POST", "/document/plan", {"document": exported})["changes"] == []


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"units": {}}, "units"),
        ({"colours": []}, "colours"),
        ({"units": [{"path": "a", "environment": "live"}]}, "units[0].environment"),
        ({"clusters": [{"name": "prod"}]}, "clusters.clusters"),
    ],
)
def test_a_mistake_in_a_document_is_told_with_its_place(owner: Person, wanted: Any, field: str) -> None:
    answer = owner.inside("POST", "/document/plan", {"document": wanted})

    assert problem(answer) == (422, "invalid")
    assert fields(answer) == {field}


def test_no_document_reaches_the_installations_own_files(owner: Person) -> None:
    for target in ({"manifests": "/srv/taken"}, {"in_cluster": True}):
        answer = owner.inside("POST", "/document/plan", {"document": {"clusters": [{"name": "x", **target}]}})

        assert answer.status_code in (403, 422), answer.text
    assert owner.items("/clusters") == []
