"""
The faults that can be produced on a real kube-apiserver, against every kind of change: the same claims as on the fake.

Some are made by a proxy before it (no answer, half an answer, 429, 500, lists with nothing in them), some by somebody
else's writes between ours, and some are the server's own: rights taken away, a process that stands still or is killed.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from scim_bridge.clusters import kubernetes
from scim_bridge.store.database import Database
from tests.kube.client import CRBS, NAMESPACES
from tests.kube.proxy import FaultyProxy
from tests.kube.server import KubeServer
from tests.kube.world import Rule, binding, wait_until
from tests.sync.real_cells import RULES, Access, RealCell, Rules
from tests.sync.worlds import make_world

pytestmark = pytest.mark.kube

NO_ANSWER = 0.3
TEAM = {f"team-{number:02}" for number in range(4)}
OTHERS = {"others-00", "others-01"}
Trouble = Callable[[RealCell], object]


@pytest.fixture
def cell(kube_server: KubeServer, migrated_sqlite: Path, tmp_path: Path) -> Iterator[RealCell]:
    file = tmp_path / "bridge.sqlite3"
    file.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{file}")
    world = make_world(database)
    with FaultyProxy(kube_server) as proxy:
        made = RealCell(uuid4().hex[:8], world, world.add_cluster("steady"), kube_server, proxy)
        made.begin()
        assert made.access == made.beside == {("", "edit"): TEAM, ("", "view"): OTHERS}
        yield made
        proxy.faults.clear()
        made.clean()
    database.dispose()


def silent(*verbs: str) -> Trouble:
    """Requests that are carried out or not, and never answered."""

    def begin(cell: RealCell) -> None:
        cell.open(NO_ANSWER)
        for verb in verbs:
            cell.proxy.faults.hang(verb)

    return begin


def without(verb: str, resource: str = "") -> Rules:
    """The bridge's rights, but for one verb."""
    left: Rules = []
    for rule in RULES:
        concerned = not resource or resource in rule["resources"]
        verbs = [each for each in rule["verbs"] if each != verb or not concerned]
        left += [rule | {"verbs": verbs}] if verbs else []
    return left


def narrowed(*rules: Rule) -> Trouble:
    return lambda cell: cell.give(list(rules))


def between(meddle: Callable[[RealCell, str, str], object], *verbs: str) -> Trouble:
    """Let somebody else write just before each of our writes to a binding."""

    def begin(cell: RealCell) -> None:
        def before(verb: str, path: str) -> None:
            if verb in verbs and "bindings" in path:
                meddle(cell, verb, path)

        cell.proxy.before = before

    return begin


def label(cell: RealCell, _verb: str, path: str) -> None:
    assert cell.admin.merge(path, {"metadata": {"labels": {"touched": uuid4().hex}}}).status in (200, 404)


def take_away(cell: RealCell, _verb: str, path: str) -> None:
    cell.admin.delete(path)


def make_first(cell: RealCell, _verb: str, path: str) -> None:
    """Create a binding of somebody else's under the name that we are about to create."""
    name = _name_to_come(cell)
    cell.strangers.append(f"{path}/{name}")
    cell.admin.post(path, binding(name, "view", "eve", namespace=cell.shop))


def _name_to_come(cell: RealCell) -> str:
    from scim_bridge.domain.bindings import Family, binding_name, shard_family
    from scim_bridge.domain.roles import KubernetesRole
    from scim_bridge.store.installation import instance_id

    with cell.world.database.write() as connection:
        instance = instance_id(connection)
    place = (cell.world.organization_id, cell.world.cluster_id, Family(cell.shop, KubernetesRole.VIEW))
    return binding_name(instance, shard_family(*place, ["x"], 0)[0].key)


FAULTS: dict[str, Trouble] = {
    "nothing is answered": silent("*"),
    "the list is not answered": silent("list"),
    "writes are carried out and not answered": silent("create", "patch", "delete"),
    "connections are cut": lambda cell: cell.proxy.faults.reset(),
    "answers break off in the middle": lambda cell: cell.proxy.faults.truncate(),
    "it asks for patience": lambda cell: cell.proxy.faults.fail(status=429, reason="TooManyRequests", retry_after=1),
    "it answers 500": lambda cell: cell.proxy.faults.fail(status=500, reason="InternalError"),
    "it answers a page": lambda cell: cell.proxy.faults.garbage(b"<html>Welcome</html>"),
    "the list is empty by mistake": lambda cell: cell.proxy.faults.lie_empty(),
    "the list leaves half out": lambda cell: cell.proxy.faults.lie_half(),
    "bind was lost": narrowed(*without("bind")),
    "writes are forbidden": narrowed(*[rule | {"verbs": ["get", "list"]} for rule in RULES if "list" in rule["verbs"]]),
    "deletes are forbidden": narrowed(*without("delete")),
    "lists are forbidden": narrowed(*without("list", "clusterrolebindings")),
    "everything is forbidden": narrowed(),
    "somebody edits each binding first": between(label, "patch", "delete"),
    "somebody deletes each binding first": between(take_away, "patch", "delete"),
    "somebody is first with the name": between(make_first, "create"),
}


def end(cell: RealCell) -> None:
    cell.proxy.faults.clear()
    cell.proxy.before = None
    for path in cell.strangers:
        cell.admin.delete(path)
    cell.open()
    cell.give(RULES)


def create(cell: RealCell) -> Access:
    """Give the team a role in a namespace: an object that is not there yet."""
    cell.world.give_namespace("view", cell.group, cell.shop)
    return {("", "edit"): TEAM, (cell.shop, "view"): TEAM}


def grow(cell: RealCell) -> Access:
    cell.world.join(cell.group, cell.world.add_member("newcomer"))
    return {("", "edit"): {*TEAM, "newcomer"}}


def shrink(cell: RealCell) -> Access:
    """Let one be asked to leave, and one be missing from a list."""
    cell.world.deactivate(cell.people[0])
    cell.world.leave(cell.group, cell.people[1])
    return {("", "edit"): {"team-02", "team-03"}}


def delete(cell: RealCell) -> Access:
    """Let everybody of the team be asked to leave: the object goes."""
    cell.world.deactivate(*cell.people)
    return {}


CHANGES: dict[str, Callable[[RealCell], Access]] = {"create": create, "grow": grow, "shrink": shrink, "delete": delete}


def require_kept(before: Access, during: Access, desired: Access, *, but: bool = False) -> None:
    """Whoever should have it and had it has it still, and those who are not concerned too."""
    assert during.get(("", "view")) == OTHERS
    for place, people in before.items():
        kept = people & desired.get(place, set())
        assert but or kept <= during.get(place, set()), "somebody lost access that nobody asked to take"


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_is_wrong_with_a_real_cluster(cell: RealCell, fault: str, change: str) -> None:
    before = cell.access
    FAULTS[fault](cell)

    desired = CHANGES[change](cell) | {("", "view"): OTHERS}
    cell.work()
    during, beside = cell.access, cell.beside
    health, conditions = cell.world.health()[0], cell.world.conditions()
    end(cell)
    for _ in range(3):
        cell.work()

    # Without bind a leaver's shard is deleted whole, and who deletes a binding before us takes it from everybody.
    fails_closed = (fault, change) == ("bind was lost", "shrink") or fault == "somebody deletes each binding first"
    require_kept(before, during, desired, but=fails_closed)
    assert beside == desired
    assert cell.access == desired
    assert (cell.world.health()[0], cell.world.conditions()) == ("ok", [])
    untouched = during == desired and health == "ok"
    assert untouched or health in ("degraded", "failing"), (health, conditions)


def all_at_once(cell: RealCell) -> tuple[Access, Access]:
    """Every kind of change in one moment, and who holds what before and after it."""
    goners, people = cell.world.add_group("goners"), [cell.world.add_member(f"goner-{number}") for number in range(2)]
    cell.world.join(goners, *people)
    cell.world.give_namespace("view", goners, cell.name)
    cell.work()
    before = cell.access
    cell.world.give_namespace("view", cell.group, cell.shop)
    cell.world.join(cell.group, cell.world.add_member("newcomer"))
    cell.world.deactivate(cell.people[0], *people)
    left = {*TEAM, "newcomer"} - {"team-00"}
    return before, {("", "edit"): left, (cell.shop, "view"): left, ("", "view"): OTHERS}


def require_over(cell: RealCell, before: Access, during: Access, desired: Access, told: str) -> None:
    """Nothing was lost nor given while it lasted, it was told, the other cluster went on, and now all is as desired."""
    health, conditions = cell.world.health()[0], cell.world.conditions()
    beside = cell.beside
    end(cell)
    for _ in range(3):
        cell.work()

    assert during == before
    assert (health, conditions) == ("failing", [told])
    assert beside == cell.access == desired
    assert (cell.world.health()[0], cell.world.conditions()) == ("ok", [])


def test_a_server_that_stands_still_holds_up_nothing_and_goes_on_where_it_was(cell: RealCell) -> None:
    before, desired = all_at_once(cell)
    cell.open(NO_ANSWER)
    cell.server.pause()
    try:
        cell.work()
    finally:
        cell.server.resume()

    require_over(cell, before, cell.access, desired, "Unreachable")


def test_a_server_that_was_killed_is_caught_up_with_once_it_is_back(cell: RealCell) -> None:
    before, desired = all_at_once(cell)
    cell.server.kill()
    cell.work()
    cell.server.start_again()

    require_over(cell, before, cell.access, desired, "Unreachable")


def test_a_credential_that_was_revoked_changes_nothing_until_there_is_another(cell: RealCell) -> None:
    before, desired = all_at_once(cell)
    bridge = cell.client()
    cell.admin.delete(f"{NAMESPACES}/{cell.name}/serviceaccounts/{cell.name}")
    # The server remembers for ten seconds who a token was.
    wait_until(lambda: bridge.get(CRBS).status == 401, patience=30)
    cell.work()
    during = cell.access
    cell.sign_in()

    require_over(cell, before, during, desired, "AccessDenied")


def test_a_list_whose_state_is_compacted_away_between_its_pages_takes_nothing_away(
    cell: RealCell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes, "PAGE", 1)
    cell.world.give_namespace("view", cell.group, cell.shop)
    cell.work()
    before = cell.access
    cell.world.leave(cell.group, cell.people[1])

    def forget(verb: str, _path: str) -> None:
        if verb == "list":
            label(cell, verb, f"{NAMESPACES}/{cell.name}")
            cell.server.compact()

    cell.proxy.before = forget
    cell.work()
    during, conditions, error = cell.access, cell.world.conditions(), cell.world.health()[1]
    end(cell)
    cell.work()

    assert (during, conditions) == (before, ["Unreachable"])
    assert "the pages expired" in str(error)
    assert (
        cell.access
        == cell.beside
        == {**before, ("", "edit"): TEAM - {"team-01"}, (cell.shop, "view"): TEAM - {"team-01"}}
    )
