"""What a person reads before approving is what the approval is held to."""

from hypothesis import given
from hypothesis import strategies as st

from scim_bridge.domain.approvals import Reason, held_document, plan_document, removals_in
from scim_bridge.domain.bindings import Family, shard_family
from scim_bridge.domain.organizations import ClusterId, OrganizationId
from scim_bridge.domain.planning import Plan, hold, hold_everything, plan_changes
from scim_bridge.domain.roles import KubernetesRole
from tests.domain.sightings import There

ACME, PROD = OrganizationId("acme"), ClusterId("prod")
EDIT, VIEW = Family(None, KubernetesRole.EDIT), Family("shop", KubernetesRole.VIEW)
people = st.sets(st.sampled_from([f"person-{number}" for number in range(12)]))


def plan(before: dict[Family, set[str]], after: dict[Family, set[str]], bits: int = 0) -> Plan:
    there = [There(each) for family, who in before.items() for each in shard_family(ACME, PROD, family, who, 0)]
    wanted = [each for family, who in after.items() for each in shard_family(ACME, PROD, family, who, bits)]
    return plan_changes(PROD, wanted, there)


@given(people, people, people, people, st.data())
def test_a_document_lists_exactly_the_removals_that_are_held(
    edit: set[str], view: set[str], edit_after: set[str], view_after: set[str], data: st.DataObject
) -> None:
    made = plan({EDIT: edit, VIEW: view}, {EDIT: edit_after, VIEW: view_after})
    kept = [each for each in made.removals if data.draw(st.booleans())]

    document = held_document(hold(made, kept), Reason.BRAKE)

    assert removals_in(document) == set(kept)
    assert document["gains"] == []


def test_a_first_plan_says_who_gains_what_and_who_loses_what() -> None:
    waiting = hold_everything(plan({EDIT: {"old"}}, {EDIT: {"ana", "bob"}, VIEW: {"cid"}}))

    document = held_document(waiting, Reason.FIRST_CONTACT)

    assert [(each["role"], each["namespace"], each["subjects"]) for each in document["gains"]] == [
        ("edit", None, ["ana", "bob"]),
        ("view", "shop", ["cid"]),
    ]
    assert [(each["role"], each["subjects"]) for each in document["loses"]] == [("edit", ["old"])]


def test_who_only_moves_to_another_shard_gains_and_loses_nothing() -> None:
    everybody = {f"person-{number}" for number in range(40)}

    document = plan_document(plan({EDIT: everybody}, {EDIT: everybody}, bits=2))

    assert document == {"gains": [], "loses": [], "held": []}


def test_a_plan_tells_what_goes_from_what_waits() -> None:
    made = plan({EDIT: {"ana", "bob"}}, {EDIT: set()})
    held = hold(made, [(EDIT, "bob")])

    document = plan_document(held)

    assert [each["subjects"] for each in document["loses"]] == [["ana"]]
    assert [each["subjects"] for each in document["held"]] == [["bob"]]
