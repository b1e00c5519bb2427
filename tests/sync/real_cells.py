"""A world whose cluster is a real kube-apiserver behind a proxy, with a cluster beside it that is well."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from scim_bridge.clusters.bootstrap import cluster_role
from scim_bridge.clusters.gateway import Gateway
from scim_bridge.clusters.open import Target, open_gateway
from scim_bridge.domain.bindings import CLUSTER_LABEL
from scim_bridge.domain.organizations import TargetKind
from scim_bridge.domain.roles import KubernetesRole
from scim_bridge.store.change_queue import DueCluster
from scim_bridge.store.installation import instance_id
from scim_bridge.store.removal_queue import spread_removals
from scim_bridge.sync.policies import PassPolicy
from scim_bridge.sync.reconciler import reconcile_cluster
from scim_bridge.sync.revocations import carry_out_removals
from tests.kube.client import CLUSTER_ROLES, CRBS, NAMESPACES, RBAC, KubeClient
from tests.kube.proxy import FaultyProxy
from tests.kube.server import KubeServer
from tests.kube.world import binding, create, create_namespace, give_rules, kubeconfig, wait_until
from tests.sync.worlds import World, team

Access = dict[tuple[str, str], set[str]]
Rules = list[dict[str, Any]]
ROLES = [KubernetesRole.EDIT, KubernetesRole.VIEW]
RULES: Rules = cluster_role("bridge", ROLES)["rules"]
LONG = 1000 * 86_400
"""No end of a credential that a pass would tell of, whatever the world's clock says."""
QUESTIONS = "authorization.k8s.io"


@dataclass
class RealCell:
    """The world, its account on the server, and what it has there."""

    own: str
    world: World
    steady: World
    server: KubeServer
    proxy: FaultyProxy
    token: str = ""
    group: str = ""
    people: list[str] = field(default_factory=list)
    gateway: Gateway | None = None
    strangers: list[str] = field(default_factory=list)
    """Paths of what others put there."""

    @property
    def admin(self) -> KubeClient:
        return self.server.client()

    @property
    def name(self) -> str:
        """The account, its role, its namespace, and what it is bound by."""
        return f"cell-{self.own}"

    @property
    def shop(self) -> str:
        return f"shop-{self.own}"

    def begin(self) -> None:
        """Put both clusters in step: a team of four that edits, and two others who look."""
        for namespace in (self.name, self.shop):
            create_namespace(self.admin, namespace)
        account = {"kind": "ServiceAccount", "name": self.name, "namespace": self.name}
        create(self.admin, CLUSTER_ROLES, cluster_role(self.name, ROLES))
        create(self.admin, CRBS, binding(self.name, self.name) | {"subjects": [account]})
        self.sign_in()
        self.give(RULES)
        self.group, self.people = team(self.world, 4)
        team(self.world, 2, "view", "others")
        self.work()

    def sign_in(self) -> None:
        """Make the bridge's account, if it is not there, and give the bridge a token of it."""
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": self.name}}
        create(self.admin, f"{NAMESPACES}/{self.name}/serviceaccounts", account)
        path = f"{NAMESPACES}/{self.name}/serviceaccounts/{self.name}/token"
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": LONG},
        }
        self.token = self.admin.post(path, request).document["status"]["token"]
        self.open()

    def open(self, read_seconds: float = 10) -> None:
        """Open another gateway: through the proxy, with the account's token."""
        self.close()
        with self.world.database.write() as connection:
            instance = instance_id(connection)
        place = (TargetKind.KUBERNETES, self.world.organization_id, self.world.cluster_id, instance)
        self.gateway = open_gateway(Target(*place, kubeconfig(self.proxy, token=self.token), read_seconds=read_seconds))

    def client(self) -> KubeClient:
        """Return a client that sends as the account, past the proxy."""
        return KubeClient(self.server.url, self.token, self.server.authority)

    def close(self) -> None:
        if self.gateway is not None:
            self.gateway.close()

    def give(self, rules: Rules) -> None:
        """Let the account have these rights and no other, and wait until the server goes by them."""
        give_rules(self.admin, self.name, rules)
        bridge = self.client()
        question = {
            "apiVersion": f"{QUESTIONS}/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": self.shop},
        }

        def has_just_these() -> bool:
            reply = bridge.post(f"/apis/{QUESTIONS}/v1/selfsubjectrulesreviews", question)
            return reply.status == 201 and _spelled(reply.document["status"]["resourceRules"]) == _spelled(rules)

        wait_until(has_just_these)

    def work(self) -> None:
        """Do what the scheduler does on both clusters: removals, then a pass."""
        assert self.gateway is not None
        self.world.at = self.steady.at = max(self.world.at, self.steady.at) + timedelta(seconds=10)
        for world, gateway in ((self.world, self.gateway), (self.steady, self.steady.cluster)):
            database, place = world.database, DueCluster(world.cluster_id, world.organization_id)
            with database.write() as connection:
                spread_removals(connection, world.at)
            carry_out_removals(database, gateway, place, lambda: self.world.at, lambda: True)
            policy = PassPolicy(writers=2)
            reconcile_cluster(
                database, gateway, place.organization_id, place.id, policy, lambda: self.world.at, lambda: True
            )

    @property
    def access(self) -> Access:
        """Return who holds what on the real server, as an administrator sees it."""
        found: Access = {}
        for kind in ("clusterrolebindings", "rolebindings"):
            listed = self.admin.get(f"{RBAC}/{kind}", labelSelector=f"{CLUSTER_LABEL}={self.world.cluster_id}")
            for each in listed.document["items"]:
                place = (each["metadata"].get("namespace", ""), each["roleRef"]["name"])
                found.setdefault(place, set()).update(one["name"] for one in each.get("subjects") or ())
        return found

    @property
    def beside(self) -> Access:
        """Return the same of the cluster that is well."""
        return {(place or "", role): people for (place, role), people in self.steady.cluster.access.items()}

    def clean(self) -> None:
        self.close()
        names = self.admin.get(CRBS, labelSelector=f"{CLUSTER_LABEL}={self.world.cluster_id}").names
        ours = [f"{CRBS}/{name}" for name in names]
        for path in (*ours, *self.strangers, f"{CRBS}/{self.name}", f"{CLUSTER_ROLES}/{self.name}"):
            self.admin.delete(path)


def _spelled(rules: Rules) -> set[tuple[str, str, str, tuple[str, ...]]]:
    return {
        (group, resource, verb, tuple(sorted(rule.get("resourceNames") or ())))
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        # What everybody may ask is everybody's.
        if group != QUESTIONS
    }
