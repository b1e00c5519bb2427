"""Nobody becomes somebody by writing their address."""

from dataclasses import replace

import pytest

from scim_bridge.domain.adoption import Candidate, checked_domain, domain_of, objection
from scim_bridge.domain.people import DirectoryState, MemberId, MemberState
from scim_bridge.errors import Invalid

ANA = Candidate(MemberId("1"), MemberState.ACTIVE, frozenset({"ana@acme.example"}))
DOMAINS = {"acme.example"}


def objected(
    *candidates: Candidate,
    domains: set[str] = DOMAINS,
    state: DirectoryState = DirectoryState.ACTIVE,
    active: bool = True,
) -> bool:
    return objection(candidates, domains, state, active=active) is not None


def test_one_person_on_a_domain_of_the_organization_is_adopted() -> None:
    assert not objected(ANA)
    assert not objected(replace(ANA, state=MemberState.INVITED))
    assert not objected(replace(ANA, api_roles=frozenset({"developer", "viewer"})))


@pytest.mark.parametrize("domains", [set(), {"example"}, {"globex.example"}, {"sub.acme.example"}, {"", "acme"}])
def test_an_address_elsewhere_is_never_enough(domains: set[str]) -> None:
    assert objected(ANA, domains=domains)


@pytest.mark.parametrize("name", ["ana@acme.example@evil.example", "ana@sub.acme.example", "acme.example", "ana"])
def test_only_the_domain_of_what_both_have_vouches(name: str) -> None:
    assert objected(replace(ANA, matched=frozenset({name})))


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_owners_and_admins_are_never_adopted(role: str) -> None:
    assert objected(replace(ANA, api_roles=frozenset({role, "viewer"})))


def test_whoever_was_deactivated_here_does_not_come_back_unasked() -> None:
    assert objected(replace(ANA, state=MemberState.DEACTIVATED))


def test_of_two_who_could_be_meant_nobody_is() -> None:
    assert objected(ANA, replace(ANA, member_id=MemberId("2")))


def test_a_pending_directory_and_an_inactive_user_take_nobody_over() -> None:
    assert objected(ANA, state=DirectoryState.PENDING)
    assert objected(ANA, active=False)


@pytest.mark.parametrize(("name", "domain"), [("ana@acme.example", "acme.example"), ("ana", ""), ("@", ""), ("a@", "")])
def test_a_name_has_the_domain_after_its_last_at(name: str, domain: str) -> None:
    assert domain_of(name) == domain


@pytest.mark.parametrize(
    ("text", "domain"), [("ACME.example", "acme.example"), (" acme.example. ", "acme.example"), ("xn--a.b", "xn--a.b")]
)
def test_a_domain_has_one_form(text: str, domain: str) -> None:
    assert checked_domain(text) == domain


@pytest.mark.parametrize(
    "text", ["", "acme", "a@acme.example", "*.acme.example", "-a.b", "a..b", f"{'a' * 64}.b", "ä.b"]
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        checked_domain(text)
