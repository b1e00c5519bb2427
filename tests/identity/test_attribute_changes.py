"""Another mapping: what its preview says is what it does, to everybody at once, and the old names go."""

from typing import Any

import pytest
import sqlalchemy as sa

from scim_bridge.domain.directory_states import Step
from scim_bridge.domain.previews import SubjectShift
from scim_bridge.errors import Conflict, Invalid, NotFound
from scim_bridge.identity import access, attribute_mapping, directories, directory_states, grants, organizations, rules
from scim_bridge.identity.attribute_changes import FieldShift, MappingPreview, apply, preview
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.scim.filters import attribute_path
from scim_bridge.store.database import Database
from scim_bridge.store.schema import scim_user
from tests.identity.provider import HANDS, Provider, actions, removals, rows
from tests.identity.rows import put_cluster

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
SHORT_NAMES = {"user_name": {"from": "userName", "transforms": [{"before": "@"}, "lower"]}}
ADA: dict[str, Any] = {
    "externalId": "e1",
    "emails": [{"value": "Ada@Work.example", "type": "work"}, {"value": "ada@home.example", "primary": True}],
    "displayName": "Ada",
    ENTERPRISE: {"department": "Engines"},
}


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider, to an organization with a cluster."""
    put_cluster(database, "prod")
    return Provider.connect(database)


def look(okta: Provider, **fields: Any) -> MappingPreview:
    return preview(okta.database, HANDS, "acme", "okta", attribute_path, {"fields": fields})


def put(okta: Provider, **fields: Any) -> MappingPreview:
    """Read the preview of a mapping and put it into force."""
    seen = look(okta, **fields).hash
    return apply(okta.database, HANDS, "acme", "okta", attribute_path, {"fields": fields}, seen)


def member_of(okta: Provider, user_id: str) -> dict[str, Any]:
    (user,) = rows(okta.database, "scim_user", id=user_id)
    return rows(okta.database, "member", id=user["member_id"])[0]


def give(okta: Provider, person: str, role: str = "edit") -> None:
    grants.add(okta.database, HANDS, "acme", GrantWanted("organization", person=person, kubernetes_role=role))


def shifts(made: MappingPreview) -> dict[str, list[FieldShift]]:
    return {each.person: list(each.fields) for each in made.changes}


def lacking(okta: Provider) -> dict[str, str]:
    shown = directories.show(okta.database, "acme", "okta")
    return {each.about: each.message for each in shown.conditions if each.kind == "AttributeMissing"}


def test_everybody_who_is_there_is_called_anew_in_one_go(okta: Provider) -> None:
    ada, bob = okta.post("ADA@acme.example", **ADA), okta.post("bob@acme.example")

    made = put(okta, **SHORT_NAMES, email={"from": 'emails[type eq "work"].value', "transforms": ["lower"]})

    assert member_of(okta, ada.id)["user_name"] == "ada"
    assert member_of(okta, ada.id)["email"] == member_of(okta, ada.id)["email_key"] == "ada@work.example"
    assert member_of(okta, bob.id)["user_name"] == "bob"
    assert (made.version, made.users) == (1, 2)
    assert shifts(made) == {
        "ADA@acme.example": [
            FieldShift("email", "ada@home.example", "ada@work.example"),
            FieldShift("user_name", "ADA@acme.example", "ada"),
        ],
        "bob@acme.example": [FieldShift("user_name", "bob@acme.example", "bob")],
    }


def test_what_the_identity_provider_reads_stays_what_it_wrote(okta: Provider) -> None:
    ada = okta.post("ADA@acme.example", **ADA)

    put(okta, **SHORT_NAMES, external_id={"from": f"{ENTERPRISE}:department"})

    stored = okta.user(ada.id)
    assert (stored.document, stored.version) == (ada.document, ada.version)
    assert (stored.user_name, stored.external_id) == ("ADA@acme.example", "e1")


def test_a_preview_writes_nothing_and_says_what_applying_does(okta: Provider) -> None:
    okta.post("ada@acme.example", **ADA)
    give(okta, "ada@acme.example")
    tables = ("directory", "directory_mapping", "scim_user", "member", "audit_entry", "change_row", "removal_request")
    before = [rows(okta.database, table) for table in tables]

    seen = look(okta, **SHORT_NAMES)
    after = [rows(okta.database, table) for table in tables]
    done = put(okta, **SHORT_NAMES)

    assert after == before
    assert (done.hash, done.changes, done.gains, done.loses) == (seen.hash, seen.changes, seen.gains, seen.loses)


def test_the_preview_names_the_subjects_that_bindings_will_have(okta: Provider) -> None:
    okta.post("ada@acme.example")
    okta.post("bob@acme.example")
    give(okta, "ada@acme.example")

    made = look(okta, **SHORT_NAMES)

    assert {each.person: each.subjects for each in made.changes} == {
        "ada@acme.example": (SubjectShift("prod", "ada@acme.example", "ada"),),
        "bob@acme.example": (),
    }
    assert (made.gains, made.loses) == ((), ())


def test_the_old_subject_is_a_removal_that_is_asked_for(okta: Provider) -> None:
    ada, bob = okta.post("ada@acme.example"), okta.post("bob")

    put(okta, **SHORT_NAMES, display_name={"from": "userName"})

    assert removals(okta.database) == [(ada.member_id, "renamed", None)]
    assert member_of(okta, bob.id)["display_name"] == "bob"


def test_two_people_whom_a_mapping_gives_one_name_are_shown_as_a_loss(okta: Provider) -> None:
    okta.post("ada@acme.example")
    okta.post("ada@other.example")
    give(okta, "ada@acme.example")
    give(okta, "ada@other.example")

    made = look(okta, **SHORT_NAMES)

    assert [(each.person, each.what) for each in made.loses] == [("ada", ("edit in cluster prod",))]


def test_a_preview_whose_base_has_changed_is_refused_and_nothing_changes(okta: Provider) -> None:
    ada = okta.post("ada@acme.example")
    seen = look(okta, **SHORT_NAMES).hash
    okta.post("bob@acme.example")

    with pytest.raises(Conflict, match="2 of 2 people would change"):
        apply(okta.database, HANDS, "acme", "okta", attribute_path, {"fields": SHORT_NAMES}, seen)

    assert member_of(okta, ada.id)["user_name"] == "ada@acme.example"
    assert rows(okta.database, "directory_mapping") == []


@pytest.mark.parametrize("seen", ["", "abc", "0" * 64])
def test_a_hash_that_nobody_was_shown_maps_nothing(okta: Provider, seen: str) -> None:
    okta.post("ada@acme.example")

    with pytest.raises(Conflict):
        apply(okta.database, HANDS, "acme", "okta", attribute_path, {"fields": SHORT_NAMES}, seen)

    assert "directory.mapped" not in actions(okta.database)


def test_who_comes_and_changes_later_follows_the_mapping(okta: Provider) -> None:
    put(okta, **SHORT_NAMES)

    ada = okta.post("Ada@acme.example")
    was = member_of(okta, ada.id)["user_name"]
    okta.patch(ada.id, userName="Countess@acme.example")

    assert (was, member_of(okta, ada.id)["user_name"]) == ("ada", "countess")
    assert removals(okta.database) == [(ada.member_id, "renamed", None)]


def test_a_change_that_leaves_the_mapped_name_as_it_is_removes_nothing(okta: Provider) -> None:
    put(okta, **SHORT_NAMES)
    ada = okta.post("ada@acme.example")

    okta.patch(ada.id, userName="ada@new.example")

    assert removals(okta.database) == []


def test_resetting_calls_everybody_as_before(okta: Provider) -> None:
    ada = okta.post("ada@acme.example", **ADA)
    before, row = member_of(okta, ada.id), rows(okta.database, "scim_user")[0]
    put(okta, **SHORT_NAMES, email={"from": []}, display_name={"default": "somebody"})
    assert member_of(okta, ada.id) != before

    made = put(okta)

    assert member_of(okta, ada.id) == before
    assert rows(okta.database, "scim_user")[0] == row
    assert (made.version, rows(okta.database, "directory")[0]["mapping"]) == (2, None)


def test_every_version_stays_with_who_made_it_and_what_it_changed(okta: Provider) -> None:
    okta.post("ada@acme.example")
    put(okta, **SHORT_NAMES)
    put(okta, nick={"from": "userName"})

    shown = attribute_mapping.show(okta.database, "acme", "okta", attribute_path)

    first, second = rows(okta.database, "directory_mapping")
    assert (first["version"], second["version"], second["author"]) == (1, 2, "tests")
    assert first["valid_to"] == second["valid_from"]
    assert [each.version for each in shown.versions] == [2, 1]
    assert shown.mapping.own == {"nick"}
    entry = rows(okta.database, "audit_entry", action="directory.mapped")[-1]
    assert '"changed":1' in entry["detail"]
    assert '"from":{"user_name":' in entry["detail"]
    assert rows(okta.database, "change_row", id=entry["change_id"])[0]["kind"] == "directory.mapped"


def test_the_mapping_in_force_once_more_writes_nothing(okta: Provider) -> None:
    okta.post("ada@acme.example")
    put(okta, **SHORT_NAMES)
    before = rows(okta.database, "audit_entry")

    again = put(okta, **SHORT_NAMES)

    assert (again.version, again.changes) == (1, ())
    assert rows(okta.database, "audit_entry") == before


def test_a_missing_required_value_never_loses_a_write_and_the_directory_says_who_lacks_it(okta: Provider) -> None:
    put(okta, department={"from": f"{ENTERPRISE}:department", "required": True})

    ada = okta.post("ada@acme.example")
    before = lacking(okta)
    okta.patch(ada.id, **{ENTERPRISE: {"department": "Engines"}})

    assert okta.user(ada.id).user_name == "ada@acme.example"
    assert list(before) == ["department"]
    assert before["department"].startswith("A person has no department")
    assert lacking(okta) == {}


def test_a_required_value_that_is_taken_away_stays_and_the_rest_of_the_write_lands(okta: Provider) -> None:
    put(okta, email={"from": 'emails[type eq "work"].value', "required": True})
    ada = okta.post("ada@acme.example", **ADA)

    okta.patch(ada.id, emails=[], displayName="Countess")

    assert member_of(okta, ada.id)["email"] == "Ada@Work.example"
    assert member_of(okta, ada.id)["display_name"] == "Countess"
    assert removals(okta.database) == []
    assert list(lacking(okta)) == ["email"]


def test_a_leaver_who_lacks_what_is_required_leaves(okta: Provider) -> None:
    put(okta, department={"from": f"{ENTERPRISE}:department", "required": True})
    ada = okta.post("ada@acme.example")

    okta.patch(ada.id, active=False)

    assert member_of(okta, ada.id)["state"] == "deactivated"
    assert [cause for _, cause, _ in removals(okta.database)] == ["deactivated"]


def test_a_mapping_that_requires_what_people_lack_says_how_many_and_keeps_what_they_had(okta: Provider) -> None:
    okta.post("ada@acme.example", **ADA)
    bob = okta.post("bob@acme.example", emails=[{"value": "bob@home.example"}])

    made = put(okta, email={"from": 'emails[type eq "work"].value', "required": True})

    assert made.lacking == {"email": 1}
    assert member_of(okta, bob.id)["email"] == "bob@home.example"
    assert list(shifts(made)) == ["ada@acme.example"]


def test_rules_match_what_a_mapping_makes_of_people(okta: Provider) -> None:
    ada = okta.post("ada@acme.example", **ADA)
    okta.post("eve@acme.example", mapped={"team": "engines"})
    rules.apply(okta.database, HANDS, "acme", {"rules": [TEAM_RULE]})
    before = explained(okta, "ada@acme.example")

    made = put(okta, team={"from": f"{ENTERPRISE}:department", "transforms": ["lower"]})

    assert [(each.person, each.what) for each in made.gains] == [("ada@acme.example", ("edit in cluster prod",))]
    assert (before, explained(okta, "ada@acme.example"), explained(okta, "eve@acme.example")) == ([], ["edit"], [])
    okta.patch(ada.id, **{ENTERPRISE: {"department": "Sales"}})
    assert explained(okta, "ada@acme.example") == []


def test_who_loses_by_a_mapping_loses_it_as_was_agreed(okta: Provider) -> None:
    ada = okta.post("ada@acme.example", **ADA)
    rules.apply(okta.database, HANDS, "acme", {"rules": [TEAM_RULE]})
    put(okta, team={"from": f"{ENTERPRISE}:department", "transforms": ["lower"]})

    made = put(okta, team={"default": "nobody"})

    assert [(each.person, each.what) for each in made.loses] == [("ada@acme.example", ("edit in cluster prod",))]
    assert removals(okta.database) == [(ada.member_id, "membership", None)]
    assert explained(okta, "ada@acme.example") == []


TEAM_RULE = {
    "name": "engines",
    "directory": "okta",
    "attribute": {"path": "mapped.team", "one_of": ["engines"]},
    "scope": "organization",
    "kubernetes_role": "edit",
}


def explained(okta: Provider, person: str) -> list[str]:
    made = access.explain(okta.database, HANDS, "acme", person)
    return [str(each.role) for each in made.clusters if each.role not in (None, "none")]


def test_a_directory_that_has_no_say_about_a_person_does_not_rename_them(okta: Provider) -> None:
    ada = okta.post("ada@acme.example")
    second = Provider.connect(okta.database, "entra")
    other = second.post("someone@acme.example")
    with okta.database.write() as connection:
        connection.execute(sa.update(scim_user).where(scim_user.c.id == other.id).values(member_id=ada.member_id))

    fields = {"fields": SHORT_NAMES}
    seen = preview(okta.database, HANDS, "acme", "entra", attribute_path, fields)
    apply(okta.database, HANDS, "acme", "entra", attribute_path, fields, seen.hash)

    assert member_of(okta, ada.id)["user_name"] == "ada@acme.example"
    assert removals(okta.database) == []


def test_a_detached_directory_is_not_mapped_any_more(okta: Provider) -> None:
    seen = directory_states.preview(okta.database, HANDS, "acme", "okta", Step.DETACH)
    directory_states.carry_out(okta.database, HANDS, "acme", "okta", Step.DETACH, seen.hash)

    with pytest.raises(Conflict, match="detached"):
        look(okta, **SHORT_NAMES)


def test_another_organizations_directory_is_not_there(okta: Provider) -> None:
    organizations.create(okta.database, HANDS, "globex")

    for call in (
        lambda: attribute_mapping.show(okta.database, "globex", "okta", attribute_path),
        lambda: preview(okta.database, HANDS, "globex", "okta", attribute_path, {}),
        lambda: apply(okta.database, HANDS, "globex", "okta", attribute_path, {}, "0" * 64),
        lambda: attribute_mapping.try_user(okta.database, "globex", "okta", attribute_path, "ada"),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_mapping_with_a_mistake_changes_nothing(okta: Provider) -> None:
    with pytest.raises(Invalid, match="cannot be understood"):
        look(okta, email={"from": "emails["})

    assert rows(okta.database, "directory_mapping") == []


def test_a_stored_user_is_tried_with_a_draft_beside_what_is_stored(okta: Provider) -> None:
    okta.post("ada@acme.example", **ADA)

    found = attribute_mapping.try_user(
        okta.database, "acme", "okta", attribute_path, "ADA@acme.example", {"fields": SHORT_NAMES}
    )

    assert {each.name: each.value for each in found.fields}["user_name"] == "ada"
    assert found.stored is not None
    assert found.stored["user_name"] == "ada@acme.example"
    with pytest.raises(NotFound):
        attribute_mapping.try_user(okta.database, "acme", "okta", attribute_path, "nobody")
