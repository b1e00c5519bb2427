"""The cluster of $KUBECONFIG in the place of one folder of manifests, for whoever wants to see the real thing."""

import os
import sys
from pathlib import Path

import click

from scim_bridge.cli.demo.access import ANYWHERE, Access
from scim_bridge.domain.organizations import ClusterId
from scim_bridge.errors import ClusterError
from scim_bridge.sync.single import Opener

INSTEAD_OF = "prod-eu"


def offered(explicit: Path | None) -> Path | None:
    """Return the kubeconfig to use: the one that was named, or the one that a person at a terminal agrees to."""
    if explicit is not None:
        return explicit
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    if not named or not sys.stdin.isatty():
        return None
    question = f"Use the cluster of {named} for {INSTEAD_OF}, instead of a folder? The demo binds invented people there"
    return Path(named) if click.confirm(question, default=False, err=True) else None


class RealCluster:
    """What the bridge wrote to a real cluster, read back from it, and taken away at the end."""

    def __init__(self, targets: Opener, name: str, cluster_id: ClusterId) -> None:
        """Name the cluster; nothing is asked yet."""
        self._targets = targets
        self._name = name
        self._id = cluster_id

    def access(self) -> frozenset[Access]:
        """Return what the bindings there give; raises ClusterError when they cannot be read."""
        gateway = self._targets.open(self._id)
        return frozenset(
            Access(subject, self._name, seen.binding.key.family.namespace or ANYWHERE, seen.binding.key.family.role)
            for seen in gateway.list_bindings()
            for subject in seen.binding.subjects
        )

    def namespaces(self) -> frozenset[str]:
        """Return the namespaces there are."""
        return frozenset(self._targets.open(self._id).namespaces())

    def clean(self) -> int:
        """Delete what the demo bound, and return how many bindings that were."""
        gateway = self._targets.open(self._id)
        gone = 0
        for seen in gateway.list_bindings():
            try:
                gateway.delete(seen)
                gone += 1
            except ClusterError as error:
                click.echo(f"{seen.name} is left on {self._name}: {error}", err=True)
        return gone
