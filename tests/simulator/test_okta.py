"""Okta as it behaves: what the server holds afterwards, and what it had to be asked for that."""

import pytest

from scim_bridge.errors import NotFound, RequestFailed, SimulatorError
from scim_bridge.simulator import Client, Company, Okta
from scim_bridge.simulator.wire import Dialect
from tests.simulator.scim_double import ScimDouble

TEAMS = {"admins": ["Ada Keller", "Mei Chen"], "viewers": ["Omar Haddad"]}


def _okta(double: ScimDouble, dialect: Dialect = "okta") -> Okta:
    okta = Okta(Client(double.base_url, "right"), Company.of(TEAMS), dialect)
    okta.initial_cycle()
    double.seen.clear()
    return okta


both_apps = pytest.mark.parametrize("dialect", ["okta", "okta-aiw"])


@both_apps
def test_the_first_cycle_brings_everybody_and_every_group(double: ScimDouble, dialect: Dialect) -> None:
    _okta(double, dialect)

    assert len(double.users) == 3
    assert double.members("admins") == ["ada.keller@acme.example", "mei.chen@acme.example"]
    assert double.members("viewers") == ["omar.haddad@acme.example"]


def test_everybody_is_looked_up_before_being_created(double: ScimDouble) -> None:
    okta = Okta(Client(double.base_url, "right"), Company.of({"admins": ["Ada Keller"]}))

    okta.initial_cycle()

    assert [method for method, _ in double.requests()] == ["GET", "POST", "GET", "POST", "PATCH", "PATCH", "PATCH"]
    assert double.requests()[0][1].startswith("/scim/v2/Users?filter=userName%20eq%20%22ada.keller%40acme.example%22&")


def test_who_is_there_already_is_taken_over_with_oktas_profile(double: ScimDouble) -> None:
    double.users["old"] = {"id": "old", "userName": "ADA.keller@acme.example", "active": False}
    okta = Okta(Client(double.base_url, "right"), Company.of({"admins": ["Ada Keller"]}))

    okta.initial_cycle()

    assert list(double.users) == ["old"]
    assert double.users["old"]["active"] is True
    assert double.users["old"]["displayName"] == "Ada Keller"


def test_a_group_that_is_there_already_keeps_the_members_it_has(double: ScimDouble) -> None:
    double.users["eve"] = {"id": "eve", "userName": "eve@acme.example"}
    double.groups["g"] = {"id": "g", "displayName": "admins", "members": {"eve": None}}

    _okta(double)

    assert double.members("admins") == ["ada.keller@acme.example", "eve@acme.example", "mei.chen@acme.example"]


def test_okta_takes_404_for_nobody(double: ScimDouble) -> None:
    double.answer_once("GET", "/Users?filter", 404, document={"detail": "Nobody."})
    okta = Okta(Client(double.base_url, "right"), Company.of({"admins": ["Ada Keller"]}))

    okta.initial_cycle()

    assert len(double.users) == 1


def test_a_lookup_that_fails_creates_nobody(double: ScimDouble) -> None:
    double.answer_once("GET", "/Users?filter", 500)
    okta = Okta(Client(double.base_url, "right"), Company.of({"admins": ["Ada Keller"]}))

    with pytest.raises(RequestFailed, match="was answered 500"):
        okta.initial_cycle()

    assert double.users == {}


def test_an_empty_answer_to_a_create_is_a_failure(double: ScimDouble) -> None:
    double.answer_once("POST", "/Users", 201)
    okta = Okta(Client(double.base_url, "right"), Company.of({"admins": ["Ada Keller"]}))

    with pytest.raises(RequestFailed, match="the answer has no id"):
        okta.initial_cycle()


@both_apps
def test_a_leaver_is_inactive_and_stays_in_the_groups(double: ScimDouble, dialect: Dialect) -> None:
    okta = _okta(double, dialect)

    answer = okta.leave(okta.company.person("Ada Keller"))

    assert double.user("ada.keller@acme.example")["active"] is False
    assert "ada.keller@acme.example" in double.members("admins")
    assert answer.answered_at > 0


@pytest.mark.parametrize(("dialect", "method"), [("okta", "PATCH"), ("okta-aiw", "PUT")])
def test_each_kind_of_app_deactivates_in_its_own_way(double: ScimDouble, dialect: Dialect, method: str) -> None:
    okta = _okta(double, dialect)

    okta.leave(okta.company.person("Ada Keller"))

    assert [asked for asked, _ in double.requests()] == [method]


@both_apps
def test_who_comes_back_is_active_without_any_word_about_groups(double: ScimDouble, dialect: Dialect) -> None:
    okta = _okta(double, dialect)
    ada = okta.company.person("Ada Keller")
    okta.leave(ada)
    double.seen.clear()

    okta.rehire(ada)

    assert double.user("ada.keller@acme.example")["active"] is True
    assert [path for _, path in double.requests() if "/Groups" in path] == []


@both_apps
def test_a_move_changes_both_groups(double: ScimDouble, dialect: Dialect) -> None:
    okta = _okta(double, dialect)

    okta.move(okta.company.person("Ada Keller"), "admins", "viewers")

    assert double.members("admins") == ["mei.chen@acme.example"]
    assert double.members("viewers") == ["ada.keller@acme.example", "omar.haddad@acme.example"]


def test_a_hand_over_is_one_request_and_the_name_once_more(double: ScimDouble) -> None:
    okta = _okta(double)
    ada, omar = okta.company.person("Ada Keller"), okta.company.person("Omar Haddad")

    okta.hand_over("admins", leaving=ada, joining=omar)

    assert double.members("admins") == ["mei.chen@acme.example", "omar.haddad@acme.example"]
    members, name = double.documents("PATCH")
    assert [operation["op"] for operation in members["Operations"]] == ["remove", "add"]
    assert name["Operations"][0]["value"]["displayName"] == "admins"


@both_apps
def test_joining_and_dropping_touch_one_group_only(double: ScimDouble, dialect: Dialect) -> None:
    okta = _okta(double, dialect)
    ada = okta.company.person("Ada Keller")

    okta.join(ada, "viewers")
    okta.drop(ada, "admins")

    assert double.members("viewers") == ["ada.keller@acme.example", "omar.haddad@acme.example"]
    assert double.members("admins") == ["mei.chen@acme.example"]


@both_apps
def test_a_new_name_arrives_as_a_whole_profile_on_the_same_id(double: ScimDouble, dialect: Dialect) -> None:
    okta = _okta(double, dialect)
    ada = okta.company.person("Ada Keller")
    known = double.user("ada.keller@acme.example")["id"]

    okta.rename(okta.company.married(ada, "Moreau"))

    assert double.user("ada.moreau@acme.example")["id"] == known
    assert [method for method, _ in double.requests()] == ["GET", "PUT"]


@both_apps
def test_a_group_keeps_its_members_under_its_new_name(double: ScimDouble, dialect: Dialect) -> None:
    okta = _okta(double, dialect)

    okta.rename_group("admins", "platform admins")

    assert double.members("platform admins") == ["ada.keller@acme.example", "mei.chen@acme.example"]
    assert len(double.groups) == 2


@both_apps
def test_a_push_now_makes_the_group_exactly_what_okta_knows(double: ScimDouble, dialect: Dialect) -> None:
    okta = _okta(double, dialect)
    double.group("admins")["members"] = {"u3": None}

    okta.push_now("admins")

    assert double.members("admins") == ["ada.keller@acme.example", "mei.chen@acme.example"]


def test_an_import_reads_every_page(double: ScimDouble) -> None:
    for number in range(250):
        double.users[f"x{number}"] = {"id": f"x{number}", "userName": f"x{number}@acme.example"}
    okta = Okta(Client(double.base_url, "right"), Company())

    found = okta.import_users()

    assert [user["id"] for user in found] == list(double.users)
    assert len(double.seen) == 3


def test_a_deleted_group_is_gone_and_its_people_are_not(double: ScimDouble) -> None:
    okta = _okta(double)

    okta.delete_group("admins")

    assert [group["displayName"] for group in double.groups.values()] == ["viewers"]
    assert len(double.users) == 3


def test_who_was_never_sent_cannot_leave(double: ScimDouble) -> None:
    okta = _okta(double)

    with pytest.raises(SimulatorError, match=r"mei\.chen2@acme\.example was never created"):
        okta.leave(okta.company.newcomer("Mei Chen"))


def test_a_group_that_was_never_pushed_cannot_change(double: ScimDouble) -> None:
    okta = _okta(double)
    okta.company.found_group("auditors", [])

    with pytest.raises(SimulatorError, match="auditors was never created"):
        okta.join(okta.company.person("Ada Keller"), "auditors")


def test_nobody_is_hired_into_a_group_that_does_not_exist(double: ScimDouble) -> None:
    okta = _okta(double)

    with pytest.raises(NotFound):
        okta.hire(okta.company.newcomer("Eve Sato"), "auditors")

    assert len(double.users) == 3


def test_a_hire_arrives_with_the_groups_to_start_with(double: ScimDouble) -> None:
    okta = _okta(double)

    okta.hire(okta.company.newcomer("Eve Sato"), "admins", "viewers")

    assert "eve.sato@acme.example" in double.members("admins")
    assert "eve.sato@acme.example" in double.members("viewers")
