"""The room of the organization: the tree with who has access where, changed only after it was said what that does."""

import re

from scim_bridge.identity import domains, grants, identity_providers, organizations, policies, tree
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.tree import NewProject
from tests.console.world import Console
from tests.identity.signing_in import TERMINAL

TREE = "/console/acme/organization"


def _grown(console: Console) -> None:
    named = (console.database, TERMINAL, "acme")
    for path in ("production", "testing"):
        tree.create_unit(*named, path)
    tree.create_project(*named, NewProject("shop", "testing", ("shop",)))
    wanted = GrantWanted("unit:production", person=console.person("ana").email, api_role="developer")
    grants.add(*named, wanted)


def _hash(page: str) -> str:
    found = re.search(r'name="preview" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def test_units_projects_and_services_are_made_and_mistakes_are_marked(console: Console) -> None:
    browser = console.owner()

    wrong = browser.post(TREE + "/units/new", {"path": "nowhere/payments"})
    browser.post(TREE + "/units/new", {"path": "production", "environment_type": "production"})
    browser.post(TREE + "/projects/new", {"name": "shop", "unit": "production", "namespaces": "shop, jobs"})
    made = browser.post(TREE + "/services/new", {"project": "shop", "name": "web", "namespace": "shop"})
    page = browser.get(made.headers["Location"]).text

    assert wrong.status_code == 422
    assert "The service web is there." in page
    assert "shop" in page
    (project,) = tree.list_projects(console.database, "acme")
    assert (project.unit, project.namespaces, project.services) == ("production", ("shop", "jobs"), ("web",))


def test_a_move_says_who_gains_before_it_is_done_and_is_held_to_that(console: Console) -> None:
    _grown(console)
    browser = console.owner()
    move = {"place": "shop", "what": "move", "value": "production"}

    asked = browser.get(TREE + "/projects/change?place=shop&what=move&value=production").text
    unseen = browser.post(TREE + "/projects/change", move)
    where = [each.unit for each in tree.list_projects(console.database, "acme")]
    done = browser.post(TREE + "/projects/change", {**move, "preview": _hash(asked)})

    assert "One person gains access." in asked
    assert "ana@example.com" in asked
    assert unseen.status_code == 409
    assert where == ["testing"]
    assert done.status_code == 303
    assert [each.unit for each in tree.list_projects(console.database, "acme")] == ["production"]


def test_what_is_not_empty_is_not_deleted_and_what_is_goes(console: Console) -> None:
    _grown(console)
    browser = console.owner()

    full = browser.post(TREE + "/units/delete", {"place": "testing"})
    asked = browser.get(TREE + "/units/delete?place=production").text
    browser.post(TREE + "/units/delete", {"place": "production", "preview": _hash(asked)})

    assert full.status_code == 403
    assert "project:shop" in full.text
    assert "ana@example.com" in asked
    assert [each.path for each in tree.list_units(console.database, "acme")] == ["testing"]


def test_the_organization_is_renamed_and_its_pages_move_along(console: Console) -> None:
    browser = console.owner()

    wrong = browser.post(TREE + "/settings", {"name": "", "slug": "acme"})
    done = browser.post(TREE + "/settings", {"name": "Acme Holding", "slug": "holding", "contact": "it@acme.example"})

    assert wrong.status_code == 422
    assert done.headers["Location"] == "/console/holding/organization"
    assert "it@acme.example" in browser.get(done.headers["Location"]).text


def test_an_organization_with_something_in_it_is_not_deleted(console: Console) -> None:
    _grown(console)
    browser = console.owner()

    other = browser.post(TREE + "/delete", {"repeated": "evil"})
    full = browser.post(TREE + "/delete", {"repeated": "acme"})

    assert (other.status_code, full.status_code) == (422, 422)
    assert "shop" in full.text
    assert organizations.show(console.database, "acme").slug == "acme"


def test_a_domain_is_added_with_what_proves_it_and_removed(console: Console) -> None:
    browser = console.owner()

    wrong = browser.post(TREE + "/domains/add", {"domain": "no domain"})
    added = browser.post(TREE + "/domains/add", {"domain": "acme.example"})
    shown = browser.get(added.headers["Location"]).text
    named = [each.domain for each in domains.list_all(console.database, "acme")]
    browser.post(TREE + "/domains/acme.example/remove")

    assert wrong.status_code == 422
    assert "TXT record" in shown
    assert named == ["acme.example"]
    assert domains.list_all(console.database, "acme") == []


def test_the_policy_is_changed_and_shuts_nobody_out_by_mistake(console: Console) -> None:
    browser, path = console.owner(), TREE + "/sign-in/policy"
    right = {"methods": "password", "idle_minutes": "30", "session_hours": "8", "token_days": "90"}

    nobody = browser.post(path, {**right, "methods": []})
    wrong = browser.post(path, {**right, "ip_ranges": "everywhere"})
    browser.post(path, right)
    policy = policies.show(console.database, "acme")

    assert (nobody.status_code, wrong.status_code) == (422, 422)
    assert (policy.methods, policy.idle_minutes, policy.token_days) == (("password",), 30, 90)
    assert not policy.personal_tokens


def test_an_identity_provider_is_added_tested_once_and_not_enforced_untested(console: Console) -> None:
    from scim_bridge.domain.people import DirectoryKind
    from scim_bridge.identity import directories

    directories.create(console.database, TERMINAL, "acme", "okta", DirectoryKind.OKTA)
    browser, path = console.owner(), TREE + "/sign-in/providers"
    right = {"name": "okta", "directory": "okta", "issuer": "https://login.acme.example", "client_id": "bridge"}
    right |= {"client_secret": "do not tell", "group_sync": "off", "join_at_login": "off"}

    wrong = browser.post(path + "/new", {**right, "issuer": "login"})
    added = browser.post(path + "/new", right)
    shown = browser.get(added.headers["Location"]).text
    test = browser.post(path + "/okta/test")
    enforced = browser.post(path + "/okta/enforce")
    browser.post(path + "/okta/remove")

    assert wrong.status_code == 422
    assert "do not tell" not in wrong.text + shown
    assert "https://bridge.example/login/" in test.text
    assert enforced.status_code == 409
    assert identity_providers.list_all(console.database, "acme") == []
