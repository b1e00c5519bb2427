"""The company that is simulated: repeatable, of the size that was asked for, with names that a test can rely on."""

import pytest

from scim_bridge.errors import Invalid, NotFound
from scim_bridge.simulator.company import Company

TEAMS = {"platform-admins": ["Ada Keller", "Björn O'Neill"], "payments-developers": ["Ada Keller", "Mei Chen"]}


def _picture(company: Company) -> object:
    groups = {group.name: company.members(group) for group in company.groups.values()}
    return list(company.people.values()), list(company.groups), groups


def test_the_same_seed_makes_the_same_company() -> None:
    first, second = (Company.generate(60, 5, seed=7) for _ in range(2))

    assert _picture(first) == _picture(second)
    assert first.newcomer() == second.newcomer()


def test_another_seed_or_another_domain_makes_other_people() -> None:
    pictures = [
        Company.generate(10, 2, seed=1),
        Company.generate(10, 2, seed=2),
        Company.generate(10, 2, domain="b.example"),
    ]

    keys = [frozenset(company.people) for company in pictures]

    assert len(set(keys)) == 3


def test_a_company_has_the_size_that_was_asked_for() -> None:
    company = Company.generate(500, 90)

    assert len(company.people) == 500
    assert len({group.name for group in company.groups.values()}) == 90
    assert all(company.groups_of(person) for person in company.people.values())


def test_no_two_people_share_a_user_name_even_when_names_run_out() -> None:
    company = Company.generate(6000, 0)

    names = {person.user_name for person in company.people.values()}

    assert len(names) == 6000
    assert all(name.isascii() for name in names)


def test_groups_can_be_named_before_the_others_are_invented() -> None:
    company = Company.generate(4, 3, group_names=["platform-admins"])

    names = [group.name for group in company.groups.values()]

    assert names[0] == "platform-admins"
    assert len(names) == 3


def test_a_company_of_named_groups_has_exactly_those_people() -> None:
    company = Company.of(TEAMS, domain="acme.example")

    assert [person.user_name for person in company.people.values()] == [
        "ada.keller@acme.example",
        "bjorn.oneill@acme.example",
        "mei.chen@acme.example",
    ]
    assert [p.given_name for p in company.members(company.group("payments-developers"))] == ["Ada", "Mei"]


def test_somebody_is_found_by_full_name_and_by_user_name() -> None:
    company = Company.of(TEAMS)

    assert company.person("Mei Chen") == company.person("mei.chen@acme.example")


def test_a_stranger_and_an_unknown_group_are_not_found() -> None:
    company = Company.of(TEAMS)

    with pytest.raises(NotFound, match=r"Nobody at acme\.example is called Eve\."):
        company.person("Eve")
    with pytest.raises(NotFound, match=r"has no group auditors\."):
        company.group("auditors")


def test_a_newcomer_does_not_work_there_before_being_employed() -> None:
    company = Company.of(TEAMS)

    newcomer = company.newcomer("Mei Chen", department="Finance")

    assert newcomer.user_name == "mei.chen2@acme.example"
    assert newcomer.department == "Finance"
    assert newcomer not in company.working()


def test_who_leaves_stays_in_the_groups_and_who_is_forgotten_does_not() -> None:
    company = Company.of(TEAMS)
    ada, mei = company.person("Ada Keller"), company.person("Mei Chen")

    company.see_off(ada)
    company.forget(mei)

    assert company.members(company.group("payments-developers")) == [ada]
    assert [person.given_name for person in company.working()] == ["Björn"]


def test_a_new_family_name_brings_a_new_user_name_for_the_same_key() -> None:
    company = Company.of(TEAMS)
    ada = company.person("Ada Keller")

    married = company.married(ada, "Van Dijk")

    assert (married.key, married.user_name) == (ada.key, "ada.vandijk@acme.example")
    assert married.display_name == "Ada Van Dijk"


def test_every_fifth_person_reports_to_the_first() -> None:
    company = Company.generate(10, 0)

    first, *others = company.people.values()

    assert [person.manager for person in others if person.manager] == [first.key] * 2


def test_two_groups_of_one_name_are_refused() -> None:
    company = Company.of(TEAMS)

    with pytest.raises(Invalid, match="has a group platform-admins already"):
        company.found_group("platform-admins", [])


def test_a_company_of_less_than_nobody_is_refused() -> None:
    with pytest.raises(Invalid, match="no fewer than 0"):
        Company.generate(-1, 0)
