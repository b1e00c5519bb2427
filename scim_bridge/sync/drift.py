"""What somebody else did to the bindings that the bridge has written to a cluster."""

from collections.abc import Iterable, Iterator

from scim_bridge.clusters.gateway import ObservedBinding
from scim_bridge.domain.bindings import Binding, BindingKey
from scim_bridge.domain.desired import Condition
from scim_bridge.store.applied import applied_digests
from scim_bridge.store.database import Database
from scim_bridge.sync.observing import Observation
from scim_bridge.sync.settling import Sealed

NAMED = 5


def find_drift(database: Database, sealed: Sealed, observed: Observation) -> tuple[BindingKey, ...]:
    """
    Return the bindings that are not as desired although the record has them so; call it before the record is mended.

    What the bridge itself has to change is no drift: of that the record says the old. Nor is what the other lane did
    since the store was read: of that the record says the new.
    """
    # An object of the version on record is as it was written: nothing has to be compared.
    seen = {each.binding.key.canonical: each for each in observed.bindings if not _is_as_written(sealed, each)}
    gone = {key.canonical for key in observed.gone}
    suspects = [each for each in sealed.wanted.bindings if each.key.canonical in seen.keys() | gone]
    found = [each.key for each in suspects if _is_changed(sealed, each, seen.get(each.key.canonical))]
    if not found:
        return ()
    with database.read() as connection:
        digests = applied_digests(connection, sealed.cluster_id)
    return tuple(key for key in found if digests.get(key.canonical) == sealed.digests[key.canonical])


def drift_conditions(drifted: Iterable[BindingKey]) -> Iterator[Condition]:
    """Yield one condition for all that drifted."""
    named = sorted({f"{key.family.role.value} in {key.family.namespace or 'the whole cluster'}" for key in drifted})
    if named:
        more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
        told = ", ".join(named[:NAMED])
        yield Condition("Drift", "", f"somebody changed or deleted bindings of the bridge: {told}{more}")


def _is_as_written(sealed: Sealed, seen: ObservedBinding) -> bool:
    recorded = sealed.digests.get(seen.binding.key.canonical)
    return recorded is not None and recorded[1:] == (seen.uid, seen.resource_version)


def _is_changed(sealed: Sealed, wanted: Binding, seen: ObservedBinding | None) -> bool:
    recorded = sealed.digests.get(wanted.key.canonical)
    if recorded is None or recorded[0] != wanted.digest:
        return False
    return seen is None or not seen.intact or seen.binding.digest != wanted.digest
