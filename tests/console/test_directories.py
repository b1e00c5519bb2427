"""The room of directories: connected, looked over before they count, their tokens handed over, their log replayed."""

import re
from html import unescape

from scim_bridge.domain.people import DirectoryKind
from scim_bridge.identity import directories, directory_tokens, grants, provisioning_log
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.provisioning_log import Wanted
from tests.console.world import Console, Scim
from tests.identity.signing_in import TERMINAL


def _connected(console: Console, *, pending: bool = False) -> Scim:
    made = directories.create(console.database, TERMINAL, "acme", "okta", DirectoryKind.OKTA, pending=pending)
    assert made.token is not None
    return Scim(console.app, made.token.text)


def _state(console: Console) -> str:
    return directories.show(console.database, "acme", "okta").directory.state.value


def _hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return unescape(found.group(1))


def test_a_directory_is_connected_and_its_token_shown_once(console: Console) -> None:
    browser = console.owner()

    shown = browser.post("/console/acme/directories/new", {"name": "okta", "kind": "okta", "pending": "y"})
    token = re.search(r"<code data-value>(scimb_[^<]+|[^<]{30,})</code></?", shown.text.partition("Token")[2])
    later = browser.get("/console/acme/directories/okta").text

    assert token is not None
    Scim(console.app, token.group(1)).user("ana", "Ana")
    assert _state(console) == "pending"
    assert "SCIM connector base URL" in shown.text
    assert token.group(1) not in later
    assert "None has been seen yet".lower() in later


def test_a_name_that_is_taken_in_another_kind_is_marked(console: Console) -> None:
    _connected(console)

    answer = console.owner().post("/console/acme/directories/new", {"name": "okta", "kind": "entra"})

    assert answer.status_code == 422
    assert "okta" in answer.text


def test_a_pending_directory_is_activated_as_it_was_shown_and_not_otherwise(console: Console) -> None:
    scim, browser = _connected(console, pending=True), console.owner()
    group = scim.post("Groups", displayName="Admins", members=[{"value": scim.user("ana", "Ana")}])
    grants.add(console.database, TERMINAL, "acme", GrantWanted("organization", group="Admins", api_role="developer"))
    path = "/console/acme/directories/okta/activate"
    seen = _hidden(browser.get(path).text, "preview")
    scim.put_into(group, scim.user("bram", "Bram"))

    changed = browser.post(path, {"preview": seen})
    state_between = _state(console)
    browser.post(path, {"preview": _hidden(changed.text, "preview")})

    assert changed.status_code == 409
    assert "bram@acme.example" in changed.text
    assert "This has changed since you looked" in changed.text
    assert (state_between, _state(console)) == ("pending", "active")


def test_a_directory_is_paused_and_taken_in_again(console: Console) -> None:
    _connected(console)
    browser = console.owner()

    browser.post("/console/acme/directories/okta/pause")
    paused = (_state(console), browser.get("/console/acme/directories/okta").text)
    browser.post("/console/acme/directories/okta/resume")

    assert paused[0] == "paused"
    assert "answered with 503" in paused[1]
    assert _state(console) == "active"


def test_a_token_is_handed_over_while_both_work_and_one_is_revoked(console: Console) -> None:
    _connected(console)
    browser = console.owner()
    [old] = directory_tokens.list_all(console.database, "acme", "okta")

    shown = browser.post(f"/console/acme/directories/okta/tokens/{old.id}/rotate", {"expires": "30d"})
    live = [each for each in directory_tokens.list_all(console.database, "acme", "okta") if each.revoked_at is None]
    browser.post(f"/console/acme/directories/okta/tokens/{old.id}/revoke")
    left = [each for each in directory_tokens.list_all(console.database, "acme", "okta") if each.revoked_at is None]

    assert shown.status_code == 200
    assert len(live) == 2
    assert [each.id for each in left] == [each.id for each in live if each.id != old.id]


def test_a_token_with_nonsense_ranges_is_marked_and_nothing_made(console: Console) -> None:
    _connected(console)

    answer = console.owner().post("/console/acme/directories/okta/tokens/new", {"ip_ranges": "everywhere"})

    assert answer.status_code == 422
    assert len(directory_tokens.list_all(console.database, "acme", "okta")) == 1


def test_a_failed_request_is_explained_and_repeated_dry_then_really(console: Console) -> None:
    scim, browser = _connected(console), console.owner()
    body = {"userName": "ana@acme.example", "active": True}
    scim.post("Users", **body)
    refused = console.app.test_client().post(
        "/scim/v2/Users", json=body, headers={"Authorization": f"Bearer {scim.token}"}
    )
    [failed] = provisioning_log.list_entries(console.database, "acme", "okta", Wanted(result="failed")).entries
    path = f"/console/acme/directories/okta/log/{failed.request.id}"

    listed = browser.get("/console/acme/directories/okta/log?result=failed").text
    shown = browser.get(path).text
    dry = browser.post(f"{path}/replay")

    assert refused.status_code == 409
    assert "The user name is taken" in listed or "/Users" in listed
    assert "Try it again, dry" in shown
    assert "ana@acme.example" in shown
    assert "This was a rehearsal" in dry.text
    assert "uniqueness" in dry.text
