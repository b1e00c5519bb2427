"""A default role is for those whom a directory brought and no rule maps, and for nobody unless it is switched on."""

import pytest

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.brakes import BrakeLimits
from scim_bridge.domain.default_roles import DefaultRole, checked_default
from scim_bridge.domain.people import DirectoryKind, MemberState
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.errors import Invalid, PreviewOutdated, Refused
from scim_bridge.identity import access, default_roles, directories, grants, organizations, rules
from scim_bridge.identity.callers import authenticate
from scim_bridge.identity.default_roles import DefaultWanted
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.store.database import Database
from scim_bridge.store.people import insert_account, insert_member
from tests.identity.provider import HANDS, Provider, actions, rows, state_of
from tests.identity.rows import begin, put_cluster

VIEWER = DefaultRole("viewer", KubernetesRole.VIEW)


@pytest.fixture
def okta(database: Database) -> Provider:
    """Connect acme's identity provider, and map one of its groups."""
    provider = Provider.connect(database)
    put_cluster(database, "prod")
    row = {"name": "devs", "directory": "okta", "group": "devs", "scope": "cluster:prod", "kubernetes_role": "edit"}
    rules.apply(database, HANDS, "acme", {"rules": [row]})
    return provider


def switch(okta: Provider, role: DefaultRole | None = VIEWER, directory: str | None = None) -> None:
    wanted = DefaultWanted(role, directory)
    seen = default_roles.preview(okta.database, HANDS, "acme", wanted)
    default_roles.set_default(okta.database, HANDS, "acme", wanted, seen.hash)


def has(okta: Provider, person: str) -> tuple[tuple[str, ...], str | None]:
    found = access.explain(okta.database, HANDS, "acme", person)
    return found.api_roles, found.clusters[0].role


def test_nobody_has_a_default_unless_it_is_switched_on(okta: Provider) -> None:
    okta.post("ana")

    assert has(okta, "ana") == ((), None)
    assert default_roles.list_all(okta.database, "acme") == []


def test_who_is_provisioned_and_unmapped_gets_it_and_says_where_from(okta: Provider) -> None:
    okta.post("ana")
    switch(okta)
    okta.post("later")

    assert has(okta, "ana") == has(okta, "later") == (("viewer",), "view")
    explained = access.explain(okta.database, HANDS, "acme", "ana").clusters[0]
    assert [reason.origins for reason in explained.reasons] == [("default",)]


def test_who_is_mapped_a_moment_later_has_it_no_more_and_gets_it_back(okta: Provider) -> None:
    ana = okta.post("ana")
    group = okta.post_group("devs")
    switch(okta)

    okta.add(group.id, ana.id)
    mapped = has(okta, "ana")
    okta.remove(group.id, ana.id)

    assert mapped == ((), "edit")
    assert has(okta, "ana") == (("viewer",), "view")


def test_whom_nobody_provisioned_has_none(okta: Provider) -> None:
    with okta.database.write() as connection:
        change = begin(connection)
        insert_member(connection, change, insert_account(connection, change, "bob@acme.example"), "bob@acme.example")
    switch(okta)

    assert has(okta, "bob@acme.example") == ((), None)


def test_a_leaver_has_none(okta: Provider) -> None:
    ana = okta.post("ana")
    switch(okta)

    okta.patch(ana.id, active=False)

    assert state_of(okta.database, ana.member_id) is MemberState.DEACTIVATED
    assert has(okta, "ana") == ((), None)


def test_an_explicit_nothing_by_hand_stands_against_it(okta: Provider) -> None:
    okta.post("ana")
    switch(okta)

    grants.add(okta.database, HANDS, "acme", GrantWanted("organization", person="ana", kubernetes_role="none"))

    assert has(okta, "ana") == (("viewer",), "none")


def test_a_directory_says_it_for_itself_or_says_nothing(okta: Provider) -> None:
    okta.post("ana")
    entra = Provider.connect(okta.database, "entra")
    entra.post("eve")
    switch(okta)
    switch(okta, DefaultRole("developer"), "entra")
    own = has(okta, "eve")
    switch(okta, DefaultRole(), "entra")

    assert own == (("developer",), None)
    assert (has(okta, "ana"), has(okta, "eve")) == ((("viewer",), "view"), ((), None))
    switch(okta, None, "entra")
    assert has(okta, "eve") == (("viewer",), "view")


def test_a_pending_directory_gives_none(okta: Provider) -> None:
    made = directories.create(okta.database, HANDS, "acme", "new", DirectoryKind.OKTA, pending=True)
    assert made.token is not None
    switch(okta)
    with okta.database.read() as connection:
        provider = Provider(okta.database, authenticate(connection, made.token.text), made.token.text)

    provider.post("nia")

    assert has(okta, "nia") == ((), None)


def test_the_preview_says_who_gains_it_and_switching_it_on_is_that(okta: Provider) -> None:
    okta.post("ana")
    wanted = DefaultWanted(VIEWER)
    before = rows(okta.database, "fact")

    seen = default_roles.preview(okta.database, HANDS, "acme", wanted)
    untouched = rows(okta.database, "fact")
    made = default_roles.set_default(okta.database, HANDS, "acme", wanted, seen.hash)

    assert untouched == before
    assert seen.effects.gains.by_person == {"ana": ["API role viewer at organization", "view in cluster prod"]}
    assert made == seen
    assert actions(okta.database)[-1] == "default_role.set"


def test_a_preview_that_does_not_hold_any_more_switches_nothing(okta: Provider) -> None:
    seen = default_roles.preview(okta.database, HANDS, "acme", DefaultWanted(VIEWER))
    okta.post("ana")

    with pytest.raises(PreviewOutdated):
        default_roles.set_default(okta.database, HANDS, "acme", DefaultWanted(VIEWER), seen.hash)

    assert default_roles.list_all(okta.database, "acme") == []


def test_switching_it_off_for_many_has_to_be_seen_and_then_needs_no_approval(okta: Provider, actor: Actor) -> None:
    for number in range(5):
        okta.post(f"user{number}")
    switch(okta)
    few = BrakeLimits(subjects=2)

    with pytest.raises(Refused, match="5 people"):
        default_roles.set_default(okta.database, actor, "acme", DefaultWanted(None), limits=few)
    switch(okta, None)

    assert has(okta, "user0") == ((), None)
    assert [row["removals"] for row in rows(okta.database, "plan")] == [5]


@pytest.mark.parametrize(
    ("api_role", "kubernetes_role"),
    [("owner", None), ("admin", None), ("king", None), (None, "cluster-admin"), (None, "root")],
)
def test_power_is_never_a_default(api_role: str | None, kubernetes_role: str | None) -> None:
    with pytest.raises(Invalid):
        checked_default(api_role, kubernetes_role)


def test_another_organizations_people_get_none_of_it(okta: Provider) -> None:
    organizations.create(okta.database, HANDS, "globex")
    other = Provider.connect(okta.database, "okta", "globex")
    other.post("gus")
    switch(okta)

    assert access.explain(okta.database, HANDS, "globex", "gus").api_roles == ()
