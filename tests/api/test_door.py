"""What every request at the REST door goes through, whatever it asks for."""

import orjson
import pytest

from scim_bridge.identity import api_tokens, grants
from scim_bridge.identity.grants import GrantWanted
from tests.api.rest import ACTOR, Person, Rest, document, fields, problem


def test_an_owner_reads_their_organization(owner: Person) -> None:
    found = owner.ok("GET", "")

    assert (found["slug"], found["owners"]) == ("acme", ["owner@acme.example"])


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic abc", "Bearer "])
def test_a_request_without_a_good_token_is_refused_in_one_sentence(rest: Rest, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    answer = rest.app.test_client().get("/api/v1/organizations/acme", headers=headers)

    assert problem(answer) == (401, "not-authenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.headers["Cache-Control"] == "no-store"


def test_another_organization_looks_as_if_it_were_not_there(rest: Rest, owner: Person) -> None:
    rest.person("eve", organization="evil")

    theirs = owner.request("GET", "/organizations/evil")
    nobodys = owner.request("GET", "/organizations/nowhere")

    assert problem(theirs) == problem(nobodys) == (404, "not-found")
    assert document(theirs)["detail"].replace("evil", "nowhere") == document(nobodys)["detail"]


def test_a_token_ends_with_its_member(rest: Rest, owner: Person, viewer: Person) -> None:
    from scim_bridge.identity.deactivation import deactivate
    from scim_bridge.identity.names import the_member
    from tests.identity.rows import begin, organization_id

    with rest.database.write() as connection:
        member = the_member(connection, organization_id(connection), viewer.name)
        deactivate(connection, begin(connection), member.id)

    assert problem(viewer.inside("GET", "")) == (401, "not-authenticated")
    assert owner.inside("GET", "").status_code == 200


def test_a_token_that_is_limited_does_only_that(rest: Rest, owner: Person) -> None:
    limited = rest.token_of(owner.name, permissions=("members:read",))

    assert limited.inside("GET", "/grants").status_code == 200
    assert problem(limited.inside("GET", "")) == (403, "refused")


def test_a_token_works_from_its_addresses_alone(rest: Rest, owner: Person) -> None:
    near = rest.token_of(owner.name, ip_ranges=("127.0.0.0/8",))
    far = rest.token_of(owner.name, ip_ranges=("203.0.113.0/24",))

    assert near.inside("GET", "").status_code == 200
    assert problem(far.inside("GET", "")) == (401, "not-authenticated")


def test_a_revoked_token_opens_nothing_from_then_on(rest: Rest, owner: Person) -> None:
    other = rest.token_of(owner.name)

    owner.ok("DELETE", f"/tokens/{other.token[:12]}")

    assert problem(other.inside("GET", "")) == (401, "not-authenticated")


def test_the_use_of_a_token_is_noted(rest: Rest, owner: Person) -> None:
    owner.inside("GET", "").close()

    [token] = api_tokens.list_all(rest.database, ACTOR, "acme", owner.name)

    assert token.last_used_at is not None
    assert token.last_address == "127.0.0.1"


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        ({"scope": "organization", "persn": "a"}, "persn"),
        ({"scope": 7, "person": "a"}, "scope"),
        ({"person": "viewer@acme.example", "api_role": "emperor"}, "api_role"),
        ({"person": "viewer@acme.example"}, "api_role"),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_with_the_field_marked(
    owner: Person, viewer: Person, body: dict[str, object], marked: str
) -> None:
    answer = owner.inside("POST", "/grants", body)

    assert problem(answer) == (422, "invalid")
    assert marked in fields(answer)


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b'{"scope": "\\u0000"}'])
def test_a_body_that_is_no_json_object_is_refused(rest: Rest, owner: Person, raw: bytes) -> None:
    headers = {"Authorization": f"Bearer {owner.token}", "Content-Type": "application/json"}

    answer = rest.app.test_client().post("/api/v1/organizations/acme/grants", data=raw, headers=headers)

    assert problem(answer)[0] == 422


def test_an_unknown_address_and_a_wrong_method_are_problems_too(owner: Person) -> None:
    assert problem(owner.request("GET", "/nowhere"))[0] == 404
    assert problem(owner.inside("DELETE", "/grants"))[0] == 405


def test_a_request_sent_again_with_its_key_is_done_once(rest: Rest, owner: Person, viewer: Person) -> None:
    body = {"name": "deploys"}
    headers = {"Idempotency-Key": "abc-1"}
    path = "/organizations/acme/members/me/tokens"

    first = owner.request("POST", path, body, headers)
    again = owner.request("POST", path, body, headers)
    other = owner.request("POST", path, {"name": "else"}, headers)
    anothers = viewer.request("POST", path, body, headers)

    assert first.status_code == again.status_code == 201
    assert again.data == first.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert problem(other) == (409, "conflict")
    assert document(anothers)["token"] != document(first)["token"]
    assert len(owner.items("/members/me/tokens")) == 2


def test_a_refused_request_may_be_sent_again_with_its_key(rest: Rest, owner: Person) -> None:
    headers = {"Idempotency-Key": "later"}
    body = {"person": "new@acme.example", "api_role": "viewer"}
    refused = owner.request("POST", "/organizations/acme/grants", body, headers)
    rest.person("new")

    done = owner.request("POST", "/organizations/acme/grants", body, headers)

    assert problem(refused) == (404, "not-found")
    assert done.status_code == 201


def test_no_answer_under_a_key_is_stored_readable(rest: Rest, owner: Person) -> None:
    import sqlalchemy as sa

    from scim_bridge.store.schema import idempotent_request

    path = "/organizations/acme/members/me/tokens"
    made = document(owner.request("POST", path, {}, {"Idempotency-Key": "k"}))["token"]

    with rest.database.read() as connection:
        [kept] = connection.execute(sa.select(idempotent_request.c.answer)).scalars()

    assert made.encode() not in kept


def test_lists_come_in_pages_that_lead_on(rest: Rest, owner: Person) -> None:
    first = owner.ok("GET", "/roles?limit=4")
    second = owner.ok("GET", f"/roles?limit=100&cursor={first['next_cursor']}")

    names = [each["name"] for each in first["items"] + second["items"]]

    assert len(first["items"]) == 4
    assert names == sorted(set(names))
    assert "owner" in names
    assert second["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["x", "W10", "%00", "WyJhIiwgImIiXQ"])
def test_a_cursor_of_another_list_is_refused(owner: Person, cursor: str) -> None:
    answer = owner.inside("GET", f"/roles?cursor={cursor}")

    assert problem(answer)[0] == 422
    assert fields(answer) == {"cursor"}


def test_nobody_grants_what_they_do_not_hold(rest: Rest, owner: Person) -> None:
    admin = rest.with_role("admin")
    developer = rest.with_role("developer")
    wanted = {"person": developer.name, "api_role": "owner"}

    assert problem(admin.inside("POST", "/grants", wanted)) == (403, "refused")
    assert problem(developer.inside("POST", "/grants", wanted | {"api_role": "viewer"})) == (403, "refused")
    assert admin.inside("POST", "/grants", wanted | {"api_role": "viewer"}).status_code == 201
    assert owner.inside("POST", "/grants", wanted).status_code == 201


def test_an_admin_of_a_unit_grants_there_and_nowhere_above(rest: Rest) -> None:
    from scim_bridge.identity import tree

    tree.create_unit(rest.database, ACTOR, "acme", "payments")
    admin = rest.with_role("admin", scope="unit:payments")
    other = rest.person("other")

    inside = admin.inside("POST", "/grants", {"scope": "unit:payments", "person": other.name, "api_role": "viewer"})
    above = admin.inside("POST", "/grants", {"scope": "organization", "person": other.name, "api_role": "viewer"})

    assert inside.status_code == 201
    assert problem(above) == (403, "refused")


def test_a_grant_with_an_end_ends(rest: Rest, owner: Person, viewer: Person) -> None:
    made = owner.ok("POST", "/grants", {"person": viewer.name, "kubernetes_role": "view", "expires": "30d"})
    forever = grants.add(rest.database, ACTOR, "acme", GrantWanted("organization", viewer.name, kubernetes_role="view"))

    assert made["expires_at"] is not None
    assert forever.expires_at is None
    assert forever.changed is False


def test_the_document_describes_every_route(rest: Rest) -> None:
    found = orjson.loads(rest.app.test_client().get("/api/v1/openapi.json").data)

    described = {(method.upper(), path) for path, methods in found["paths"].items() for method in methods}
    served = {
        (method, rule.rule.replace("path:", "").replace("<", "{").replace(">", "}"))
        for rule in rest.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and rule.endpoint != "api.openapi"
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert found["openapi"] == "3.1.0"
    assert described == served
