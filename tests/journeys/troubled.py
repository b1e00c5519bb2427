"""A whole bridge with two clusters, one of which can be put in trouble: real HTTP on both of its sides."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from scim_bridge.app import create_app, open_process
from scim_bridge.log import configure_logging
from scim_bridge.settings import Settings
from scim_bridge.simulator import Client, Company, Okta, Person
from tests.cli.bridge import Bridge
from tests.fakes.kube_api import FakeKubeApi
from tests.kube.world import kubeconfig, prepare
from tests.scim.live import served

LABEL = "app.kubernetes.io/managed-by"
GROUPS = {"developers": ["Ana Adler", "Ben Bauer", "Cleo Cole"], "auditors": ["Dana Dorn", "Eve Ebert"]}
RULES = """
version = 1
[[rules]]
name = "Developers edit"
directory = "okta"
group = "developers"
scope = "unit:production"
kubernetes_role = "edit"

[[rules]]
name = "Auditors look"
directory = "okta"
group = "auditors"
scope = "unit:production"
kubernetes_role = "view"
"""
EDIT, VIEW = "edit", "view"
STEADY, TROUBLED = "steady", "troubled"
Access = dict[str, set[str]]


@dataclass(frozen=True)
class TwoClusters:
    """A bridge at work, its two clusters, and Okta."""

    bridge: Bridge
    okta: Okta
    steady: FakeKubeApi
    troubled: FakeKubeApi

    def status(self, cluster: str = TROUBLED) -> dict[str, Any]:
        """Return what `sync status` says about a cluster."""
        [found] = self.bridge.json("sync", "status", "--cluster", cluster)
        return dict(found)

    def conditions(self, cluster: str = TROUBLED) -> list[str]:
        return [each["kind"] for each in self.status(cluster)["conditions"]]

    def person(self, name: str) -> Person:
        return self.okta.company.person(name)

    def hire(self, name: str, group: str) -> None:
        self.okta.hire(self.okta.company.newcomer(name), group)

    def leave(self, name: str) -> None:
        self.okta.leave(self.person(name))

    def take_out_unnamed(self, name: str, group: str) -> None:
        """Replace a group's members by a list without somebody: a removal that is inferred, not asked for by name."""
        found = self.okta.company.group(group)
        self.okta.company.regroup(found, removed=[self.person(name)])
        self.okta.push_now(group)


def access(api: FakeKubeApi) -> Access:
    """Return whom the bridge bound to which role there, as it really is and not as it is told."""
    found: Access = {}
    for each in _bound(api):
        names = {subject["name"] for subject in each["subjects"]}
        found.setdefault(each["roleRef"]["name"], set()).update(names)
    return found


def remove_bindings(api: FakeKubeApi) -> None:
    """Delete whatever the bridge wrote there, behind its back."""
    for each in _bound(api):
        api.remove("clusterrolebindings", each["metadata"]["name"])


def _bound(api: FakeKubeApi) -> list[dict[str, Any]]:
    documents = api.documents("clusterrolebindings")
    return [each for each in documents if each["metadata"].get("labels", {}).get(LABEL) == "scim-bridge"]


def subjects(*names: str) -> set[str]:
    return {f"oidc:{name.lower().replace(' ', '.')}@acme.example" for name in names}


@contextmanager
def two_clusters(database_url: str, home: Path) -> Iterator[TwoClusters]:
    """
    Start a bridge that keeps two clusters in step; nobody has been pushed yet.

    It has one worker a lane, so a cluster that holds one for ever would hold up the other, and little patience.
    """
    configure_logging("error")
    settings = Settings(
        home=home, database_url=SecretStr(database_url), pass_workers=1, revocation_workers=1,
        cluster_connect_seconds=1, cluster_read_seconds=1, pass_interval_seconds=0.5, pass_jitter_seconds=0,
        backoff_first_seconds=0.2, backoff_most_seconds=0.5,
    )  # fmt: skip
    bridge = Bridge({"SCIM_BRIDGE_DATABASE_URL": database_url, "SCIM_BRIDGE_HOME": str(home)})
    with FakeKubeApi() as steady, FakeKubeApi() as troubled:
        token = _set_up(bridge, home, {STEADY: steady, TROUBLED: troubled})
        process = open_process(settings)
        process.scheduler.start()
        with served(create_app(settings, process.runtime)) as url:
            okta = Okta(Client(url, token), Company.of(GROUPS, "acme.example"))
            try:
                yield TwoClusters(bridge, okta, steady, troubled)
            finally:
                troubled.faults.clear()
                okta.client.close()
                assert process.close()


def _set_up(bridge: Bridge, home: Path, clusters: dict[str, FakeKubeApi]) -> str:
    home.mkdir(parents=True, exist_ok=True)
    bridge.json("organization", "create", "acme", "--owner", "boss@acme.example")
    bridge.json("unit", "create", "production")
    made = bridge.json("directory", "create", "--organization", "acme", "--kind", "okta", "--name", "okta")
    for name, api in clusters.items():
        prepare(api)
        config = home / f"{name}.kubeconfig"
        config.write_text(kubeconfig(api))
        bridge.json(
            "cluster", "add", "--unit", "production", "--name", name, "--kubeconfig", str(config),
            "--user-template", "oidc:{user_name}", "--approve-first-plan",
            "--break-glass", "group:system:masters",
        )  # fmt: skip
    rules = home / "rules.toml"
    rules.write_text(RULES)
    bridge.json("rule", "apply", str(rules))
    return str(made["token"])
