"""What tests of the clock share: more clusters, gateways that hang or refuse when told to, and waiting with an end."""

import time
from collections.abc import Callable, Mapping
from threading import Event

import sqlalchemy as sa

from scim_bridge.clusters.gateway import Gateway, ObservedBinding
from scim_bridge.domain.bindings import Binding, BindingKey
from scim_bridge.domain.organizations import ClusterId, OrganizationId, TargetKind
from scim_bridge.errors import ClusterDenied, ClusterError, ClusterUnreachable, NotFound, StaleBinding
from scim_bridge.store.cluster_registry import NewTarget, insert_cluster
from scim_bridge.store.identifiers import new_id
from scim_bridge.store.schema import organization, removal_request
from tests.fakes.cluster import FakeCluster
from tests.sync.worlds import NOON, World

PATIENCE = 20.0
"""How long a loaded machine may take for what takes a moment; nothing is asserted about times below it."""


def eventually(happened: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until something is so, and tell whether it came to be."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class TroubledCluster(FakeCluster):
    """
    A cluster in memory that can hang, refuse and change under our hands.

    ``listing`` and ``answering`` are set while lists, and single requests, get through; ``reached`` is set once one
    of either is waiting. ``before_write`` runs once, before the next write is looked at.
    """

    def __init__(self) -> None:
        super().__init__()
        self.listing, self.answering, self.reached = Event(), Event(), Event()
        self.listing.set()
        self.answering.set()
        self.break_get: dict[str, ClusterError] = {}
        self.gets = 0
        self.at_work = 0
        self.most_at_work = 0
        self.before_write: Callable[[], None] | None = None

    def list_bindings(self) -> list[ObservedBinding]:
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            self._wait(self.listing)
            return super().list_bindings()
        finally:
            self.at_work -= 1

    def get(self, key: BindingKey) -> ObservedBinding | None:
        self._wait(self.answering)
        self.gets += 1
        fault = self.break_get.get(key.family.namespace or "")
        if fault is not None:
            raise fault
        return super().get(key)

    def apply(self, binding: Binding, observed: ObservedBinding | None) -> ObservedBinding:
        self._interfere()
        return super().apply(binding, observed)

    def delete(self, observed: ObservedBinding) -> None:
        self._interfere()
        super().delete(observed)

    def edit(self, *subjects: str) -> None:
        """Add subjects to every binding, as somebody with kubectl does."""
        for key, seen in list(self.objects.items()):
            binding = Binding(key, tuple(sorted({*seen.binding.subjects, *subjects})))
            super().apply(binding, seen)

    def _interfere(self) -> None:
        self._wait(self.answering)
        done, self.before_write = self.before_write, None
        if done is not None:
            done()

    def _wait(self, gate: Event) -> None:
        if not gate.is_set():
            self.reached.set()
            gate.wait(PATIENCE * 3)


class Targets:
    """Hands out gateways by cluster; one that is not there is removed, an error is raised."""

    def __init__(self, gateways: Mapping[ClusterId, Gateway | Exception]) -> None:
        self.gateways = dict(gateways)

    def open(self, cluster_id: ClusterId) -> Gateway:
        found = self.gateways.get(cluster_id, NotFound("The cluster was removed."))
        if isinstance(found, Exception):
            raise found
        return found


def add_cluster(world: World, name: str, folder: str = "/nowhere", *, selectors: bool = False) -> ClusterId:
    target = NewTarget(
        name,
        None,
        TargetKind.MANIFESTS,
        "{user_name}",
        "nowhere",
        folder=folder,
        allow_label_selectors=selectors,
        approved=True,
    )
    with world.database.write() as connection:
        return insert_cluster(connection, world.change(connection), target).id


def add_organization(world: World, slug: str) -> OrganizationId:
    made = OrganizationId(new_id())
    with world.database.write() as connection:
        connection.execute(sa.insert(organization).values(id=made, slug=slug, name=slug, created_at=NOON))
    return made


def outcomes(world: World) -> list[str | None]:
    """Return how each removal request ended, the oldest first; None for one that is open."""
    with world.database.read() as connection:
        return list(connection.execute(sa.select(removal_request.c.outcome).order_by(removal_request.c.id)).scalars())


UNREACHABLE = ClusterUnreachable("timed out after 10 s")
DENIED = ClusterDenied("you may not bind this role")
STALE = StaleBinding("it changed")
