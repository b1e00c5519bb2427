"""The demo's organization: what an administrator would type, done by the same use cases."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from scim_bridge.app import open_runtime, open_workshop, upgrade_database
from scim_bridge.cli.demo.kube import INSTEAD_OF, RealCluster
from scim_bridge.cli.documents import read_document
from scim_bridge.domain.actors import Actor, ActorKind
from scim_bridge.domain.organizations import ClusterId, EnvironmentType
from scim_bridge.domain.people import DirectoryKind
from scim_bridge.errors import Refused
from scim_bridge.identity import clusters, directories, organizations, rules, tree
from scim_bridge.identity.clusters import ClusterWanted
from scim_bridge.identity.runtime import Runtime
from scim_bridge.settings import PREFIX, Settings, load_settings

ORGANIZATION = "acme"
OWNER = "you@acme.example"
WAY_IN = "note:the kubeconfig that the demo was started with"
USER_TEMPLATE = "oidc:{user_name}"
PROJECT = "shop"
CLUSTERS = {"prod-eu": "production", "prod-us": "production", "staging": "staging"}
MARKER = ".scim-bridge-demo"
ACTOR = Actor(ActorKind.CLI, "demo")

RULES = """\
# Who gets what because of a group or an attribute at the identity provider.
# Change it and run: scim-bridge rule apply rules.toml
version = 1

[[rules]]
name = "Platform engineers edit production"
directory = "okta"
group = "platform-engineers"
scope = "unit:production"
kubernetes_role = "edit"
api_role = "developer"

[[rules]]
name = "Developers look at production"
directory = "okta"
group = "developers"
scope = "unit:production"
kubernetes_role = "view"

[[rules]]
name = "Developers edit staging"
directory = "okta"
group = "developers"
scope = "unit:staging"
kubernetes_role = "edit"
api_role = "developer"

[[rules]]
name = "Auditors look everywhere"
directory = "entra"
group = "auditors"
scope = "organization"
kubernetes_role = "view"
api_role = "viewer"
# The rule goes by the group's name and reaches the whole organization: that has to be said.
allow_privileged = true

[[rules]]
name = "A team edits its own project"
directory = "entra"
group_pattern = "team-(?P<project>[a-z]+)"
scope = "project:{project}"
parent = "unit:production"
kubernetes_role = "edit"
"""


@dataclass(frozen=True, slots=True)
class World:
    """
    What the demo set up: ``tokens`` are the directories' by name, ``folders`` the clusters' by name.

    ``real`` is the one cluster that is no folder, if somebody gave one.
    """

    home: Path
    settings: Settings
    runtime: Runtime
    tokens: dict[str, str]
    folders: dict[str, Path]
    environment: dict[str, str]
    real: RealCluster | None = None


@contextmanager
def emptied_home(home: Path) -> Iterator[None]:
    """
    Empty the demo's folder and keep other demos out of it while the block runs.

    Raises Refused for a folder that the demo did not make, that another one uses, or that cannot be written.
    """
    try:
        if home.exists() and not (home / MARKER).exists() and any(home.iterdir()):
            raise Refused(f"{home} was not made by the demo, and the demo would empty it; name another with --home.")
        home.mkdir(parents=True, exist_ok=True)
        marker = (home / MARKER).open("a")
    except OSError as error:
        raise Refused(f"The demo cannot use the folder {home}: {error.strerror}.") from error
    with marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(f"Another demo runs in {home}; end that one, or name another folder with --home.") from error
        for each in home.iterdir():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            elif each.name != MARKER:
                each.unlink()
        yield


def build(home: Path, base_url: str, kubeconfig: Path | None = None) -> World:
    """Make the organization with its tree, directories, clusters and rules in a fresh database."""
    environment = {f"{PREFIX}HOME": str(home), f"{PREFIX}BASE_URL": base_url}
    settings = load_settings(None, environment).model_copy(update={"home": home, "base_url": base_url})
    upgrade_database(settings)
    runtime = open_runtime(settings)
    database = runtime.database
    organizations.create(database, ACTOR, ORGANIZATION, name="Acme", owner=OWNER)
    for unit in dict.fromkeys(CLUSTERS.values()):
        tree.create_unit(database, ACTOR, ORGANIZATION, unit, EnvironmentType(unit))
    folders = {name: home / "clusters" / name for name in CLUSTERS if kubeconfig is None or name != INSTEAD_OF}
    for name, folder in folders.items():
        _add_cluster(runtime, ClusterWanted(name, CLUSTERS[name], manifests=folder))
    real = None if kubeconfig is None else _add_real(runtime, kubeconfig)
    project = tree.NewProject(PROJECT, "production", namespaces=(PROJECT,))
    tree.create_project(database, ACTOR, ORGANIZATION, project)
    tokens = {kind.value: _connect(runtime, kind) for kind in (DirectoryKind.OKTA, DirectoryKind.ENTRA)}
    _apply_rules(runtime, home / "rules.toml")
    return World(home, settings, runtime, tokens, folders, environment, real)


def _add_cluster(runtime: Runtime, wanted: ClusterWanted) -> ClusterId:
    asked = replace(wanted, user_template=USER_TEMPLATE, approve_first_plan=True)
    added = clusters.add(runtime, ACTOR, ORGANIZATION, asked)
    if added.warnings:
        raise Refused(f"The cluster {wanted.name} cannot be used: {added.warnings[0].message}")
    return added.cluster.id


def _add_real(runtime: Runtime, kubeconfig: Path) -> RealCluster:
    made = _add_cluster(
        runtime, ClusterWanted(INSTEAD_OF, CLUSTERS[INSTEAD_OF], kubeconfig=kubeconfig, break_glass=WAY_IN)
    )
    return RealCluster(open_workshop(runtime).targets, INSTEAD_OF, made)


def _connect(runtime: Runtime, kind: DirectoryKind) -> str:
    made = directories.create(runtime.database, ACTOR, ORGANIZATION, kind.value, kind)
    assert made.token is not None  # the database is new
    return made.token.text


def _apply_rules(runtime: Runtime, file: Path) -> None:
    file.write_text(RULES)
    rules.apply(runtime.database, ACTOR, ORGANIZATION, read_document(file))
