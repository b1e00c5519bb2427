"""Whatever is done, in whatever order and through whatever door but SCIM's, a working owner remains."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scim_bridge.domain.actors import Actor
from scim_bridge.domain.deprovisioning import DeprovisionPolicy
from scim_bridge.errors import BridgeError, Refused
from scim_bridge.identity import (
    deprovisioning,
    expiry,
    grants,
    hand_groups,
    hand_members,
    invitation_ends,
    invitations,
    member_roles,
    member_states,
    organizations,
    reviews,
    rules,
)
from scim_bridge.identity.grants import GrantWanted
from scim_bridge.identity.invitations import InvitationWanted
from scim_bridge.identity.letters import Letters
from scim_bridge.identity.member_roles import RolesWanted
from scim_bridge.store.clock import now
from scim_bridge.store.database import Database
from scim_bridge.store.sealing import Keyring
from tests.identity.people import HANDS, as_person, hand_group, owners, put_owner, put_person
from tests.identity.provider import Provider

PEOPLE = ("ana@x.example", "bob@x.example", "carol@x.example")
KEY = "2G8sWYJ0mYz8nCk2j9mB3nJ5yqv8xv0mX3o1n4n2q0E="
LETTERS = Letters(Keyring((KEY,)), "https://bridge.example", 7)
OWNER = {"scope": "organization", "api_role": "owner"}
Step = Callable[[Database, str], Any]


def _review(database: Database, person: str) -> None:
    with time_machine.travel(now() + timedelta(days=400)):
        made = reviews.open_review(database, HANDS, "acme", "all", 30, "1d")
        reviews.decide(database, HANDS, "acme", made.review.id, person, "deactivate")


def _leave(database: Database, person: str) -> None:
    member_states.leave(database, as_person(database, person), "acme")


def _rule(database: Database, person: str) -> None:
    row = {"name": "all", "directory": "okta", "group": "Pushed", "scope": "organization", "api_role": "admin"}
    rules.apply(database, HANDS, "acme", {"rules": [row] if person == PEOPLE[0] else []})


def _time_passes(database: Database, _person: str) -> None:
    with time_machine.travel(now() + timedelta(days=50)):
        expiry.end_expired_grants(database)
        hand_members.end_expired_memberships(database)
        invitation_ends.end_expired_invitations(database)
        deprovisioning.purge_leavers(database)


STEPS: dict[str, Step] = {
    "make owner": lambda d, p: grants.add(d, HANDS, "acme", GrantWanted(person=p, **OWNER)),
    "make owner for a while": lambda d, p: grants.add(d, HANDS, "acme", GrantWanted(person=p, expires="2d", **OWNER)),
    "take owner": lambda d, p: grants.remove(d, HANDS, "acme", GrantWanted(person=p, **OWNER)),
    "deactivate": lambda d, p: member_states.deactivate(d, HANDS, "acme", p),
    "reactivate": lambda d, p: member_states.reactivate(d, HANDS, "acme", p),
    "remove": lambda d, p: member_states.remove(d, HANDS, "acme", p),
    "leave": _leave,
    "be owner": lambda d, p: member_roles.set_roles(d, HANDS, "acme", p, RolesWanted("owner")),
    "be admin": lambda d, p: member_roles.set_roles(d, HANDS, "acme", p, RolesWanted("admin", "edit")),
    "be nothing": lambda d, p: member_roles.set_roles(d, HANDS, "acme", p, RolesWanted("inherit", "inherit")),
    "group owns": lambda d, _: grants.add(d, HANDS, "acme", GrantWanted(group="Team", **OWNER)),
    "put in": lambda d, p: hand_members.add(d, HANDS, "acme", "Team", [p], "5d"),
    "take out": lambda d, p: hand_members.remove(d, HANDS, "acme", "Team", [p]),
    "delete group": lambda d, _: hand_groups.delete(d, HANDS, "acme", "Team"),
    "invite": lambda d, p: invitations.invite(d, LETTERS, HANDS, "acme", InvitationWanted(p, "owner")),
    "rule": _rule,
    "review": _review,
    "time passes": _time_passes,
}


@contextmanager
def _world(migrated: Path) -> Iterator[Database]:
    """Copy a database with two owners, one of them active, and a group."""
    with TemporaryDirectory() as folder:
        copied = shutil.copy(migrated, Path(folder) / "bridge.sqlite3")
        database = Database(f"sqlite:///{copied}")
        organizations.create(database, HANDS, "acme")
        Provider.connect(database)
        deprovisioning.set_policy(database, HANDS, "acme", "okta", DeprovisionPolicy(1))
        put_owner(database, PEOPLE[0])
        for person in PEOPLE[1:]:
            put_person(database, person)
        hand_group(database, "Team")
        yield database
        database.dispose()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(PEOPLE)), min_size=3, max_size=14))
def test_after_any_sequence_of_operations_a_working_owner_remains(
    migrated_sqlite: Path, steps: list[tuple[str, str]]
) -> None:
    with _world(migrated_sqlite) as database:
        for name, person in steps:
            with suppress(BridgeError):
                STEPS[name](database, person)

            assert owners(database) != set(), f"{name} {person}"


@pytest.mark.parametrize("name", sorted(set(STEPS) - {"invite", "make owner for a while", "group owns"}))
def test_every_operation_of_the_sequences_can_do_its_work(migrated_sqlite: Path, name: str) -> None:
    # A sequence in which everything is refused would keep an owner and show nothing.
    with _world(migrated_sqlite) as database:
        put_owner(database, PEOPLE[1])
        if name == "reactivate":
            STEPS["deactivate"](database, PEOPLE[1])
        if name in ("take out", "delete group"):
            STEPS["put in"](database, PEOPLE[1])

        STEPS[name](database, PEOPLE[1])

        assert owners(database) != set()


@pytest.mark.parametrize("name", ["make owner for a while", "group owns"])
def test_owner_is_never_granted_for_a_time_or_to_a_group(migrated_sqlite: Path, name: str) -> None:
    with _world(migrated_sqlite) as database, pytest.raises(Refused):
        STEPS[name](database, PEOPLE[1])


@pytest.mark.parametrize("name", ["deactivate", "remove", "be admin", "take owner", "leave"])
def test_of_two_owners_who_go_at_once_one_stays(database: Database, actor: Actor, name: str) -> None:
    hand_group(database, "Team")
    people = [put_owner(database, email) for email in PEOPLE[:2]]
    together = Barrier(2)
    refused: list[str] = []

    def go(email: str) -> None:
        own = Database(database.url.render_as_string(hide_password=False))
        together.wait()
        try:
            STEPS[name](own, email)
        except BridgeError as error:
            refused.append(str(error))
        own.dispose()

    threads = [Thread(target=go, args=(email,)) for email in PEOPLE[:2]]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(owners(database)) == 1
    assert len(refused) == 1
    assert owners(database) <= set(people)
    assert actor.is_trusted
