"""Entra as it behaves, in both dialects: what the server holds afterwards, and what it was asked for that."""

import pytest

from scim_bridge.simulator import Client, Company, Entra
from scim_bridge.simulator.entra import MEMBERS_A_REQUEST
from scim_bridge.simulator.wire import Dialect
from tests.simulator.scim_double import ScimDouble

TEAMS = {"admins": ["Ada Keller", "Mei Chen"], "viewers": ["Omar Haddad"]}
both_dialects = pytest.mark.parametrize("dialect", ["entra", "entra-flag"])


def _entra(double: ScimDouble, dialect: Dialect = "entra") -> Entra:
    entra = Entra(Client(double.base_url, "right"), Company.of(TEAMS), dialect)
    entra.initial_cycle()
    double.seen.clear()
    return entra


@both_dialects
def test_the_first_cycle_brings_everybody_and_every_group(double: ScimDouble, dialect: Dialect) -> None:
    _entra(double, dialect)

    assert len(double.users) == 3
    assert double.members("admins") == ["ada.keller@acme.example", "mei.chen@acme.example"]


@both_dialects
def test_a_whole_life_needs_no_put(double: ScimDouble, dialect: Dialect) -> None:
    entra = _entra(double, dialect)
    ada, mei = entra.company.person("Ada Keller"), entra.company.person("Mei Chen")

    entra.move(ada, "admins", "viewers")
    entra.rename(entra.company.married(mei, "Moreau"))
    entra.rename_group("viewers", "readers")
    entra.leave(ada)

    assert {method for method, _ in double.requests()} == {"GET", "PATCH"}


@pytest.mark.parametrize(("dialect", "said"), [("entra", "False"), ("entra-flag", False)])
def test_a_leaver_is_inactive_however_the_dialect_says_it(double: ScimDouble, dialect: Dialect, said: object) -> None:
    entra = _entra(double, dialect)

    entra.leave(entra.company.person("Ada Keller"))

    assert double.user("ada.keller@acme.example")["active"] is False
    assert double.documents("PATCH")[0]["Operations"][0]["value"] == said


@both_dialects
def test_who_comes_back_is_active_without_any_word_about_groups(double: ScimDouble, dialect: Dialect) -> None:
    entra = _entra(double, dialect)
    ada = entra.company.person("Ada Keller")
    entra.leave(ada)
    double.seen.clear()

    entra.rehire(ada)

    assert double.user("ada.keller@acme.example")["active"] is True
    assert [path for _, path in double.requests() if "/Groups" in path] == []


def test_who_was_deleted_comes_back_as_somebody_new(double: ScimDouble) -> None:
    entra = _entra(double)
    ada = entra.company.person("Ada Keller")
    first = entra.user_ids[ada.key]
    entra.leave(ada)
    entra.purge(ada)
    double.users["in between"] = {"id": "in between", "userName": "x"}

    entra.rehire(ada, "viewers")

    assert first not in double.users
    assert double.user("ada.keller@acme.example")["id"] == entra.user_ids[ada.key]
    assert "ada.keller@acme.example" in double.members("viewers")


@both_dialects
def test_a_move_changes_both_groups(double: ScimDouble, dialect: Dialect) -> None:
    entra = _entra(double, dialect)

    entra.move(entra.company.person("Ada Keller"), "admins", "viewers")

    assert double.members("admins") == ["mei.chen@acme.example"]
    assert double.members("viewers") == ["ada.keller@acme.example", "omar.haddad@acme.example"]


@both_dialects
def test_a_hand_over_is_one_request(double: ScimDouble, dialect: Dialect) -> None:
    entra = _entra(double, dialect)
    ada, omar = entra.company.person("Ada Keller"), entra.company.person("Omar Haddad")

    entra.hand_over("admins", leaving=ada, joining=omar)

    assert double.members("admins") == ["mei.chen@acme.example", "omar.haddad@acme.example"]
    assert len(double.seen) == 1


@both_dialects
def test_a_new_name_changes_the_user_name_of_the_same_id(double: ScimDouble, dialect: Dialect) -> None:
    entra = _entra(double, dialect)
    known = double.user("ada.keller@acme.example")["id"]

    entra.rename(entra.company.married(entra.company.person("Ada Keller"), "Moreau"))

    assert double.user("ada.moreau@acme.example")["id"] == known


@both_dialects
def test_a_group_keeps_its_members_under_its_new_name(double: ScimDouble, dialect: Dialect) -> None:
    entra = _entra(double, dialect)

    entra.rename_group("admins", "platform admins")

    assert double.members("platform admins") == ["ada.keller@acme.example", "mei.chen@acme.example"]


def test_groups_are_never_read_with_their_members(double: ScimDouble) -> None:
    entra = Entra(Client(double.base_url, "right"), Company.of(TEAMS))

    entra.test_connection()
    entra.initial_cycle()
    entra.rename_group("admins", "platform admins")

    reads = [path for method, path in double.requests("GET") if "/Groups" in path]
    assert len(reads) == 4
    assert [path for path in reads if "excludedAttributes=members" not in path] == []


def test_many_members_go_in_batches_and_all_arrive(double: ScimDouble) -> None:
    company = Company.generate(MEMBERS_A_REQUEST + 20, 1, group_names=["everybody"])

    Entra(Client(double.base_url, "right"), company).initial_cycle()

    assert len(double.members("everybody")) == MEMBERS_A_REQUEST + 20
    sizes = [len(sent["Operations"][0]["value"]) for sent in double.documents("PATCH") if _is_push(sent)]
    assert sizes == [MEMBERS_A_REQUEST, 20]


def test_who_reports_to_somebody_gets_a_manager_as_a_bare_string(double: ScimDouble) -> None:
    company = Company.generate(5, 0)
    entra = Entra(Client(double.base_url, "right"), company)

    entra.initial_cycle()

    first = entra.user_ids[next(iter(company.people))]
    assert [sent["Operations"][0]["value"] for sent in double.documents("PATCH")] == [first]


def test_who_is_there_already_is_matched_told_the_object_id_and_enabled(double: ScimDouble) -> None:
    double.users["old"] = {"id": "old", "userName": "Ada.Keller@acme.example", "active": False}
    company = Company.of({"admins": ["Ada Keller"]})

    Entra(Client(double.base_url, "right"), company).initial_cycle()

    assert list(double.users) == ["old"]
    assert double.users["old"]["active"] is True
    assert double.users["old"]["externalId"] == company.person("Ada Keller").key


def test_a_group_that_is_there_already_is_matched_by_its_name(double: ScimDouble) -> None:
    double.groups["g"] = {"id": "g", "displayName": "admins", "members": {}}

    _entra(double)

    assert double.group("admins")["id"] == "g"
    assert len(double.members("admins")) == 2


def test_changed_attributes_are_sent_one_by_one_in_the_legacy_dialect(double: ScimDouble) -> None:
    entra = _entra(double)

    entra.update(entra.company.person("Ada Keller"))

    operations = double.documents("PATCH")[0]["Operations"]
    assert len(operations) > 5
    assert all("path" in operation for operation in operations)


def _is_push(document: dict[str, list[dict[str, str]]]) -> bool:
    return document["Operations"][0]["path"] == "members"
