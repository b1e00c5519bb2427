"""What somebody else did to the bindings that the bridge has written to a cluster."""

from collections.abc import Iterable, Iterator

from scim_bridge.domain.bindings import BindingKey
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
    seen = {each.binding.key.canonical: each.binding.digest if each.intact else "" for each in observed.bindings}
    gone = {key.canonical for key in observed.gone}
    found = [
        binding.key
        for binding in sealed.wanted.bindings
        if _recorded(sealed, binding.key) == binding.digest
        and (binding.key.canonical in gone or seen.get(binding.key.canonical, binding.digest) != binding.digest)
    ]
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


def _recorded(sealed: Sealed, key: BindingKey) -> str | None:
    found = sealed.digests.get(key.canonical)
    return None if found is None else found[0]
