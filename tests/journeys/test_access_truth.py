"""
After a random history the real kube-apiserver says of everybody exactly what the rules say: 200 people, 20 actions, 3
namespaces, each asked as that very person.

What should be is worked out beside the bridge: a table of what each role allows, applied to the access that the grants
give. Nothing of how bindings are made, split, named or written is used for it.
"""

import json
import random
import shutil
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import urllib3

from scim_bridge.clusters.open import Target, open_gateway
from scim_bridge.domain.access import cluster_role, scope_roles
from scim_bridge.domain.organizations import ScopeKind, TargetKind
from scim_bridge.domain.people import MemberState
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.database import Database
from scim_bridge.store.installation import instance_id
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.store.snapshot import read_organization
from scim_bridge.sync import approvals
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.revocations import carry_out_removals
from tests.kube.client import REVIEWS
from tests.kube.server import KubeServer
from tests.kube.world import READ_PODS, WRITE_PODS, Rule, create_namespace, kubeconfig, wait_until
from tests.sync.worlds import CLI, World, make_world

pytestmark = pytest.mark.kube

PEOPLE, TEAMS = 200, 8
SEED = 20261125
SMALL = PassPolicy(subjects_per_binding=20)
RULES: dict[str, list[Rule]] = {"view": [READ_PODS], "edit": [WRITE_PODS]}
ACTIONS = [
    *((verb, "pods") for verb in ("get", "list", "watch", "create", "delete", "update", "patch", "deletecollection")),
    *((verb, "secrets") for verb in ("get", "list", "create", "delete")),
    *((verb, "configmaps") for verb in ("get", "list", "create", "delete")),
    *((verb, "services") for verb in ("get", "create")),
    *((verb, "deployments") for verb in ("get", "delete")),
]


class Asker:
    """Asks as somebody else, which only an administrator may."""

    def __init__(self, server: KubeServer) -> None:
        self._url = f"{server.url}{REVIEWS}/selfsubjectaccessreviews"
        self._token = server.token_of("admin")
        context = ssl.create_default_context(cadata=server.authority)
        self._pool = urllib3.PoolManager(maxsize=8, ssl_context=context, retries=False, timeout=60)

    def allowed(self, user: str, verb: str, resource: str, namespace: str) -> bool:
        attributes = {"verb": verb, "resource": resource, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Impersonate-User": user,
            "Impersonate-Group": "system:authenticated",
        }
        answer = self._pool.request("POST", self._url, body=json.dumps(review), headers=headers)
        assert answer.status == 201, answer.data
        return json.loads(answer.data)["status"]["allowed"] is True


@pytest.fixture
def world(migrated_sqlite: Path, tmp_path: Path, kube_server: KubeServer) -> Iterator[World]:
    database = Database(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'truth.sqlite3')}")
    made = make_world(database)
    with database.read() as connection:
        instance = instance_id(connection)
    target = Target(TargetKind.KUBERNETES, made.organization_id, made.cluster_id, instance, kubeconfig(kube_server))
    gateway = open_gateway(target)
    made.cluster = gateway  # type: ignore[assignment]
    yield made
    for each in gateway.list_bindings():
        gateway.delete(each)
    gateway.close()
    database.dispose()


def live(world: World, chance: random.Random, namespaces: list[str], own: str) -> None:
    """Let a company live: teams with roles here and there, people who come, move, leave and come back."""
    people = [world.add_member(f"{own}-{number:03}") for number in range(PEOPLE)]
    teams = [world.add_group(f"team-{number}") for number in range(TEAMS)]
    inside: dict[str, set[str]] = {team: set() for team in teams}
    world.give("view", group=teams[0])
    world.give("edit", group=teams[1])
    for number, namespace in enumerate(namespaces):
        scope = world.give_namespace("edit", teams[2 + number], namespace)
        world.give("view", group=teams[5 + number], scope=scope)
    for _ in range(3):
        for person in people:
            team = chance.choice(teams)
            if person in inside[team]:
                world.leave(team, person)
                inside[team].discard(person)
            else:
                world.join(team, person)
                inside[team].add(person)
        world.deactivate(*chance.sample(people, 25))
        work(world)
        world.activate(*chance.sample(people, 25))
        work(world)


def work(world: World) -> None:
    """Do what the scheduler does, and let every hold be released by the hour that passes."""
    for _ in range(3):
        world.at += timedelta(minutes=1)
        with world.database.write() as connection:
            spread_removals(connection, world.at)
        place = DueCluster(world.cluster_id, world.organization_id)
        carry_out_removals(world.database, world.cluster, place, lambda: world.at, lambda: True)
        world.reconcile(SMALL)
        for each in approvals.waiting(world.database, "acme"):
            approvals.approve(world.database, CLI, "acme", each.cluster, each.hash, clock=lambda: world.at)


def truth(world: World, namespaces: list[str]) -> dict[tuple[str, str, str, str], bool]:
    """Return what everybody should be allowed, from grants and the table of rules alone."""
    with world.database.read() as connection:
        snapshot = read_organization(connection, world.organization_id, world.at)
    found = {}
    for member_id, member in snapshot.members.items():
        grants = snapshot.grants_for(member_id) if member.state is MemberState.ACTIVE else []
        everywhere = cluster_role(snapshot.tree, world.cluster_id, grants).bound
        inside = {
            snapshot.tree.projects[scope.id].name: role  # type: ignore[index]
            for scope, role in scope_roles(grants).items()
            if scope.kind is ScopeKind.PROJECT
        }
        for namespace in namespaces:
            roles = [role.value for role in (everywhere, inside.get(namespace)) if role is not None]
            for verb, resource in ACTIONS:
                rules = [rule for role in roles for rule in RULES.get(role, [])]
                may = any(verb in rule["verbs"] and resource in rule["resources"] for rule in rules)
                found[member.user_name, verb, resource, namespace] = may
    return found


def test_the_cluster_itself_says_of_everybody_what_the_rules_say(world: World, kube_server: KubeServer) -> None:
    own = uuid4().hex[:8]
    namespaces = [f"{name}-{own}" for name in ("shop", "lab", "yard")]
    for namespace in namespaces:
        create_namespace(kube_server.client(), namespace)
    live(world, random.Random(SEED), namespaces, own)
    asker = Asker(kube_server)
    should = truth(world, namespaces)
    some = next(question for question, may in should.items() if may)
    wait_until(lambda: asker.allowed(*some))

    with ThreadPoolExecutor(8) as pool:
        said = dict(zip(should, pool.map(lambda question: asker.allowed(*question), should), strict=True))

    assert len(said) == PEOPLE * len(ACTIONS) * len(namespaces) == 12_000
    assert 500 < sum(should.values()) < 11_000
    assert [question for question in should if said[question] != should[question]] == []
